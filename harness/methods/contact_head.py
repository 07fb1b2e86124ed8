"""The supervised contact head that a model was published with."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from numpy import ndarray

from harness.alphabet import encode
from harness.methods.attention_maps import as_scores
from harness.protein import Protein
from harness.protocols import PredictsContacts


@dataclass(frozen=True)
class ContactHead:
    """Probabilities of contact by the model's own head: one forward pass."""

    model: PredictsContacts

    def __call__(self, protein: Protein) -> Float[ndarray, "L L"]:
        """Probabilities, zero on the diagonal; PrerequisiteError when the model has no head."""
        return as_scores(self.model.contacts(torch.from_numpy(encode(protein.sequence))))
