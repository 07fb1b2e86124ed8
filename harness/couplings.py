"""From a coupling tensor to a contact map: centering, symmetrization, norm, correction.

A coupling tensor has shape (L, A, L, A): position and residue on either side. All functions
return new arrays and leave their arguments as they are.
"""

from typing import Literal

import numpy as np
from jaxtyping import Float
from numpy import ndarray

Centering = Literal["all", "amino_acids", "none"]
_AXES: dict[str, tuple[int, ...]] = {"all": (0, 1, 2, 3), "amino_acids": (1, 3), "none": ()}


def center(couplings: Float[ndarray, "L A L A"], over: Centering) -> Float[ndarray, "L A L A"]:
    """Couplings whose mean is zero along each chosen axis.

    `amino_acids` gives the zero-sum gauge of a Potts model (Weigt et al., PNAS 2009); `all` also
    centers over both positions, as the published script of Zhang et al. (PNAS 2024) does.
    """
    if over not in _AXES:
        raise ValueError(f"centering over {over!r}; allowed are {sorted(_AXES)}")
    centered = couplings.copy()
    for axis in _AXES[over]:
        centered -= centered.mean(axis=axis, keepdims=True)
    return centered


def symmetrize(couplings: Float[ndarray, "L A L A"]) -> Float[ndarray, "L A L A"]:
    """(J[i, a, j, b] + J[j, b, i, a]) / 2."""
    return (couplings + couplings.transpose(2, 3, 0, 1)) / 2


def frobenius_norm(couplings: Float[ndarray, "L A L A"]) -> Float[ndarray, "L L"]:
    """Norm of each A × A block (Ekeberg et al., Phys. Rev. E 2013, eq. 18)."""
    return np.sqrt(np.einsum("iajb,iajb->ij", couplings, couplings))


def zero_diagonal(scores: Float[ndarray, "L L"]) -> Float[ndarray, "L L"]:
    """The map with zeros on its diagonal."""
    scores = scores.copy()
    np.fill_diagonal(scores, 0)
    return scores


def average_product_correction(scores: Float[ndarray, "L L"]) -> Float[ndarray, "L L"]:
    """S_ij − S_i· S_·j / S_·· (Dunn, Wahl & Gloor, Bioinformatics 2008, eq. 5), as sums.

    A map whose total is zero has no background to correct and is returned unchanged.
    """
    total = scores.sum()
    if total == 0:
        return scores.copy()
    return scores - np.outer(scores.sum(axis=1), scores.sum(axis=0)) / total


def contact_scores(couplings: Float[ndarray, "L A L A"]) -> Float[ndarray, "L L"]:
    """Contact map of symmetric couplings: norm, zero diagonal, APC, zero diagonal."""
    norm = zero_diagonal(frobenius_norm(couplings))
    return zero_diagonal(average_product_correction(norm))
