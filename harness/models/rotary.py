"""Rotary positions: queries and keys are turned by where they stand."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


class RotaryEmbedding(nn.Module):
    """Rotation of queries and keys by their positions (Su et al., 2021)."""

    inv_freq: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("inv_freq", frequencies(dim))
        self._positions = self._turns = torch.empty(0)

    def forward(self, positions: Int[Tensor, " T"]) -> Tensor:
        """Cosine and sine of position · frequency, (T, 1, D/2, 2); kept for the next call."""
        if positions is not self._positions:
            with torch.inference_mode(False), torch.no_grad():
                angles = torch.outer(positions, self.inv_freq.float())
                self._turns = torch.stack((angles.cos(), angles.sin()), dim=-1)[:, None]
            self._positions = positions
        return self._turns


def frequencies(dim: int) -> Float[Tensor, " half"]:
    """How fast each pair of channels turns, in radians per position."""
    return 1 / 10000 ** (torch.arange(0, dim, 2).float() / dim)


def rotate(x: Float[Tensor, "... H D"], turns: Tensor) -> Float[Tensor, "... H D"]:
    """The vectors turned; channels j and j + D/2, a pair, come back side by side.

    Queries and keys are reordered alike, which no product of the two can see. The complex product
    is several times as fast as products of halves; there is none in half precision, compiled or on
    MPS.
    """
    first, second = x.chunk(2, dim=-1)
    complex_there = x.dtype in (torch.float32, torch.float64) and x.device.type != "mps"
    if complex_there and not torch.compiler.is_compiling():
        return torch.view_as_real(
            torch.complex(first, second).mul_(torch.view_as_complex(turns))
        ).flatten(-2)
    cos, sin = turns.to(x.dtype).unbind(-1)
    return torch.stack((first * cos - second * sin, second * cos + first * sin), -1).flatten(-2)
