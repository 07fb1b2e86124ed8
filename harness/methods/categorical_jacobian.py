"""The categorical Jacobian (Zhang et al., PNAS 2024): how each residue moves every logit."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from harness.alphabet import AMINO_ACIDS, MASK, encode
from harness.couplings import Centering, center, contact_scores, symmetrize
from harness.protein import Protein
from harness.protocols import PredictsLogits


@dataclass(frozen=True)
class CategoricalJacobian:
    """J[i, a, j, b] = logit_j,b(residue a at i) − logit_j,b(sequence as it is).

    The residue that stands at i already gives zero exactly, so 19 L + 1 forward passes suffice
    (20 where the residue is unknown). A hidden residue stays hidden: its rows are zero.
    `tokens_per_batch` bounds the residues that one forward pass takes.
    """

    model: PredictsLogits
    center: Centering
    tokens_per_batch: int

    def __post_init__(self) -> None:
        if self.tokens_per_batch < 1:
            raise ValueError(f"tokens_per_batch is {self.tokens_per_batch}; it must be positive")
        if self.center not in get_args(Centering):
            allowed = ", ".join(get_args(Centering))
            raise ValueError(f"center is {self.center!r}; allowed are {allowed}")

    def __call__(self, protein: Protein) -> Float[ndarray, "L L"]:
        """Contact scores: centered, symmetrized, Frobenius norm, average product correction."""
        return contact_scores(self.couplings(protein))

    def couplings(self, protein: Protein) -> Float[ndarray, "L 20 L 20"]:
        """The Jacobian, centered and symmetrized."""
        return symmetrize(center(self.jacobian(protein), self.center))

    def jacobian(self, protein: Protein) -> Float[ndarray, "L 20 L 20"]:
        """The Jacobian as it comes out of the model."""
        sequence = torch.from_numpy(encode(protein.sequence))
        baseline = self.model.logits(sequence[None])[0]
        dtype = torch.promote_types(baseline.dtype, torch.float32)
        jacobian = baseline.new_zeros((*baseline.shape, *baseline.shape), dtype=dtype)
        sites, residues = _substitutions(sequence)
        for chosen in self._batches(len(sites), len(sequence)):
            mutants = sequence.repeat(len(chosen), 1)
            mutants[torch.arange(len(chosen)), sites[chosen]] = residues[chosen]
            difference = self.model.logits(mutants) - baseline
            jacobian[sites[chosen], residues[chosen]] = difference.to(dtype)
        return jacobian.cpu().numpy()

    def _batches(self, n: int, length: int) -> Iterator[Int[Tensor, " B"]]:
        """Indices 0…n-1 in runs that fit the token budget, at least one at a time."""
        if n:
            yield from torch.arange(n).split(max(1, self.tokens_per_batch // length))


def _substitutions(sequence: Int[Tensor, " L"]) -> tuple[Int[Tensor, " M"], Int[Tensor, " M"]]:
    """Position and amino acid of every substitution of a visible residue by another."""
    different = torch.arange(len(AMINO_ACIDS))[None] != sequence[:, None]
    sites, residues = torch.nonzero(different & (sequence != MASK)[:, None], as_tuple=True)
    return sites, residues
