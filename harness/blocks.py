"""Parts of a contact map: segments of a chain, the blocks between them, and their scores."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jaxtyping import Float
from numpy import ndarray

from harness.errors import InputError
from harness.protein import Protein
from harness.protocols import ContactMethod, ScoresBlocks


@dataclass(frozen=True, order=True)
class Segment:
    """Residues `start` to `end` - 1. Raises InputError when there is none."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise InputError(
                f"a segment of residues {self.start} to {self.end - 1} (counted from 0) holds none"
            )

    def __len__(self) -> int:
        return self.end - self.start

    @property
    def center(self) -> int:
        """The residue in the middle, the right one of two."""
        return (self.start + self.end) // 2


@dataclass(frozen=True, order=True)
class Block:
    """Scores of the residues of `rows` with those of `columns`.

    Either one segment with itself, a block on the diagonal; or two, the first of which ends before
    the second begins. Raises InputError for anything else.
    """

    rows: Segment
    columns: Segment

    def __post_init__(self) -> None:
        if self.rows != self.columns and self.rows.end > self.columns.start:
            raise InputError(f"{self.rows} and {self.columns} overlap, or are not in order")

    def __str__(self) -> str:
        return "–".join(f"{segment.start}:{segment.end}" for segment in self.segments)

    @property
    def on_diagonal(self) -> bool:
        """Whether it is one segment with itself."""
        return self.rows == self.columns

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The one or two segments."""
        return (self.rows,) if self.on_diagonal else (self.rows, self.columns)

    @property
    def residues(self) -> list[int]:
        """Positions of all its residues, in order."""
        return [i for part in self.segments for i in range(part.start, part.end)]

    def of(self, scores: Float[ndarray, "L L"]) -> Float[ndarray, "R C"]:
        """This part of a map."""
        return scores[self.rows.start : self.rows.end, self.columns.start : self.columns.end]

    def require_within(self, protein: Protein) -> None:
        """Nothing; raises InputError when the protein ends before the block does."""
        if self.columns.end > len(protein):
            raise InputError(
                f"block {self} lies beyond the end of {protein.id}, which has {len(protein)} "
                "residues (positions count from 0)"
            )


def blocks_of(
    method: ContactMethod, proteins: Sequence[Protein], block: Block
) -> Iterator[Float[ndarray, "R C"]]:
    """One block of the map of each protein, in order; whole maps where the method makes no less."""
    if isinstance(method, ScoresBlocks):
        yield from method.blocks(proteins, block)
    else:
        yield from (block.of(method(protein)) for protein in proteins)
