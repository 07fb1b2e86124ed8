"""The pairs of residues that couplings tie most, and the couplings between their amino acids."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from harness.errors import InputError
from harness.metrics import separations
from harness.protein import Protein
from harness.protocols import ContactMethod, CouplingMethod


@dataclass(frozen=True, eq=False)
class CoupledPairs:
    """Pairs i < j (0-based), best first."""

    i: Int[ndarray, " P"]
    j: Int[ndarray, " P"]

    def __len__(self) -> int:
        return len(self.i)

    def top(self, n: int) -> "CoupledPairs":
        """The n best of them, or all when they are fewer."""
        return CoupledPairs(self.i[:n], self.j[:n])

    def blocks(self, couplings: Float[ndarray, "L 20 L 20"]) -> Float[ndarray, "P 20 20"]:
        """Couplings of residue a at i with residue b at j, of each pair; nothing else is copied."""
        return couplings[self.i, :, self.j, :].astype(np.float64)

    def shared_with(self, others: "CoupledPairs") -> float:
        """Share of these that are among the others; NaN of none."""
        own = set(zip(self.i.tolist(), self.j.tolist(), strict=True))
        theirs = set(zip(others.i.tolist(), others.j.tolist(), strict=True))
        return len(own & theirs) / len(own) if own else float("nan")


@dataclass(frozen=True, eq=False)
class PairCouplings:
    """The couplings of residues i and j (0-based) by a method and by the reference `against`."""

    i: int
    j: int
    method: Float[ndarray, "20 20"]
    reference: Float[ndarray, "20 20"]
    against: str


def couplings_of(method: ContactMethod, protein: Protein) -> Float[ndarray, "L 20 L 20"]:
    """The method's couplings; InputError for a method that has none."""
    if not isinstance(method, CouplingMethod):
        raise InputError(
            f"{type(method).__name__} gives contact scores without couplings, and this evaluation "
            "compares couplings: choose method=categorical_jacobian, gradient_jacobian, "
            "inverse_covariance, gremlin or mean_field_dca, with windows=none"
        )
    return method.couplings(protein)


def far_enough(protein: Protein, separation: int) -> Bool[ndarray, "L L"]:
    """Which pairs i < j are so many residues apart, or of two chains."""
    apart = ~(separations(len(protein), protein.breaks) < separation)
    return np.triu(apart, k=1)


def rank_coupled(scores: Float[ndarray, "L L"], among: Bool[ndarray, "L L"]) -> CoupledPairs:
    """These pairs i < j by descending score, ties by i, then j."""
    i, j = np.nonzero(np.triu(among, k=1))
    order = np.argsort(-scores[i, j], kind="stable")
    return CoupledPairs(i[order], j[order])


def above(blocks: Float[ndarray, "P 20 20"], sigmas: float) -> Bool[ndarray, "P 20 20"]:
    """Which entries are larger than so many σ, whatever their sign.

    σ is the root mean square of all of them (Zhang et al., PNAS 2024: a standard deviation around
    zero). Of no entry, none.
    """
    sigma = np.linalg.norm(blocks) / np.sqrt(max(1, blocks.size))
    return np.abs(blocks) > sigmas * sigma
