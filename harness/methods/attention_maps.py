"""Attention maps of a protein as the methods of this folder read them."""

import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from harness.alphabet import encode
from harness.contact_regression import contact_features
from harness.couplings import zero_diagonal
from harness.device import require_memory
from harness.protein import Protein
from harness.protocols import ExposesAttention

_COPIES = 4
"""Tensors as large as the maps that exist beside them: sum, background, difference, result."""


def attention_maps(
    model: ExposesAttention, protein: Protein, apc: bool
) -> Float[Tensor, "N H L L"]:
    """A + Aᵀ of every head in float32, each after average product correction if asked for."""
    maps = model.attention(torch.from_numpy(encode(protein.sequence)))
    require_memory(
        _COPIES * maps.nbytes,
        maps.device,
        f"the correction of {maps.shape[0]} × {maps.shape[1]} maps of {len(protein)} residues",
        "use shorter windows (windows=overlapping windows.size=N) or a larger device",
    )
    return contact_features(maps) if apc else maps.float() + maps.float().mT


def as_scores(scores: Float[Tensor, "L L"]) -> Float[ndarray, "L L"]:
    """The map as a method returns it: exactly symmetric, with a zero diagonal."""
    return zero_diagonal((scores + scores.T) / 2).cpu().numpy()
