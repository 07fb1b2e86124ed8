"""The best pairs of a score map beside the truth, small enough to keep for every protein."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from harness.arrays import read_arrays
from harness.errors import InputError
from harness.metrics import RANGES, ContactDefinition, rank_pairs, separations
from harness.results import replacing
from harness.sample import Sample

DEPTH = 5
"""Pairs are kept when they are among the best 5 L valid ones of a range."""

NEAR = 3
"""Contacts of residues nearer along the chain say nothing, and are left out."""


@dataclass(frozen=True, eq=False)
class KeptPairs:
    """What is left of one score map: its best valid pairs, best first, and the answer.

    `pairs` and `contacts` hold i < j (0-based). Ties are in the order of i, then j, so the pairs of
    a range are in the order that its precision was measured in.
    """

    sequence: str
    breaks: Int[ndarray, " B"]
    unresolved: Int[ndarray, " U"]
    contacts: Int[ndarray, "C 2"]
    pairs: Int[ndarray, "P 2"]
    scores: Float[ndarray, " P"]

    def save(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        path.parent.mkdir(exist_ok=True)
        with replacing(path) as partial, partial.open("wb") as stream:
            np.savez_compressed(
                stream,
                sequence=np.array(self.sequence),
                breaks=self.breaks.astype(np.int32),
                unresolved=self.unresolved.astype(np.int32),
                contacts=self.contacts.astype(np.int32),
                pairs=self.pairs.astype(np.int32),
                scores=self.scores.astype(np.float32),
            )


def kept_pairs(
    sample: Sample,
    scores: Float[ndarray, "L L"],
    contact: ContactDefinition,
    ranges: Sequence[str],
) -> KeptPairs:
    """The best pairs of each of these ranges, and every contact."""
    breaks, length = sample.protein.breaks, len(scores)
    kept = np.zeros((length, length), dtype=bool)
    for name in ranges:
        ranked = rank_pairs(scores, sample.distances, RANGES[name], contact.cutoff, breaks)
        best = slice(DEPTH * length)
        kept[ranked.i[best], ranked.j[best]] = True
    i, j = np.nonzero(kept)
    order = np.argsort(-scores[i, j], kind="stable")  # i, j already ascend
    far = np.triu(~(separations(length, breaks) < NEAR), k=1)
    return KeptPairs(
        sequence=sample.protein.sequence,
        breaks=np.array(breaks, dtype=int),
        unresolved=np.flatnonzero(~sample.resolved),
        contacts=np.argwhere(far & (sample.distances < contact.cutoff)),
        pairs=np.column_stack([i, j])[order],
        scores=scores[i, j][order],
    )


def read_pairs(path: Path) -> KeptPairs:
    """The kept pairs of one protein, from a file; InputError for a file that was not saved here."""
    arrays = read_arrays(path)
    sequence = str(arrays.pop("sequence", ""))
    length, known = len(sequence), {"breaks": 1, "unresolved": 1, "contacts": 2, "pairs": 2}
    fits = arrays.keys() == {*known, "scores"} and all(
        _are_positions(arrays[name], ndim, length) for name, ndim in known.items()
    )
    if not fits or arrays["scores"].dtype.kind != "f":
        raise InputError(f"{path}: no kept pairs; delete it, and the same command draws it again")
    if arrays["scores"].shape != (len(arrays["pairs"]),):
        raise InputError(f"{path}: the scores are not those of the pairs; delete it")
    return KeptPairs(sequence, **arrays)


def _are_positions(array: ndarray, ndim: int, length: int) -> bool:
    """Whether these are positions of a sequence, or pairs of them."""
    shaped = array.ndim == ndim and array.shape[1:] in ((), (2,))
    return shaped and array.dtype.kind == "i" and bool(((array >= 0) & (array < length)).all())
