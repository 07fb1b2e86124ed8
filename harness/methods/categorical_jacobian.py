"""The categorical Jacobian (Zhang et al., PNAS 2024): how each residue moves every logit."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from harness.alphabet import AMINO_ACIDS, MASK, UNKNOWN, encode
from harness.couplings import Centering, center_, contact_scores, symmetrize_
from harness.device import require_memory
from harness.methods.perturbation import Symmetrized, require, substitutions
from harness.protein import Protein
from harness.protocols import PredictsLogits

Storage = Literal["float32", "float16"]
_DTYPES = {"float32": torch.float32, "float16": torch.float16}


@dataclass(frozen=True)
class CategoricalJacobian:
    """J[i, a, j, b] = logit_j,b(residue a at i) − logit_j,b(sequence as it is).

    `substitutes` says what is put at each residue:
        all     every other amino acid. The one that is there gives zero exactly, so 19 L + 1
                forward passes suffice (20 where the residue is unknown)
        AVDKLG  a choice of amino acids; the rows of the others stay zero
        mask    the mask, L + 1 passes: row a of the residue a at i is what its presence adds,
                logit_j,b(sequence as it is) − logit_j,b(i masked), and the others stay zero
    A hidden residue stays hidden: its rows are zero. The tensor stays on the model's device in
    `storage`; nothing of its size exists besides.
    """

    model: PredictsLogits
    substitutes: str
    center: Centering
    symmetrize: Symmetrized
    apc: bool
    storage: Storage

    def __post_init__(self) -> None:
        require("center", self.center, Centering)
        require("symmetrize", self.symmetrize, Symmetrized)
        require("storage", self.storage, Storage)
        letters = self.substitutes
        chosen = 0 < len(letters) == len(set(letters)) and set(letters) <= set(AMINO_ACIDS)
        if letters not in ("all", "mask") and not chosen:
            raise ValueError(
                f"substitutes is {letters!r}; allowed are all, mask, and different letters out of "
                f"{AMINO_ACIDS}"
            )

    def __call__(self, protein: Protein) -> Float[ndarray, "L L"]:
        """Contact scores: centered, symmetrized, Frobenius norm, average product correction."""
        tensor = center_(self._jacobian(protein), self.center)
        if self.symmetrize == "couplings":
            symmetrize_(tensor)
        return contact_scores(tensor, self.apc).cpu().numpy()

    def couplings(self, protein: Protein) -> Float[ndarray, "L 20 L 20"]:
        """The Jacobian, centered and symmetrized."""
        return symmetrize_(center_(self._jacobian(protein), self.center)).cpu().numpy()

    def jacobian(self, protein: Protein) -> Float[ndarray, "L 20 L 20"]:
        """The Jacobian as it comes out of the model."""
        return self._jacobian(protein).cpu().numpy()

    def passes(self, length: int) -> int:
        """The sequence itself, and each substitution at each residue.

        A choice of substitutes takes one less where the residue is one of them; how often that is
        depends on the sequence, and every amino acid is taken to be as frequent.
        """
        if self.substitutes == "mask":
            return 1 + length
        n = len(AMINO_ACIDS if self.substitutes == "all" else self.substitutes)
        return 1 + round(n * (1 - 1 / len(AMINO_ACIDS)) * length)

    def _jacobian(self, protein: Protein) -> Float[Tensor, "L 20 L 20"]:
        sequence = torch.from_numpy(encode(protein.sequence))
        baseline = self.model.logits(sequence[None])[0]
        jacobian = self._empty(baseline)
        sites, substitutes = self._substitutions(sequence)
        masked = self.substitutes == "mask"
        rows, sign = (sequence[sites], -1) if masked else (substitutes, 1)
        for part, logits in self.model.substituted_logits(sequence, sites, substitutes):
            jacobian[sites[part], rows[part]] = (sign * (logits - baseline)).to(jacobian.dtype)
        return jacobian

    def _empty(self, baseline: Float[Tensor, "L 20"]) -> Float[Tensor, "L 20 L 20"]:
        """Zeros, in double precision only for a model that computes in it."""
        exact = baseline.dtype == torch.float64 and self.storage == "float32"
        dtype = torch.float64 if exact else _DTYPES[self.storage]
        storage = "" if self.storage == "float16" else "method.storage=float16, "
        needed = baseline.numel() ** 2 * dtype.itemsize
        what = f"the Jacobian of {len(baseline)} residues"
        instead = f"use {storage}shorter windows (windows=overlapping windows.size=N)"
        require_memory(needed, baseline.device, what, f"{instead} or a larger device")
        return baseline.new_zeros((*baseline.shape, *baseline.shape), dtype=dtype)

    def _substitutions(
        self, sequence: Int[Tensor, " L"]
    ) -> tuple[Int[Tensor, " M"], Int[Tensor, " M"]]:
        """Position and substitute of everything that is put in the place of a visible residue."""
        if self.substitutes == "mask":
            sites = torch.nonzero(sequence < UNKNOWN)[:, 0]
            return sites, torch.full_like(sites, MASK)
        return substitutions(
            sequence, AMINO_ACIDS if self.substitutes == "all" else self.substitutes
        )
