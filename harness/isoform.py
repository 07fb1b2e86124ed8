"""Which residues of a full-length protein an isoform keeps.

Positions count from 0 and ranges are half-open, as everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from biotite.sequence import ProteinSequence
from biotite.sequence.align import SubstitutionMatrix, align_optimal
from jaxtyping import Bool, Int
from numpy import ndarray

from harness.alphabet import AMINO_ACIDS
from harness.blocks import Segment
from harness.errors import InputError
from harness.protein import Protein

MATCH, MISMATCH, GAP_PENALTY = 5, -8, (-9, 0)
"""Scores of the alignment (opening, extending a gap). What is spliced out or in has any length;
what is kept is the same, residue by residue, so two gaps are cheaper than a few mismatches."""

LEAST_KEPT = 0.5
"""Share of an isoform's residues that its full length has too, at least."""


@dataclass(frozen=True, eq=False)
class Kept:
    """The residues that an isoform shares with its full-length protein.

    `places` gives for each residue of the isoform that of the full length, -1 for a new one;
    `length` is that of the full length. Residues that follow one another in both are a segment.
    """

    places: Int[ndarray, " M"]
    length: int

    @cached_property
    def isoform(self) -> Int[ndarray, " K"]:
        """The kept residues, as the isoform counts them."""
        return np.flatnonzero(self.places >= 0)

    @cached_property
    def full(self) -> Int[ndarray, " K"]:
        """The same, as the full length counts them."""
        return self.places[self.isoform]

    @cached_property
    def segment(self) -> Int[ndarray, " K"]:
        """In which kept segment each of them is, counted from 0."""
        return np.concatenate([[0], np.cumsum(self._apart)]).astype(int)

    @property
    def segments(self) -> list[Segment]:
        """Kept segments, in the numbers of the full length."""
        return _runs(self.full)

    @property
    def lost(self) -> list[Segment]:
        """Segments of the full length that the isoform lacks."""
        return _runs(np.setdiff1d(np.arange(self.length), self.full))

    @property
    def new(self) -> list[Segment]:
        """Segments of the isoform that the full length lacks."""
        return _runs(np.flatnonzero(self.places < 0))

    def in_both(self, separation: int) -> Bool[ndarray, "K K"]:
        """Pairs of kept residues that are so far apart in both sequences at least."""
        gaps = [np.abs(np.subtract.outer(own, own)) for own in (self.full, self.isoform)]
        return np.minimum(*gaps) >= separation

    @property
    def _apart(self) -> Bool[ndarray, " steps"]:
        """Whether one kept residue and the next do not follow one another in both sequences."""
        return (np.diff(self.full) != 1) | (np.diff(self.isoform) != 1)


def kept_residues(isoform: Protein, full: Protein, shortest: int) -> Kept:
    """What the isoform keeps of the full length, in segments of at least `shortest` residues.

    A global alignment with free ends; residues that differ, or are outside the twenty, are not
    kept. Raises InputError where most of the isoform is new, and where nothing is lost or new.
    """
    known = ["".join(c if c in AMINO_ACIDS else "X" for c in p.sequence) for p in (isoform, full)]
    alignment = align_optimal(
        *map(ProteinSequence, known),
        _scores(),
        gap_penalty=GAP_PENALTY,
        terminal_penalty=False,
        max_number=1,
    )[0]
    places = np.full(len(isoform), -1)
    pairs = alignment.trace[(alignment.trace >= 0).all(axis=1)]
    same = [known[0][i] == known[1][j] != "X" for i, j in pairs.tolist()]
    own, theirs = pairs[np.array(same, dtype=bool)].T
    places[own] = theirs
    kept = _without_short(Kept(places, len(full)), shortest)
    _check(kept, isoform, full)
    return kept


def _without_short(kept: Kept, shortest: int) -> Kept:
    """The same without segments that are shorter: among unlike residues some match by chance."""
    sizes = np.bincount(kept.segment, minlength=1)[kept.segment] if len(kept.isoform) else []
    places = kept.places.copy()
    places[kept.isoform[np.asarray(sizes) < shortest]] = -1
    return Kept(places, kept.length)


def _check(kept: Kept, isoform: Protein, full: Protein) -> None:
    n = len(kept.isoform)
    if n < LEAST_KEPT * len(isoform):
        raise InputError(
            f"{isoform.id} shares {n} of its {len(isoform)} residues with {full.id}: no isoform "
            "of it? Mend the table: what an isoform keeps is the same sequence, in the same order"
        )
    if isoform.sequence == full.sequence:
        raise InputError(f"{isoform.id} is {full.id} itself: nothing is lost, nothing is new")


def _scores() -> SubstitutionMatrix:
    """`MATCH` or `MISMATCH`; an unknown residue equals none."""
    alphabet = ProteinSequence.alphabet
    scores = np.where(np.eye(len(alphabet), dtype=bool), MATCH, MISMATCH)
    unknown = alphabet.encode("X")
    scores[unknown, unknown] = MISMATCH
    return SubstitutionMatrix(alphabet, alphabet, scores)


def _runs(places: Int[ndarray, " n"]) -> list[Segment]:
    """Increasing places as segments without holes."""
    parts: Sequence[ndarray] = np.split(places, np.flatnonzero(np.diff(places) != 1) + 1)
    return [Segment(int(part[0]), int(part[-1]) + 1) for part in parts if len(part)]
