"""From a coupling tensor to a contact map: centering, symmetrization, norm, correction.

A coupling tensor has shape (L, A, L, A): position and residue on either side. It may be large, so
functions whose name ends in an underscore change it in place, and none needs more than a small
part of its memory besides. Everything runs on the device where the tensor is.
"""

from collections.abc import Iterator
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

Centering = Literal["all", "amino_acids", "none"]
_AXES: dict[str, tuple[int, ...]] = {
    "all": (0, 1, 2, 3),
    "amino_acids": (1, 3),
    "none": (),
}


def center_(couplings: Float[Tensor, "L A L A"], over: Centering) -> Float[Tensor, "L A L A"]:
    """The couplings, made to have mean zero along each chosen axis.

    `amino_acids` gives the zero-sum gauge of a Potts model (Weigt et al., PNAS 2009); `all` also
    centers over both positions, as the published script of Zhang et al. (PNAS 2024) does.
    """
    if over not in _AXES:
        raise ValueError(f"centering over {over!r}; allowed are {sorted(_AXES)}")
    precise = torch.promote_types(couplings.dtype, torch.float32)
    for axis in _AXES[over]:
        couplings -= couplings.mean(axis, keepdim=True, dtype=precise)
    return couplings


def symmetrize_(couplings: Float[Tensor, "L A L A"]) -> Float[Tensor, "L A L A"]:
    """The couplings, replaced by (J[i, a, j, b] + J[j, b, i, a]) / 2."""
    for rows in _blocks(len(couplings)):
        right = couplings[rows, :, rows.start :]
        below = couplings[rows.start :, :, rows].permute(2, 3, 0, 1)
        mean = (right + below) / 2
        right.copy_(mean)
        below.copy_(mean)
    return couplings


def frobenius_norm(couplings: Float[Tensor, "L A L A"]) -> Float[Tensor, "L L"]:
    """Norm of each A × A block (Ekeberg et al., Phys. Rev. E 2013, eq. 18), at least float32."""
    precise = torch.promote_types(couplings.dtype, torch.float32)
    blocks = (couplings[rows] for rows in _blocks(len(couplings)))
    norms = [torch.linalg.vector_norm(block, dim=(1, 3), dtype=precise) for block in blocks]
    return torch.cat(norms)


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


def contact_scores(
    couplings: Float[Tensor, "L A L A"], apc: bool = True
) -> Float[Tensor, "L L"]:
    """Contact map of couplings, in float64: norm, zero diagonal, APC unless told not to, zero
    diagonal, mean with its transpose (which changes nothing when the couplings are symmetric)."""
    scores = zero_diagonal(frobenius_norm(couplings).double())
    if apc:
        scores = zero_diagonal(average_product_correction(scores))
    return (scores + scores.T) / 2


def _blocks(length: int) -> Iterator[slice]:
    """Rows in some thirty blocks, so that a copy of one is small beside the whole."""
    rows = max(1, length // 32)
    return (slice(start, min(start + rows, length)) for start in range(0, length, rows))
