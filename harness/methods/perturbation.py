"""What is done to a residue, and how the answers are put together; for all Jacobians."""

import math
from collections.abc import Iterable
from typing import Literal, get_args

import torch
from jaxtyping import Float, Int
from torch import Tensor

from harness.alphabet import AMINO_ACIDS, MASK, encode
from harness.couplings import Centering
from harness.device import require_memory

Slices = Iterable[tuple[slice, Tensor]]
Symmetrized = Literal["couplings", "scores"]
"""In four dimensions, before the norm; or in two, after it."""


def require(name: str, given: str, choices: object) -> None:
    """Raise ValueError unless the value is among those of a Literal."""
    if given not in get_args(choices):
        raise ValueError(f"{name} is {given!r}; allowed are {', '.join(get_args(choices))}")


def directions(center: Centering) -> Float[Tensor, "D 20"]:
    """Orthonormal directions that say all there is to say of an amino-acid axis, in float64.

    The twenty amino acids; or, where their mean is going to be subtracted, 19 contrasts between
    them (Helmert's: each against the mean of those before it), which saves a twentieth.
    """
    n = len(AMINO_ACIDS)
    if center == "none":
        return torch.eye(n, dtype=torch.float64)
    contrasts = torch.tril(torch.ones(n, n, dtype=torch.float64), -1)[1:]
    contrasts[torch.arange(n - 1), torch.arange(1, n)] = -torch.arange(1.0, n, dtype=torch.float64)
    return contrasts / contrasts.norm(dim=1, keepdim=True)


def substitutions(
    sequence: Int[Tensor, " L"], letters: str
) -> tuple[Int[Tensor, " M"], Int[Tensor, " M"]]:
    """Position and amino acid, one of the letters, of every substitution, by position.

    The residue that is there is no substitute, and a hidden residue has none.
    """
    choice = torch.from_numpy(encode(letters))
    different = (choice != sequence[:, None]) & (sequence != MASK)[:, None]
    sites, columns = torch.nonzero(different, as_tuple=True)
    return sites, choice[columns]


def gathered(
    slices: Slices, rows: tuple[Int[Tensor, " M"], Int[Tensor, " M"]], shape: tuple[int, ...]
) -> Tensor:
    """One tensor with answer m at [rows[0][m], rows[1][m]] and zeros elsewhere, float32 at least.

    It lies on the device of the answers.
    """
    tensor = None
    for part, answers in slices:
        if tensor is None:
            precise = torch.promote_types(answers.dtype, torch.float32)
            require_memory(
                math.prod(shape) * precise.itemsize,
                answers.device,
                f"a tensor of {' × '.join(map(str, shape))} derivatives",
                "use shorter windows (windows=overlapping windows.size=N) or a larger device",
            )
            tensor = answers.new_zeros(shape, dtype=precise)
        tensor[rows[0][part], rows[1][part]] = answers.to(tensor.dtype)
    return torch.zeros(shape) if tensor is None else tensor
