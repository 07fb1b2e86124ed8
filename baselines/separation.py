"""A prior that looks at nothing but the distance along the chain."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from harness.protein import Protein


@dataclass(frozen=True)
class SeparationPrior:
    """Score 1 / |i − j|: near residues touch more often. What any method has to beat."""

    def __call__(self, protein: Protein) -> Float[ndarray, "L L"]:
        """Contact scores."""
        separation = np.abs(np.subtract.outer(np.arange(len(protein)), np.arange(len(protein))))
        return np.where(separation > 0, 1 / np.maximum(separation, 1), 0.0)
