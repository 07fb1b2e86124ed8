"""Sequences to train on out of real alignments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, Int8
from numpy import ndarray

from harness.alignment import read_alignment, read_rows
from harness.alphabet import UNKNOWN, encode
from harness.corpus import Corpus, CorpusSettings, bucketed, site_cross_entropy
from harness.errors import InputError
from harness.homologs import homolog
from harness.masking import draw_seed
from harness.weighting import sequence_weights

_HELD_OUT = 10
"""Of so many distinct rows at most one is held out."""


@dataclass(frozen=True, eq=False)
class _Family:
    """Sequences of one alignment; the weights of those to train on, and what is held out."""

    training: list[Int8[ndarray, " _"]]
    weights: Float[ndarray, " N"]
    held_out: list[Int8[ndarray, " _"]]
    site: float


def family_corpus(
    alignments: Mapping[str, Path], seed: int, settings: CorpusSettings, version: str
) -> Corpus:
    """Distinct rows of the alignments of these proteins, in buckets over all families.

    The query is trained on; what is held out is drawn by the seed and the name of the protein. The
    loss by site frequencies is known for aligned sequences only. Raises InputError where nothing is
    left to train on, or to hold out.
    """
    if not alignments:
        raise InputError("no protein has an alignment to train on: put an msa.a3m beside each")
    found = [_family(name, path, seed, settings) for name, path in alignments.items()]
    generator = np.random.default_rng(draw_seed(seed, "crop"))
    multiple = 1 if settings.aligned else settings.multiple
    weights = np.concatenate([family.weights for family in found])
    shares = None if settings.weight_identity is None else weights.tolist()
    sequences = [one for family in found for one in family.training]
    training = bucketed(sequences, shares, multiple, generator)
    unseen = [one for family in found for one in family.held_out]
    held_out = bucketed(unseen, None, multiple, generator)
    if not training or not held_out:
        raise InputError(
            f"{len(alignments)} alignments leave {len(training)} lengths to train on and "
            f"{len(held_out)} to hold out; a family needs {_HELD_OUT} distinct rows, and whole "
            f"sequences {settings.multiple} residues (corpus.multiple)"
        )
    sites = [family.site for family in found if not np.isnan(family.site)]
    bounds = {"site_independent": float(np.mean(sites))} if sites else {}
    return Corpus(version, training, held_out, bounds)


def _family(name: str, path: Path, seed: int, settings: CorpusSettings) -> _Family:
    states, rows = read_alignment(path).states, read_rows(path)
    sequences = [*states] if settings.aligned else [_whole(row, rows[0]) for row in rows]
    distinct = _distinct(sequences)
    generator = np.random.default_rng(draw_seed(seed, name))
    others = generator.permutation(distinct[1:])
    n_held = min(settings.held_out, len(distinct) // _HELD_OUT)
    unseen, seen = others[:n_held], np.append(0, others[n_held:])[: settings.training]
    weights = np.ones(len(seen))
    if settings.weight_identity is not None:
        weights = sequence_weights(states[seen], settings.weight_identity)
    known = settings.aligned and n_held > 0
    site = site_cross_entropy(states[seen], states[unseen]) if known else float("nan")
    return _Family([sequences[n] for n in seen], weights, [sequences[n] for n in unseen], site)


def _distinct(sequences: Sequence[Int8[ndarray, " _"]]) -> Int[ndarray, " D"]:
    """Index of the first of equal sequences, ascending; those without a known residue left out."""
    first: dict[bytes, int] = {}
    for n, sequence in enumerate(sequences):
        if (sequence < UNKNOWN).any():
            first.setdefault(sequence.tobytes(), n)
    return np.array(list(first.values()))


def _whole(row: str, query: str) -> Int8[ndarray, " _"]:
    """A row without its gaps, insertions included."""
    encoded: Int[ndarray, " _"] = encode(homolog(row, query).sequence)
    return encoded.astype(np.int8)
