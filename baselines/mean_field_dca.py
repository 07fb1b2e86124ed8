"""Mean-field direct coupling analysis."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from baselines.covariance import covariance, inversion_memory, minus_inverse_
from baselines.family import Family, FamilyModel
from harness.alphabet import AMINO_ACIDS, N_STATES


@dataclass(frozen=True)
class MeanFieldDCA(FamilyModel):
    """Couplings e_ij(a, b) = −(C⁻¹)_ij(a, b) of a Potts model in the mean-field approximation.

    As in Morcos et al. (PNAS 2011): C is the covariance of the twenty amino acids after the share
    `pseudocount` of a uniform distribution over 21 states has been mixed in (λ / (λ + N_eff), so
    that 0.5 is the λ = N_eff of the paper), and the gap is the state whose couplings are zero. Then
    they get sums of zero over `centered_states`: 20, the amino acids (as the published programs do:
    Baldassi et al., PLoS ONE 2014; Zerihun et al., Bioinformatics 2020), which takes away what any
    residue in place of a gap has in common; or 21, with the gap, which then is left out. Scores are
    Frobenius norms after APC (Ekeberg et al., Phys. Rev. E 2013), not the direct information of
    the paper.
    """

    pseudocount: float
    centered_states: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.pseudocount < 1:
            given = f"pseudocount is {self.pseudocount}"
            raise ValueError(f"{given}; allowed are fractions between 0 and 1, both excluded")
        if self.centered_states not in (len(AMINO_ACIDS), N_STATES):
            given = f"centered_states is {self.centered_states}"
            raise ValueError(f"{given}; allowed are 20 (amino acids) and 21 (and the gap)")

    def fit(self, family: Family) -> Float[Tensor, "K 20 K 20"]:
        """Couplings between amino acids, centered."""
        upper = covariance(family, len(AMINO_ACIDS), self.pseudocount)
        couplings = minus_inverse_(upper, "raise method.pseudocount")
        return _zero_sum_(torch.from_numpy(couplings), self.centered_states)

    def memory(self, rows: int, columns: int) -> int:
        """Bytes at the peak: 8 · (20 K)² for one matrix in double precision, and little besides."""
        return inversion_memory(rows, columns, len(AMINO_ACIDS))


def _zero_sum_(couplings: Float[Tensor, "K 20 K 20"], states: int) -> Float[Tensor, "K 20 K 20"]:
    """The couplings after both centerings over so many states; those beyond 20 are zero."""
    for row in couplings:
        means = row.sum(dim=2, keepdim=True) / states
        over_both = means.sum(dim=0, keepdim=True) / states
        row -= means + row.sum(dim=0, keepdim=True) / states - over_both
    return couplings
