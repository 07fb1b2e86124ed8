"""The block norms of the gradient Jacobian, estimated from a few random projections."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from harness.alphabet import AMINO_ACIDS, MASK, encode
from harness.couplings import Centering, corrected_scores, frobenius_norm
from harness.methods.perturbation import directions, gathered, require
from harness.protein import Protein
from harness.protocols import Differentiable

_CENTERED: dict[str, tuple[int, ...]] = {"all": (0, 2, 3), "amino_acids": (3,), "none": ()}
"""Axes to center of projections [j, p, i, a]; the outputs' amino acids are by the directions."""


@dataclass(frozen=True)
class RandomizedJacobian:
    """Y[j, p, i, a] = Σ_b G[i, a, j, b] r_p,b of `projections` directions r_p, one set for all j.

    G is the gradient Jacobian (see `gradient_jacobian`). Each direction takes one backward pass a
    residue; nothing larger than Y is held. The directions are orthonormal and uniformly random
    (Haar) among the D = 19 contrasts of the amino acids, D = 20 without centering. Centering is
    exact: over b because contrasts have mean zero, over the other axes because the directions are
    the same for all of them.

    D / k · Σ_a,p Y² is an unbiased estimate of ‖G_ij‖², as E[Σ_p r_p r_pᵀ] = k / D. Its variance is

        2 D (D − k) / (k (D − 1) (D + 2)) · (‖A‖² − (tr A)² / D),   A = G_ijᵀ G_ij in D dimensions,

    because Σ_p r_p r_pᵀ − k / D is symmetric without trace, has the squared norm k (D − k) / D and
    no preferred direction among the (D − 1) (D + 2) / 2 of that kind. Independent directions
    (Hutchinson, Commun. Stat. Simul. 1990) leave 2 / k · ‖A‖² if normal, less its diagonal if ±1.
    So the error falls at least as 1/√k, as √((D − k) / k), and D directions leave none.

    Scores are symmetrized in two dimensions. Four need Σ_ab G_iajb G_jbia, which pairs the outputs
    of one block with the inputs of another, and Y has projected the outputs only. As many passes
    again, in forward mode along the same directions, would estimate it without bias.
    """

    model: Differentiable
    projections: int
    seed: int
    center: Centering
    apc: bool

    def __post_init__(self) -> None:
        require("center", self.center, Centering)
        most = len(directions(self.center))
        if not 1 <= self.projections <= most:
            raise ValueError(
                f"projections is {self.projections}; allowed are 1 to {most}, which leaves no error"
            )

    def __call__(self, protein: Protein) -> Float[ndarray, "L L"]:
        """Contact scores: roots of the estimates, symmetrized, average product correction."""
        return corrected_scores(self._norms(protein), self.apc).cpu().numpy()

    def squared_norms(self, protein: Protein) -> Float[ndarray, "L L"]:
        """Unbiased estimates of ‖G_ij‖², the centered block of inputs at i and outputs at j."""
        return self._norms(protein).T.square().cpu().numpy()

    def passes(self, length: int) -> int:
        """The sequence itself, and backward each projection at each residue."""
        return 1 + self.projections * length

    def _norms(self, protein: Protein) -> Float[Tensor, "L L"]:
        """Roots of the estimates; outputs at axis 0, inputs at axis 1."""
        projected = self._projected(protein)
        for axis in _CENTERED[self.center]:
            projected -= projected.mean(axis, keepdim=True)
        share = self.projections / len(directions(self.center))
        return frobenius_norm(projected) / share**0.5

    def _projected(self, protein: Protein) -> Float[Tensor, "L K L 20"]:
        sequence = torch.from_numpy(encode(protein.sequence))
        length, chosen = len(sequence), self._directions()
        sites = torch.arange(length).repeat_interleave(self.projections)
        columns = torch.arange(self.projections).repeat(length)
        slices = self.model.gradients(sequence, sites, chosen[columns])
        shape = (length, self.projections, length, len(AMINO_ACIDS))
        projected = gathered(slices, (sites, columns), shape)
        projected[:, :, (sequence == MASK).to(projected.device)] = 0
        return projected

    def _directions(self) -> Float[Tensor, "K 20"]:
        """The first rows of a uniformly random rotation (Mezzadri, Notices AMS 2007)."""
        basis = directions(self.center)
        generator = torch.Generator().manual_seed(self.seed)
        normal = torch.randn(len(basis), len(basis), dtype=basis.dtype, generator=generator)
        rotation, triangle = torch.linalg.qr(normal)
        return (rotation * triangle.diagonal().sign())[: self.projections] @ basis
