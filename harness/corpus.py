"""Sequences to train a model on: equally long ones together, and what they are a sample of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int, Int8
from numpy import ndarray

from harness.alphabet import AMINO_ACIDS, UNKNOWN


@dataclass(frozen=True)
class CorpusSettings:
    """What a data set is asked for.

    `training` and `held_out` are numbers of sequences of each family; with real alignments, at
    most so many, and of those held out at most one row in ten. The other three are for real
    alignments: `aligned` sequences keep their columns, with unknown residues for gaps; others are
    whole and without gaps, cropped to a multiple of `multiple` residues, so that batches need no
    padding. Rows that share at least `weight_identity` of the columns are one when batches are
    drawn (none: every row counts the same).
    """

    training: int
    held_out: int
    aligned: bool
    multiple: int
    weight_identity: float | None

    def __post_init__(self) -> None:
        if min(self.training, self.held_out, self.multiple) < 1:
            raise ValueError(f"{self}: training, held_out and multiple must be 1 or more")


@dataclass(frozen=True, eq=False)
class Bucket:
    """Equally long sequences: states of `harness.alphabet`; the weights of a draw, if unequal."""

    sequences: Int8[ndarray, "N L"]
    weights: Float[ndarray, " N"] | None = None


@dataclass(frozen=True, eq=False)
class Corpus:
    """Buckets to train on, others to watch the loss on, and what is known of that loss.

    `version` changes whenever a sequence changes. `bounds` are mean cross-entropies (nats) of a
    held-out residue given all others: of the site frequencies, and of the exact model, as far as
    there are such.
    """

    version: str
    training: Sequence[Bucket]
    held_out: Sequence[Bucket]
    bounds: Mapping[str, float] = field(default_factory=dict)

    @property
    def residues(self) -> int:
        """Residues to train on."""
        return sum(bucket.sequences.size for bucket in self.training)


def bucketed(
    sequences: Sequence[Int8[ndarray, " _"]],
    weights: Sequence[float] | None,
    multiple: int,
    generator: np.random.Generator,
) -> list[Bucket]:
    """Buckets of sequences cropped to a multiple of so many residues, the shortest first.

    What is cropped comes off one end or the other, or both, at random. Sequences shorter than the
    multiple are left out.
    """
    found: dict[int, list[tuple[Int8[ndarray, " _"], float]]] = {}
    for n, sequence in enumerate(sequences):
        length = len(sequence) // multiple * multiple
        start = int(generator.integers(len(sequence) - length + 1))
        weight = 1.0 if weights is None else weights[n]
        found.setdefault(length, []).append((sequence[start : start + length], weight))
    return [
        Bucket(
            np.stack([sequence for sequence, _ in found[length]]),
            None if weights is None else np.array([weight for _, weight in found[length]]),
        )
        for length in sorted(found)
        if length
    ]


def site_cross_entropy(seen: Int[ndarray, "N L"], unseen: Int[ndarray, "M L"]) -> float:
    """Mean -log frequency (nats) of unseen residues at their sites, one pseudocount a state.

    Unknown residues and gaps count nowhere.
    """
    counts = np.stack([_counts(column) for column in seen.T])
    probabilities = (counts + 1) / (counts + 1).sum(axis=1, keepdims=True)
    rows, sites = np.nonzero(unseen < UNKNOWN)
    return float(-np.log(probabilities[sites, unseen[rows, sites]]).mean())


def _counts(column: Int[ndarray, " N"]) -> Int[ndarray, " 20"]:
    return np.bincount(column[column < UNKNOWN], minlength=len(AMINO_ACIDS))
