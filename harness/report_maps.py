"""Contact maps for a report: as many of the best pairs as a number of bytes holds."""

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from harness.errors import InputError
from harness.metrics import RANGES
from harness.pairs import DEPTH, KeptPairs, read_pairs

LEVELS = (DEPTH, 3, 2, 1.5, 1, 0.5)
"""How many times L of the best pairs of each range are shown: the first that fits."""

TENTH = 10
"""Every tenth protein says whether a level is worth trying on all."""

STEPS = 1000
"""Scores are shown to a thousandth of the span between the best and the last one kept."""


@dataclass(frozen=True)
class MapSource:
    """Where the maps of a protein are: a file of each run; None where a run has none."""

    protein: str
    files: Sequence[Path | None]


def fitted_maps(
    sources: Sequence[MapSource], ranges: Sequence[str], limit: float
) -> tuple[float, dict[str, Any]]:
    """The maps of all proteins in at most `limit` bytes: how many times L they hold, and the maps.

    Where not even the last level fits, some proteins are left out, evenly over the order given.
    Raises InputError when there is no room for one.
    """
    some = sources[::TENTH]
    for level in LEVELS:
        share = 1.1 * limit * len(some) / max(1, len(sources))
        hopeless = len(_encoded(some, ranges, level, share)) < len(some)
        maps = {} if hopeless else _encoded(sources, ranges, level, limit)
        if len(maps) == len(sources):
            return level, maps
    return LEVELS[-1], _thinned(sources, ranges, limit)


def _thinned(sources: Sequence[MapSource], ranges: Sequence[str], limit: float) -> dict[str, Any]:
    """The maps of as many proteins as fit at the last level, evenly over all."""
    n = len(_encoded(sources, ranges, LEVELS[-1], limit))
    while n:
        chosen = [sources[at] for at in np.linspace(0, len(sources) - 1, n).round().astype(int)]
        maps = _encoded(chosen, ranges, LEVELS[-1], limit)
        if len(maps) == n:
            return maps
        n = min(n - 1, len(maps))
    raise InputError(f"not one contact map fits into {limit / 1e6:g} MB: raise maps_mb")


def _encoded(
    sources: Sequence[MapSource], ranges: Sequence[str], level: float, limit: float
) -> dict[str, Any]:
    """The first of these maps that fit into the limit, by protein."""
    maps, size = {}, 0
    for source in sources:
        encoded = _protein(source.files, ranges, level)
        size += len(json.dumps(encoded))
        if size > limit:
            break
        maps[source.protein] = encoded
    return maps


def _protein(files: Sequence[Path | None], ranges: Sequence[str], level: float) -> dict[str, Any]:
    """The answer as the first run has it, and the best pairs of every run that has the same.

    A run of another contact definition or sequence has no part in the picture.
    """
    kept = [read_pairs(path) if path else None for path in files]
    first = next(pairs for pairs in kept if pairs)
    return {
        "sequence": first.sequence,
        "breaks": first.breaks.tolist(),
        "unresolved": first.unresolved.tolist(),
        "contacts": _packed(first.contacts.T),
        "runs": [
            _scored(pairs, ranges, level) if pairs and _same_answer(pairs, first) else None
            for pairs in kept
        ],
    }


def _same_answer(one: KeptPairs, other: KeptPairs) -> bool:
    return one.sequence == other.sequence and np.array_equal(one.contacts, other.contacts)


def _scored(pairs: KeptPairs, ranges: Sequence[str], level: float) -> dict[str, Any]:
    """The best pairs of each range with their scores, best first."""
    best = _best(pairs, ranges, level)
    (i, j), scores = pairs.pairs[best].T, pairs.scores[best].astype(float)
    low, high = (float(scores[-1]), float(scores[0])) if len(scores) else (0.0, 0.0)
    steps = np.round((high - scores) / ((high - low) or 1.0) * STEPS).astype(int)
    return {"low": low, "high": high, "pairs": _packed([i, j, np.diff(steps, prepend=0)])}


def _best(pairs: KeptPairs, ranges: Sequence[str], level: float) -> Int[ndarray, " K"]:
    """Places of the pairs that are among the best `level` · L of a range."""
    length, (i, j) = len(pairs.sequence), pairs.pairs.T
    chain = np.searchsorted(pairs.breaks, pairs.pairs, side="right")
    apart = np.where(chain[:, 0] == chain[:, 1], j - i, np.nan)
    chosen = [np.flatnonzero(RANGES[name].contains(apart)) for name in ranges]
    return np.unique(np.concatenate([own[: int(level * length)] for own in chosen]))


def _packed(columns: Any) -> str:
    """Columns of numbers below 65,536 as text: one after the other, low bytes, then high bytes."""
    numbers = np.asarray(columns, dtype=np.uint16).ravel()
    planes = np.concatenate([numbers & 255, numbers >> 8]).astype(np.uint8)
    deflated = zlib.compressobj(level=9, wbits=-15)
    return base64.b64encode(deflated.compress(planes.tobytes()) + deflated.flush()).decode("ascii")
