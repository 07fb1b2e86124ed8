"""An exact "language model": the conditionals of a Potts model.

Its categorical Jacobian, centered over the amino acids, is the model's coupling matrix in the
zero-sum gauge. That makes it the reference for everything built on the Jacobian.
"""

import hashlib
from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from harness.alphabet import AMINO_ACIDS
from harness.lattice import generate_family
from harness.models.differentiation import placed
from harness.protocols import Cost


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
        self.cost = Cost()

    def logits(self, residues: Int[Tensor, "B L"]) -> Float[Tensor, "B L 20"]:
        """Log-odds of the amino acids at every position, given all other residues."""
        if residues.shape[1:] != self._fields.shape[:1]:
            raise ValueError(
                f"this Potts model has {len(self._fields)} positions, "
                f"the sequences have {residues.shape[1]}"
            )
        self._spend(len(residues))
        known = residues[..., None] == torch.arange(len(AMINO_ACIDS))
        return self._fields + (known.double().flatten(1) @ self._couplings).view(known.shape)

    def substituted_logits(
        self,
        residues: Int[Tensor, " L"],
        sites: Int[Tensor, " M"],
        substitutes: Int[Tensor, " M"],
    ) -> Iterator[tuple[slice, Float[Tensor, "B L 20"]]]:
        """The logits of all substitutions, in slices of 1,024."""
        for start in range(0, len(sites), 1024):
            rows = slice(start, min(start + 1024, len(sites)))
            mutants = residues.repeat(rows.stop - start, 1)
            mutants[torch.arange(len(mutants)), sites[rows]] = substitutes[rows]
            yield rows, self.logits(mutants)

    def gradients(
        self,
        residues: Int[Tensor, " L"],
        sites: Int[Tensor, " M"],
        directions: Float[Tensor, "M 20"],
    ) -> Iterator[tuple[slice, Float[Tensor, "B L 20"]]]:
        """All gradients at once: a linear model has the same ones everywhere."""
        self._spend(1 + len(sites))
        vectors = placed(sites, directions.double(), len(self._fields))
        yield slice(0, len(sites)), (vectors.flatten(1) @ self._couplings).view(vectors.shape)

    derivatives = gradients  # couplings are symmetric

    def _spend(self, passes: int) -> None:
        length, states = self._fields.shape
        self.cost.forward_passes += passes
        self.cost.tokens += passes * length
        self.cost.flops += passes * 2 * (length * states) ** 2


def lattice_family(seed: int, family: int) -> PottsModel:
    """The exact model of one family of the embedded lattice proteins."""
    exact = generate_family(seed, family)
    return PottsModel(exact.fields, exact.couplings)
