"""The regression that turns attention maps into contacts, and the file it is published in.

{"model": {"contact_head.regression.weight": (1, N · H), "contact_head.regression.bias": (1,)}},
beside NAME.pt as NAME-contact-regression.pt (fair-esm, esm.pretrained).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from harness.couplings import average_product_correction
from harness.errors import InputError
from harness.torch_files import read_torch

WEIGHT, BIAS = "contact_head.regression.weight", "contact_head.regression.bias"


@dataclass(frozen=True, eq=False)
class ContactRegression:
    """Logistic regression on maps of `contact_features`, channel n · H + h for head h of layer n.

    `weight` (C,) and `bias` () are on the CPU, in float32.
    """

    weight: Float[Tensor, " C"]
    bias: Float[Tensor, ""]

    def __call__(self, attention: Float[Tensor, "N H L L"]) -> Float[Tensor, "L L"]:
        """Probabilities of contact (Rao et al., ICLR 2021), in float32, where the maps are."""
        weights = self.weight.view(attention.shape[:2]).to(attention.device)
        logits = self.bias.to(attention.device)
        for maps, each in zip(attention, weights, strict=True):  # all layers at once need more room
            logits = logits + torch.tensordot(each, contact_features(maps), 1)
        return torch.sigmoid(logits)


def contact_features(attention: Float[Tensor, "... L L"]) -> Float[Tensor, "... L L"]:
    """A + Aᵀ after average product correction, for each map A, in float32."""
    maps = attention.float()
    return average_product_correction(maps + maps.mT)


def regression_path(checkpoint: Path) -> Path:
    """Where the regression of a checkpoint lies."""
    return checkpoint.with_name(f"{checkpoint.stem}-contact-regression.pt")


def regression_in(tensors: Mapping[str, Tensor], source: Path) -> ContactRegression:
    """The regression among these tensors; InputError naming the source when they do not fit."""
    absent = [name for name in (WEIGHT, BIAS) if not isinstance(tensors.get(name), Tensor)]
    if absent:
        raise InputError(f"{source}: no contact regression: {', '.join(absent)} is missing")
    weight, bias = tensors[WEIGHT], tensors[BIAS]
    if weight.ndim != 2 or len(weight) != 1 or bias.shape != (1,):
        raise InputError(
            f"{source}: {WEIGHT} has shape {tuple(weight.shape)} and {BIAS} {tuple(bias.shape)}; "
            "expected (1, layers × heads) and (1,)"
        )
    if not (weight.is_floating_point() and bias.is_floating_point()):
        raise InputError(f"{source}: {WEIGHT} and {BIAS} must be floating-point numbers")
    return ContactRegression(  # copies: the file may change, or go, from now on
        weight[0].to(torch.float32, copy=True), bias[0].to(torch.float32, copy=True)
    )


def read_regression(path: Path) -> ContactRegression:
    """The regression of a file; only tensors and plain values are unpickled.

    Raises InputError when the file cannot be read, or holds something else.
    """
    content = read_torch(path, "a contact regression")
    tensors = content.get("model") if isinstance(content, dict) else None
    return regression_in(tensors if isinstance(tensors, dict) else {}, path)


def write_regression(regression: ContactRegression, path: Path, fit: Mapping[str, Any]) -> None:
    """Write the published layout, with plain values beside it that say how it was fitted."""
    model = {WEIGHT: regression.weight[None], BIAS: regression.bias[None]}
    torch.save({"model": model, "fit": dict(fit)}, path)
