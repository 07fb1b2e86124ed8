"""A symmetric matrix of couplings, and fields, as one flat vector without repetitions."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

BLOCK = 4
"""Positions in a block: with 21 states 84 columns, a width at which sums of rows are fastest."""


@dataclass(frozen=True)
class Tiles:
    """Where the couplings and fields of `length` positions with `states` states lie in a vector.

    B blocks of positions cut the matrix into B × B square tiles of width W = BLOCK · states; the
    last block may have positions that do not exist. The vector holds the tiles on and above the
    diagonal, column after column, then the fields. Tiles on the diagonal keep pairs i < j alone:
    no position is coupled to itself, and every other coupling is one number.
    """

    length: int
    states: int

    @property
    def blocks(self) -> int:
        """B."""
        return -(-self.length // BLOCK)

    @property
    def width(self) -> int:
        """W."""
        return BLOCK * self.states

    @property
    def size(self) -> int:
        """Length of the vector."""
        return self.blocks * (self.blocks + 1) // 2 * self.width**2 + self.blocks * self.width

    def couplings(self, vector: Float[Tensor, " P"]) -> Float[Tensor, "T W W"]:
        """A view of the tiles."""
        return vector[: -self.blocks * self.width].view(-1, self.width, self.width)

    def fields(self, vector: Float[Tensor, " P"]) -> Float[Tensor, "B W"]:
        """A view of the fields."""
        return vector[-self.blocks * self.width :].view(self.blocks, self.width)

    def above(self, block: int) -> slice:
        """The tiles of a column above the diagonal; the one on it follows."""
        start = block * (block + 1) // 2
        return slice(start, start + block)

    def column(self, couplings: Float[Tensor, "T W W"], block: int) -> Float[Tensor, "B W W"]:
        """All tiles of one column of the symmetric matrix."""
        column = couplings.new_empty(self.blocks, self.width, self.width)
        above = self.above(block)
        column[:block] = couplings[above]
        column[block] = couplings[above.stop] + couplings[above.stop].T
        column[block + 1 :] = couplings[self._beside(block, couplings.device)].transpose(1, 2)
        return column

    def add_column(
        self, couplings: Float[Tensor, "T W W"], block: int, column: Float[Tensor, "B W W"]
    ) -> None:
        """Add to each coupling the entries of the column that stand for it, one or two."""
        above = self.above(block)
        couplings[above] += column[:block]
        both = column[block] + column[block].T
        couplings[above.stop] += both * self._pairs(both)
        couplings[self._beside(block, couplings.device)] += column[block + 1 :].transpose(1, 2)

    def _beside(self, block: int, device: torch.device) -> Tensor:
        """Indices of the tiles of a row to the right of the diagonal."""
        later = torch.arange(block + 1, self.blocks, device=device)
        return later * (later + 1) // 2 + block

    def _pairs(self, tile: Float[Tensor, "W W"]) -> Float[Tensor, "W W"]:
        """1 where the positions i < j, else 0."""
        position = torch.arange(self.width, device=tile.device) // self.states
        return (position[:, None] < position).to(tile.dtype)
