"""A prior that looks at nothing but the distance along the chain."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from harness.metrics import separations
from harness.protein import Protein


@dataclass(frozen=True)
class SeparationPrior:
    """Score 1 / |i − j|: near residues touch more often. What any method has to beat.

    Residues of different chains have no separation, and score 0.
    """

    def __call__(self, protein: Protein) -> Float[ndarray, "L L"]:
        """Contact scores."""
        separation = np.abs(separations(len(protein), protein.breaks))
        return np.where(separation > 0, 1 / np.fmax(separation, 1), 0.0)
