"""An exact "language model": the conditionals of a Potts model.

Its categorical Jacobian, centered over the amino acids, is the model's coupling matrix in the
zero-sum gauge. That makes it the reference for everything built on the Jacobian.
"""

import hashlib

import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from harness.alphabet import AMINO_ACIDS
from harness.lattice import generate_family


class PottsModel:
    """Logits fields[j, b] + Σ_i couplings[i, x_i, j, b] in float64; masked residues add nothing.

    `fields` (L, 20) and symmetric `couplings` (L, 20, L, 20) are in nats; blocks i = j are
    ignored.
    """

    def __init__(
        self, fields: Float[ndarray, "L 20"], couplings: Float[ndarray, "L 20 L 20"]
    ) -> None:
        length, states = fields.shape
        if couplings.shape != (length, states, length, states):
            raise ValueError(f"fields {fields.shape} do not fit couplings {couplings.shape}")
        pairs = torch.from_numpy(couplings).double().clone()
        pairs[torch.arange(length), :, torch.arange(length)] = 0
        self._fields = torch.from_numpy(fields).double()
        self._couplings = pairs.reshape(length * states, length * states)
        self.n_parameters = length * states + length * (length - 1) // 2 * states**2
        self.fingerprint = hashlib.sha256(fields.tobytes() + couplings.tobytes()).hexdigest()
        self.forward_passes = 0

    def logits(self, residues: Int[Tensor, "B L"]) -> Float[Tensor, "B L 20"]:
        """Log-odds of the amino acids at every position, given all other residues."""
        if residues.shape[1:] != self._fields.shape[:1]:
            raise ValueError(
                f"this Potts model has {len(self._fields)} positions, "
                f"the sequences have {residues.shape[1]}"
            )
        self.forward_passes += len(residues)
        known = residues[..., None] == torch.arange(len(AMINO_ACIDS))
        return self._fields + (known.double().flatten(1) @ self._couplings).view(known.shape)


def lattice_family(seed: int, family: int) -> PottsModel:
    """The exact model of one family of the embedded lattice proteins."""
    exact = generate_family(seed, family)
    return PottsModel(exact.fields, exact.couplings)
