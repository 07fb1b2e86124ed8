from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from harness.alphabet import encode
from harness.blocks import Block, Segment
from harness.methods.contact_head import ContactHead
from harness.protein import Protein
from harness.protocols import Cost, ScoresBlocks


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

    def contact_blocks(self, residues, block):
        self.asked += list(residues)
        place = (
            slice(block.rows.start, block.rows.end),
            slice(block.columns.start, block.columns.end),
        )
        blocks = torch.tensor([[0.9, 0.5], [0.5, 0.8]])[place].repeat(len(residues), 1, 1)
        yield slice(0, 1), blocks[:1]
        yield slice(1, len(residues)), blocks[1:]


def test_scores_are_the_probabilities_made_symmetric_without_the_diagonal():
    np.testing.assert_array_equal(
        ContactHead(Probable(), diagonal=False)(Protein("p", "MK")), [[0, 0.5], [0.5, 0]]
    )


def test_the_model_is_asked_about_the_sequence_as_it_is_shown():
    model = Probable()
    ContactHead(model, diagonal=False)(Protein("p", "MK").masked([1]))
    assert [residues.tolist() for residues in model.asked] == [encode("?K").tolist()]


def test_the_diagonal_is_kept_when_asked_for():
    scores = ContactHead(Probable(), diagonal=True)(Protein("p", "MK"))
    np.testing.assert_allclose(scores, [[0.9, 0.5], [0.5, 0.8]])


@pytest.mark.parametrize(
    ("diagonal", "expected"), [(True, [[0.9, 0.5], [0.5, 0.8]]), (False, [[0, 0.5], [0.5, 0]])]
)
def test_blocks_are_asked_for_together_and_come_one_by_one(diagonal, expected):
    model, whole = Probable(), Segment(0, 2)
    head = ContactHead(model, diagonal)
    assert isinstance(head, ScoresBlocks)
    found = list(head.blocks([Protein("p", "MK"), Protein("p", "?K")], Block(whole, whole)))
    assert [scores.tolist() for scores in found] == [np.float32(expected).tolist()] * 2
    assert [row.tolist() for row in model.asked] == [encode("MK").tolist(), encode("?K").tolist()]


def test_a_block_off_the_diagonal_keeps_its_corner():
    pair = Block(Segment(0, 1), Segment(1, 2))
    (found,) = ContactHead(Probable(), diagonal=False).blocks([Protein("p", "MK")], pair)
    assert found.tolist() == [[0.5]]
