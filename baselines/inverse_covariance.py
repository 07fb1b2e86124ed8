"""Inverse covariance of an alignment: the multivariate Gaussian model of coevolution."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from baselines.covariance import covariance, inversion_memory, minus_inverse_
from baselines.family import Family, FamilyModel
from harness.alphabet import AMINO_ACIDS, N_STATES


@dataclass(frozen=True)
class InverseCovariance(FamilyModel):
    """Couplings = −(C + ridge/√N)⁻¹ of the one-hot alignment with 21 states.

    As in the published script of Zhang et al. (PNAS 2024), where `ridge` is 4.5, every sequence
    counts the same, and N is their number; with weights it is the sum of them. `pseudocount` is
    the share of a uniform distribution that is mixed in before (0 = none, as published).
    """

    ridge: float
    pseudocount: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.ridge < math.inf:
            raise ValueError(f"ridge is {self.ridge}; it must be positive")
        if not 0 <= self.pseudocount < 1:
            given = f"pseudocount is {self.pseudocount}"
            raise ValueError(f"{given}; allowed are fractions from 0 up to, but not, 1")

    def fit(self, family: Family) -> Float[Tensor, "K 20 K 20"]:
        """Couplings between amino acids: a view that leaves out the gap of a tensor with 21."""
        upper = covariance(family, N_STATES, self.pseudocount)
        np.einsum("iaia->ia", upper)[:] += self.ridge / math.sqrt(family.neff)
        couplings = minus_inverse_(upper, "raise method.ridge")
        return torch.from_numpy(couplings)[:, : len(AMINO_ACIDS), :, : len(AMINO_ACIDS)]

    def memory(self, rows: int, columns: int) -> int:
        """Bytes at the peak: 8 · (21 K)² for one matrix in double precision, and little besides."""
        return inversion_memory(rows, columns, N_STATES)
