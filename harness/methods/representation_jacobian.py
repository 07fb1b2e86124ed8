"""The Jacobian of the hidden states: how each residue moves the representation of every other."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from harness.alphabet import AMINO_ACIDS, encode
from harness.couplings import corrected_scores
from harness.methods.perturbation import Slices, require, substitutions
from harness.protein import Protein
from harness.protocols import ExposesHidden

Centering = Literal["amino_acids", "none"]


@dataclass(frozen=True)
class RepresentationJacobian:
    """D[i, a, j, :] = h_j(residue a at i) − h_j(sequence as it is), h the states after `layer`.

    No layer means the last. The residue that is there gives zero, so 19 L + 1 passes through the
    first `layer` layers suffice (20 where the residue is unknown); a hidden residue stays hidden,
    and its rows are zero. Positions are worked off one after the other: the tensor is never held.
    """

    model: ExposesHidden
    layer: int | None
    center: Centering
    apc: bool

    def __post_init__(self) -> None:
        require("center", self.center, Centering)
        if not 1 <= self._layer <= self.model.n_layers:
            raise ValueError(
                f"layer is {self.layer}; allowed are 1 to {self.model.n_layers} and null, the "
                "last (after layer 0, the embeddings, no residue knows of another)"
            )

    def __call__(self, protein: Protein) -> Float[ndarray, "L L"]:
        """Contact scores: centered over a, norm over a and channels, symmetrized, APC."""
        return corrected_scores(self._norms(protein), self.apc).cpu().numpy()

    def norms(self, protein: Protein) -> Float[ndarray, "L L"]:
        """Norm of D[i, :, j, :], how far substitutions at i move the state of j."""
        return self._norms(protein).cpu().numpy()

    def passes(self, length: int) -> int:
        """The sequence itself, and every other amino acid at each residue."""
        return 1 + (len(AMINO_ACIDS) - 1) * length

    @property
    def _layer(self) -> int:
        return self.model.n_layers if self.layer is None else self.layer

    def _norms(self, protein: Protein) -> Float[Tensor, "L L"]:
        sequence = torch.from_numpy(encode(protein.sequence))
        baseline = self.model.hidden(sequence[None], self._layer)[0]
        baseline = baseline.to(torch.promote_types(baseline.dtype, torch.float32))
        sites, substitutes = substitutions(sequence, AMINO_ACIDS)
        norms = baseline.new_zeros(len(sequence), len(sequence))
        slices = self.model.substituted_hidden(sequence, sites, substitutes, self._layer)
        visible, counts = torch.unique_consecutive(sites, return_counts=True)
        for site, states in zip(visible.tolist(), _grouped(slices, counts.tolist()), strict=True):
            changes = baseline.new_zeros(len(AMINO_ACIDS), *baseline.shape)
            changes[substitutes[sites == site]] = states - baseline
            if self.center == "amino_acids":
                changes -= changes.mean(0)
            norms[site] = torch.linalg.vector_norm(changes, dim=(0, 2))
        return norms


def _grouped(slices: Slices, sizes: list[int]) -> Iterator[Tensor]:
    """The rows of all slices in groups of these sizes, wherever the slices are cut."""
    answers = (rows for _, rows in slices)
    held = None
    for size in sizes:
        while held is None or len(held) < size:
            more = next(answers)
            held = more if held is None else torch.cat((held, more))
        yield held[:size]
        held = held[size:]
