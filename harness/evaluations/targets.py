"""Blocks of contacts whose recovery is watched: chosen by the unmasked map, or listed in a file.

Where more blocks qualify than are wanted, some are drawn; seeds as in `harness.masking`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from harness.blocks import Block, Segment
from harness.errors import InputError
from harness.evaluations.target_list import TargetList
from harness.masking import draw, draw_seed
from harness.sample import Sample


@dataclass(frozen=True)
class Single:
    """Blocks of `size` residues on the diagonal.

    The sum of their scores, both triangles, is above `threshold` (none: whatever it is), and more
    than `margin` residues are on either side; at most `most` a protein. With `path` they are
    listed, by their starts.
    """

    size: int
    threshold: float | None
    margin: int
    most: int
    seed: int
    path: str | None

    @cached_property
    def listed(self) -> TargetList | None:
        """The list of targets; none when they are chosen."""
        return None if self.path is None else TargetList(self.path)

    def __call__(self, scores: Float[ndarray, "L L"], sample: Sample) -> list[Block]:
        """The targets of one protein."""
        if self.listed:
            return self.listed.blocks(sample.protein.id, self._at, 1)
        starts = range(self.margin + 1, len(scores) - self.size - self.margin)
        found = _dense(map(self._at, starts), scores, self.threshold)
        return _drawn(found, self.most, self.seed, sample.protein.id)

    def _at(self, start: int) -> Block:
        segment = Segment(start, start + self.size)
        return Block(segment, segment)


@dataclass(frozen=True)
class Nearby:
    """Two windows of `size` residues whose starts are `apart`, with a sum above `threshold`.

    Of those that qualify, `most` are spread over the protein: the first is drawn, each further one
    is the farthest from those before. With `path` they are listed, by the start of the first.
    """

    size: int
    apart: int
    threshold: float | None
    most: int
    seed: int
    path: str | None

    def __post_init__(self) -> None:
        if self.apart < self.size:
            raise ValueError(f"apart is {self.apart}; windows of {self.size} residues overlap")

    @cached_property
    def listed(self) -> TargetList | None:
        """The list of targets; none when they are chosen."""
        return None if self.path is None else TargetList(self.path)

    def __call__(self, scores: Float[ndarray, "L L"], sample: Sample) -> list[Block]:
        """The targets of one protein."""
        if self.listed:
            return self.listed.blocks(sample.protein.id, self._at, 1)
        starts = range(len(scores) - self.apart - self.size + 1)
        found = _dense(map(self._at, starts), scores, self.threshold)
        chosen = _drawn(found, 1, self.seed, sample.protein.id)
        while chosen and len(chosen) < min(self.most, len(found)):
            gaps = [min(abs(b.rows.start - c.rows.start) for c in chosen) for b in found]
            chosen.append(found[int(np.argmax(gaps))])
        return chosen

    def _at(self, start: int) -> Block:
        second = start + self.apart
        return Block(Segment(start, start + self.size), Segment(second, second + self.size))


@dataclass(frozen=True)
class SsePair:
    """Two windows of `size` residues around the centers of two secondary-structure elements.

    Elements are helices longer than `helix` and strands longer than `strand`; their centers are
    more than `nearest` and at most `farthest` (none: no bound) residues apart. The sum of the block
    is above `threshold`, and more than `margin` residues are outside on either side; at most `most`
    a protein. With `path` they are listed, by their two centers.
    """

    size: int
    helix: int
    strand: int
    nearest: int
    farthest: int | None
    threshold: float | None
    margin: int
    most: int
    seed: int
    path: str | None

    def __post_init__(self) -> None:
        if self.size % 2 == 0 or self.nearest < self.size:
            raise ValueError(
                f"size is {self.size} and nearest {self.nearest}; size must be odd, so that a "
                "window has a center, and not above nearest, so that windows do not overlap"
            )

    @cached_property
    def listed(self) -> TargetList | None:
        """The list of targets; none when they are chosen."""
        return None if self.path is None else TargetList(self.path)

    def __call__(self, scores: Float[ndarray, "L L"], sample: Sample) -> list[Block]:
        """The targets of one protein; InputError without its secondary structure."""
        if self.listed:
            return self.listed.blocks(sample.protein.id, self._around, 2)
        if sample.secondary_structure is None:
            raise InputError(
                f"{sample.protein.id} has no secondary structure to choose pairs by: use "
                "evaluation/targets=nearby or single, a list (evaluation.targets.path=FILE.json), "
                "or a data set with structures"
            )
        centers = self.centers(sample.secondary_structure)
        pairs = [
            self._around(a, b)
            for n, a in enumerate(centers)
            for b in centers[n + 1 :]
            if self.nearest < b - a <= (self.farthest or len(scores)) and self._fits(a, b, scores)
        ]
        found = _dense(pairs, scores, self.threshold)
        return _drawn(found, self.most, self.seed, sample.protein.id)

    def centers(self, secondary_structure: str) -> list[int]:
        """The centers of the elements, in order."""
        longest = {"H": self.helix, "E": self.strand}
        found = re.finditer("H+|E+", secondary_structure)
        return [
            (run.start() + run.end()) // 2
            for run in found
            if run.end() - run.start() > longest[run.group()[0]]
        ]

    def _fits(self, first: int, second: int, scores: Float[ndarray, "L L"]) -> bool:
        reach = self.size // 2 + self.margin
        return first - reach > 0 and len(scores) - (second + reach + 1) > 0

    def _around(self, first: int, second: int) -> Block:
        reach = self.size // 2
        left, right = (Segment(at - reach, at + reach + 1) for at in (first, second))
        return Block(left, right)


@dataclass(frozen=True)
class Listed:
    """Blocks from a file, each by its rows and columns: start and end, start and end.

    Ends are exclusive; a block on the diagonal has the same rows and columns.
    """

    path: str

    @cached_property
    def listed(self) -> TargetList:
        """The list of targets."""
        return TargetList(self.path)

    def __call__(self, scores: Float[ndarray, "L L"], sample: Sample) -> list[Block]:
        """The targets of one protein."""
        return self.listed.blocks(sample.protein.id, self._between, 4)

    def _between(self, start: int, end: int, second: int, behind: int) -> Block:
        return Block(Segment(start, end), Segment(second, behind))


def _dense(
    blocks: Iterable[Block], scores: Float[ndarray, "L L"], threshold: float | None
) -> list[Block]:
    """The blocks whose scores add up to more than the threshold; all of them if there is none."""
    least = float("-inf") if threshold is None else threshold
    return [block for block in blocks if block.of(scores).sum(dtype=float) > least]


def _drawn(blocks: Sequence[Block], most: int, seed: int, identifier: str) -> list[Block]:
    """At most so many of the blocks, in the order in which they were drawn."""
    generator = np.random.default_rng(draw_seed(seed, identifier, "targets"))
    return [blocks[i] for i in draw(range(len(blocks)), most, generator)]
