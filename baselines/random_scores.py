"""Random scores: the precision that guessing reaches."""

import hashlib
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from harness.protein import Protein


@dataclass(frozen=True)
class RandomScores:
    """Independent uniform scores, the same for the same seed and protein id."""

    seed: int

    def __call__(self, protein: Protein) -> Float[ndarray, "L L"]:
        """Contact scores."""
        name = hashlib.sha256(protein.id.encode()).digest()
        generator = np.random.default_rng([self.seed, int.from_bytes(name[:8], "big")])
        upper = np.triu(generator.random((len(protein), len(protein))), k=1)
        return upper + upper.T
