from dataclasses import dataclass, field

import numpy as np
import torch

from harness.alphabet import encode
from harness.methods.contact_head import ContactHead
from harness.protein import Protein
from harness.protocols import Cost


@dataclass
class Probable:
    """A model whose contacts are those of a table, and not quite symmetric."""

    n_parameters: int = 0
    fingerprint: str = ""
    cost: Cost = field(default_factory=Cost)
    asked: list = field(default_factory=list)

    def contacts(self, residues):
        self.asked.append(residues)
        return torch.tensor([[0.9, 0.25], [0.75, 0.8]])


def test_scores_are_the_probabilities_made_symmetric_without_the_diagonal():
    np.testing.assert_array_equal(ContactHead(Probable())(Protein("p", "MK")), [[0, 0.5], [0.5, 0]])


def test_the_model_is_asked_about_the_sequence_as_it_is_shown():
    model = Probable()
    ContactHead(model)(Protein("p", "MK").masked([1]))
    assert [residues.tolist() for residues in model.asked] == [encode("?K").tolist()]
