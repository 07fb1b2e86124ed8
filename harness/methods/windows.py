"""Chains that are longer than a model reads: overlapping windows, each a protein of its own."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from harness.blocks import Block, blocks_of
from harness.protein import Protein
from harness.protocols import ContactMethod, Model
from harness.work import passes_of


def whole(method: ContactMethod, model: Model | None) -> ContactMethod:
    """The method itself: every protein is read as a whole."""
    return method


@dataclass(frozen=True)
class Overlapping:
    """A method of a language model on windows of `size` residues, stitched to one map.

    Proteins of at most `size` residues are read whole. Otherwise windows are spread evenly, and two
    neighbors share at least `overlap` residues (none: half of `size`). A pair in several windows
    gets the mean of its scores. A pair in none has never been looked at: it gets the lowest score
    of the map, so that it is ranked last. Pairs at most `overlap` residues apart are in one window
    at least.
    """

    method: ContactMethod
    model: Model | None
    size: int
    overlap: int | None

    def __post_init__(self) -> None:
        if self.model is None:
            raise ValueError(
                "windows are for methods that read a language model; this one reads none: leave "
                "windows=none"
            )
        if not 0 <= self.shared < self.size:
            raise ValueError(
                f"size is {self.size} and overlap {self.overlap}; allowed are sizes of 1 and more, "
                "and overlaps of 0 to size - 1"
            )

    def __call__(self, protein: Protein) -> Float[ndarray, "L L"]:
        """Contact scores."""
        if len(protein) <= self.size:
            return self.method(protein)
        total, counts = np.zeros((2, len(protein), len(protein)))
        for start in self.starts(len(protein)):
            window = slice(start, start + self.size)
            total[window, window] += self.method(protein.window(window.start, window.stop))
            counts[window, window] += 1
        seen = counts > 0
        scores = np.divide(total, counts, out=total, where=seen)
        scores[~seen] = scores[seen].min()
        return scores

    def blocks(self, proteins: Sequence[Protein], block: Block) -> Iterator[Float[ndarray, "R C"]]:
        """One block of the map of each protein, in order."""
        if any(len(protein) > self.size for protein in proteins):
            return (block.of(self(protein)) for protein in proteins)
        return blocks_of(self.method, proteins, block)

    def passes(self, length: int) -> int | None:
        """Those of all windows; none where the method does not say."""
        windows = [passes_of(self.method, min(length, self.size)) for _ in self.starts(length)]
        known = [passes for passes in windows if passes is not None]
        return sum(known) if known else None

    @property
    def shared(self) -> int:
        """Residues that neighboring windows have in common, at least."""
        return self.size // 2 if self.overlap is None else self.overlap

    def starts(self, length: int) -> list[int]:
        """Where the windows of so many residues begin; 0 alone when one is enough."""
        if length <= self.size:
            return [0]
        n = math.ceil((length - self.shared) / (self.size - self.shared))
        return np.linspace(0, length - self.size, n).round().astype(int).tolist()
