"""The supervised contact head that a model was published with."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from harness.alphabet import encode
from harness.blocks import Block
from harness.protein import Protein
from harness.protocols import PredictsContacts


@dataclass(frozen=True)
class ContactHead:
    """Probabilities of contact by the model's own head: one forward pass.

    With `diagonal` the head's values there are kept, where a contact method else has zeros.
    """

    model: PredictsContacts
    diagonal: bool

    def __call__(self, protein: Protein) -> Float[ndarray, "L L"]:
        """Probabilities, symmetric; PrerequisiteError when the model has no head."""
        found = self.model.contacts(torch.from_numpy(encode(protein.sequence))).cpu().numpy()
        return self._finished((found + found.T) / 2)

    def blocks(self, proteins: Sequence[Protein], block: Block) -> Iterator[Float[ndarray, "R C"]]:
        """One block of the map of each protein, all of one length: many in one forward pass."""
        residues = torch.from_numpy(np.stack([encode(protein.sequence) for protein in proteins]))
        for _, found in self.model.contact_blocks(residues, block):
            for scores in found.cpu().numpy():
                yield self._finished(scores) if block.on_diagonal else scores

    def passes(self, length: int) -> int:
        """One, whatever the length."""
        return 1

    def _finished(self, scores: Float[ndarray, "N N"]) -> Float[ndarray, "N N"]:
        if not self.diagonal:
            np.fill_diagonal(scores, 0)
        return scores
