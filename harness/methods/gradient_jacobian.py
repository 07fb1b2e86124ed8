"""The Jacobian by differentiation: how the logits change with an infinitesimal substitution."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from harness.alphabet import AMINO_ACIDS, MASK, encode
from harness.couplings import Centering, center_, contact_scores, symmetrize_
from harness.methods.perturbation import Symmetrized, directions, gathered, require
from harness.protein import Protein
from harness.protocols import Differentiable

Mode = Literal["reverse", "forward"]


@dataclass(frozen=True)
class GradientJacobian:
    """G[i, a, j, b] = ∂ logit_j,b / ∂ x_i,a at the sequence as it is, x its one-hot encoding.

    The categorical Jacobian to first order; of a Potts model both are the same. A pass in `mode`
    reverse gives all inputs of one output (j, b), in `forward` all outputs of one input (i, a).
    Either takes 20 passes a residue, or 19 where the amino acids are centered: the mean of twenty
    is never looked at. Besides, the sequence itself takes one pass, two in forward mode. There,
    hidden residues take none. The rows of a hidden residue are zero.
    """

    model: Differentiable
    mode: Mode
    center: Centering
    symmetrize: Symmetrized
    apc: bool

    def __post_init__(self) -> None:
        require("mode", self.mode, Mode)
        require("center", self.center, Centering)
        require("symmetrize", self.symmetrize, Symmetrized)

    def __call__(self, protein: Protein) -> Float[ndarray, "L L"]:
        """Contact scores: centered, symmetrized, Frobenius norm, average product correction."""
        jacobian = self._jacobian(protein)
        if self.symmetrize == "couplings":
            symmetrize_(jacobian)
        return contact_scores(jacobian, self.apc).cpu().numpy()

    def couplings(self, protein: Protein) -> Float[ndarray, "L 20 L 20"]:
        """The Jacobian, centered and symmetrized."""
        return symmetrize_(self._jacobian(protein)).cpu().numpy()

    def jacobian(self, protein: Protein) -> Float[ndarray, "L 20 L 20"]:
        """The Jacobian, centered."""
        return self._jacobian(protein).cpu().numpy()

    def passes(self, length: int) -> int:
        """Each direction at each residue, and before that the sequence itself, forward twice."""
        return (2 if self.mode == "forward" else 1) + len(directions(self.center)) * length

    def _jacobian(self, protein: Protein) -> Float[Tensor, "L 20 L 20"]:
        sequence = torch.from_numpy(encode(protein.sequence))
        hidden = sequence == MASK
        if self.mode == "forward":
            jacobian = self._passes(sequence, torch.nonzero(~hidden)[:, 0])
        else:
            jacobian = self._passes(sequence, torch.arange(len(sequence))).permute(2, 3, 0, 1)
            jacobian[hidden.to(jacobian.device)] = 0
        return center_(jacobian, self.center)

    def _passes(self, sequence: Tensor, sites: Tensor) -> Float[Tensor, "L 20 L 20"]:
        """Derivatives along every amino acid (axis 1) at each of the sites (axis 0)."""
        basis, length = directions(self.center), len(sequence)
        rows = sites.repeat_interleave(len(basis)), torch.arange(len(basis)).repeat(len(sites))
        derive = self.model.derivatives if self.mode == "forward" else self.model.gradients
        slices = derive(sequence, rows[0], basis[rows[1]])
        found = gathered(slices, rows, (length, len(AMINO_ACIDS), length, len(AMINO_ACIDS)))
        for block in found:  # from directions to amino acids, in place
            block.copy_(torch.einsum("da,djb->ajb", basis.to(block), block[: len(basis)]))
        return found
