"""From a coupling tensor to a contact map: centering, symmetrization, norm, correction.

A coupling tensor has shape (L, A, L, A): position and residue on either side. It may be large, so
functions whose name ends in an underscore change it in place, and none needs more than a small
part of its memory besides. Everything runs on the device where the tensor is.
"""

from collections.abc import Iterator
from typing import Literal

import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

Centering = Literal["all", "amino_acids", "none"]
_WITHIN: dict[str, tuple[int, ...]] = {"all": (1, 2, 3), "amino_acids": (1, 3), "none": ()}
"""Axes to center that lie within the rows of one position."""


def center_(couplings: Float[Tensor, "L A M A"], over: Centering) -> Float[Tensor, "L A M A"]:
    """The couplings (or some columns of them), made to have mean zero along each chosen axis.

    `amino_acids` gives the zero-sum gauge of a Potts model (Weigt et al., PNAS 2009); `all` also
    centers over both positions, as the published script of Zhang et al. (PNAS 2024) does.
    """
    if over not in _WITHIN:
        raise ValueError(f"centering over {over!r}; allowed are {sorted(_WITHIN)}")
    mean = _mean_row(couplings) if over == "all" else None
    for rows in _blocks(len(couplings)):
        _center_rows_(couplings[rows], mean, _WITHIN[over])
    return couplings


def _mean_row(couplings: Float[Tensor, "L A M A"]) -> Float[Tensor, "A M A"]:
    """Mean over the first axis, at least float32."""
    total = torch.zeros(couplings.shape[1:], dtype=_precise(couplings), device=couplings.device)
    for rows in _blocks(len(couplings)):
        total += couplings[rows].sum(0, dtype=total.dtype)
    return total / len(couplings)


def _center_rows_(
    block: Float[Tensor, "R A M A"], mean: Float[Tensor, "A M A"] | None, axes: tuple[int, ...]
) -> None:
    """Subtract the mean row and what remains of the means along these axes; rounds once."""
    centered = block.to(_precise(block))
    if mean is not None:
        centered -= mean
    for axis in axes:
        centered -= centered.mean(axis, keepdim=True)
    block.copy_(centered)


def symmetrize_(couplings: Float[Tensor, "L A L A"]) -> Float[Tensor, "L A L A"]:
    """The couplings, replaced by (J[i, a, j, b] + J[j, b, i, a]) / 2."""
    for rows in _blocks(len(couplings)):
        right = couplings[rows, :, rows.start :]
        below = couplings[rows.start :, :, rows].permute(2, 3, 0, 1)
        mean = (right + below).div_(2)
        right.copy_(mean)
        below.copy_(mean)
    return couplings


def frobenius_norm(couplings: Float[Tensor, "L A L B"]) -> Float[Tensor, "L L"]:
    """Norm of each A × B block (Ekeberg et al., Phys. Rev. E 2013, eq. 18), at least float32."""
    norms = torch.empty(couplings.shape[::2], dtype=_precise(couplings), device=couplings.device)
    for rows in _blocks(len(couplings)):
        norms[rows] = torch.linalg.vector_norm(couplings[rows], dim=(1, 3), dtype=norms.dtype)
    return norms


def zero_diagonal(scores: Float[Tensor, "... L L"]) -> Float[Tensor, "... L L"]:
    """The maps with zeros on their diagonals."""
    return scores * (1 - torch.eye(scores.shape[-1], dtype=scores.dtype, device=scores.device))


def average_product_correction(scores: Float[Tensor, "... L L"]) -> Float[Tensor, "... L L"]:
    """S_ij − S_i· S_·j / S_·· (Dunn, Wahl & Gloor, Bioinformatics 2008, eq. 5), as sums.

    A map whose total is zero has no background to correct and is returned unchanged.
    """
    rows, columns = scores.sum(-1, keepdim=True), scores.sum(-2, keepdim=True)
    total = rows.sum(-2, keepdim=True)
    background = rows * columns / torch.where(total == 0, 1, total)
    return torch.where(total == 0, scores, scores - background)


def contact_scores(couplings: Float[Tensor, "L A L A"], apc: bool = True) -> Float[Tensor, "L L"]:
    """Contact map of couplings: the norms of their blocks, corrected."""
    return corrected_scores(frobenius_norm(couplings), apc)


def corrected_map(couplings: Float[ndarray, "L A L A"]) -> Float[ndarray, "L L"]:
    """Contact map of couplings that a method has given: norms of their blocks, after the APC."""
    return contact_scores(torch.from_numpy(couplings)).numpy()


def corrected_scores(norms: Float[Tensor, "L L"], apc: bool) -> Float[Tensor, "L L"]:
    """Contact map of norms, symmetric, in float64: zero diagonal, APC if asked for, zero diagonal.

    The mean with the transpose comes last; it changes nothing when the norms are symmetric.
    """
    scores = zero_diagonal(norms.cpu().double())  # Apple's device has no float64
    if apc:
        scores = zero_diagonal(average_product_correction(scores))
    return (scores + scores.T) / 2


def _precise(tensor: Tensor) -> torch.dtype:
    """What sums of this tensor are computed in."""
    return torch.promote_types(tensor.dtype, torch.float32)


def _blocks(length: int) -> Iterator[slice]:
    """Rows in some sixty blocks, so that a copy of one is small beside the whole."""
    rows = max(1, length // 64)
    return (slice(start, min(start + rows, length)) for start in range(0, length, rows))
