"""Which residues stay visible: of a protein as a whole, or step by step around a block of its map.

Draws are reproducible across machines: the seed of each is made of the configured one and of what
it is drawn for, and is recorded.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from harness.blocks import Block, Segment
from harness.protein import Protein

Sides = Literal["both", "left", "right"]
Direction = Literal["outward", "inward", "both"]


@dataclass(frozen=True)
class Unmasked:
    """Every residue stays visible."""

    def __call__(self, protein: Protein) -> Protein:
        """The protein itself."""
        return protein


@dataclass(frozen=True)
class Fraction:
    """A random share of the residues is hidden, rounded to whole residues."""

    hidden: float
    seed: int

    def __post_init__(self) -> None:
        if not 0 <= self.hidden <= 1:
            raise ValueError(f"hidden is {self.hidden}; allowed are 0 to 1")

    def __call__(self, protein: Protein) -> Protein:
        """The protein with that share hidden."""
        shown = len(protein) - round(self.hidden * len(protein))
        generator = np.random.default_rng(draw_seed(self.seed, protein.id))
        return protein.masked(draw(range(len(protein)), shown, generator))


@dataclass(frozen=True)
class Step:
    """What is shown at one step: `visible` residues, those of the block among them.

    Beside the block are shown `flank` residues a side, or as many elsewhere, drawn with the seed
    `draw` (0: not drawn).
    """

    flank: int
    visible: tuple[int, ...]
    draw: int = 0


@dataclass(frozen=True)
class Flank:
    """The block's segments are shown with ever longer flanks, until one reaches an end.

    The flanks of a single segment are on its `left` and `right` (before and behind it). Of two
    segments, `left` and `right` are the first and the second, and each grows `outward` (away from
    the other), `inward` (until they meet) or `both` ways (outward only, once they have met). A side
    that does not grow shows `other` residues.
    """

    sides: Sides
    direction: Direction
    other: int

    def __post_init__(self) -> None:
        for name, kind in (("sides", Sides), ("direction", Direction)):
            if getattr(self, name) not in get_args(kind):
                allowed = ", ".join(get_args(kind))
                raise ValueError(f"{name} is {getattr(self, name)!r}; allowed are {allowed}")
        if self.other < 0:
            raise ValueError(f"other is {self.other}; allowed are 0 and more")

    def steps(self, protein: Protein, block: Block) -> Iterator[Step]:
        """From no flank to the longest."""
        block.require_within(protein)
        everywhere = set(range(len(protein)))
        for flank in range(self._longest(len(protein), block) + 1):
            shown = set(block.residues)
            for segment, side in self._flanks(block):
                n = flank if self._grows(side, block, segment) else self.other
                shown.update(_beside(block, segment, side, n) & everywhere)
            yield Step(flank, tuple(sorted(shown)))

    def _flanks(self, block: Block) -> list[tuple[Segment, str]]:
        """Each segment with the sides of it where there is a flank."""
        if block.on_diagonal:
            return [(block.rows, "left"), (block.rows, "right")]
        outer = [(block.rows, "left"), (block.columns, "right")]
        inner = [(block.rows, "right"), (block.columns, "left")]
        return {"outward": outer, "inward": inner, "both": outer + inner}[self.direction]

    def _grows(self, side: str, block: Block, segment: Segment) -> bool:
        """Whether the flank on this side of the segment is one that gets longer."""
        name = side if block.on_diagonal else "left" if segment == block.rows else "right"
        return self.sides in ("both", name)

    def _longest(self, length: int, block: Block) -> int:
        """The longest flank for which there is room on each growing side."""
        growing = [pair for pair in self._flanks(block) if self._grows(pair[1], block, pair[0])]
        room = {"left": block.rows.start, "right": length - block.columns.end}
        ends = {(block.rows, "left"), (block.columns, "right")}
        outer = [room[side] for segment, side in growing if (segment, side) in ends]
        between = block.columns.start - block.rows.end
        return min(outer) if outer else -(-between // len(growing))


@dataclass(frozen=True)
class RandomPlaces:
    """Beside the block, as many residues are shown as the flanks of `like` would show, anywhere.

    None of them are within `far` residues of its segments. Each step draws anew; the steps end
    where there are not enough places.
    """

    like: Flank
    far: int
    seed: int

    def __post_init__(self) -> None:
        if self.far < 0:
            raise ValueError(f"far is {self.far}; allowed are 0 and more")

    def steps(self, protein: Protein, block: Block) -> Iterator[Step]:
        """From no other residue to the most."""
        own = block.residues
        near = {
            i
            for segment in block.segments
            for i in range(segment.start - self.far, segment.end + self.far)
        }
        places = [i for i in range(len(protein)) if i not in near]
        for step in self.like.steps(protein, block):
            wanted = len(step.visible) - len(own)
            if wanted > len(places):
                return
            seed = draw_seed(self.seed, protein.id, str(block), str(step.flank))
            drawn = draw(places, wanted, np.random.default_rng(seed))
            yield Step(step.flank, tuple(sorted([*own, *drawn])), seed)


def draw_seed(seed: int, *what: str) -> int:
    """A seed for one draw: 48 bits, so that a table of floating-point numbers holds it exactly."""
    return int.from_bytes(hashlib.sha256("|".join([str(seed), *what]).encode()).digest()[:6])


def draw(places: Sequence[int], n: int, generator: np.random.Generator) -> list[int]:
    """That many of the places, each as likely as any other, without replacement."""
    order = np.argsort(generator.random(len(places)), kind="stable")
    return [places[i] for i in order[:n]]


def _beside(block: Block, segment: Segment, side: str, flank: int) -> set[int]:
    """So many positions before or behind a segment; between two, those up to the other."""
    if side == "left":
        nearest = block.rows.end if segment != block.rows else segment.start - flank
        return set(range(max(nearest, segment.start - flank), segment.start))
    nearest = block.columns.start if segment != block.columns else segment.end + flank
    return set(range(segment.end, min(nearest, segment.end + flank)))
