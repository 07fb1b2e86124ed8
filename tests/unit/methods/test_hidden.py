import numpy as np
import pytest
import torch

from harness.alphabet import encode
from harness.blocks import Block, Segment
from harness.contact_regression import ContactRegression, write_regression
from harness.errors import InputError
from harness.methods.contact_head import ContactHead
from harness.methods.hidden import deleted, masked
from harness.methods.joined import joined
from harness.models.fair_esm import save_fair_esm
from harness.models.network import Architecture, Network
from harness.protein import Protein
from harness.protocols import CouplingMethod, ScoresBlocks
from tests.models import RandomModel, esm2, jacobian_method

PROTEIN = Protein("p", "ACDEFGHIKLMNPQRSTVWY")
VISIBLE = [3, 4, 5, 12, 13]
PART = PROTEIN.masked(VISIBLE)
PAIR = Block(Segment(3, 5), Segment(12, 14))


@pytest.fixture
def model(tmp_path):
    """A small network with a contact head."""
    torch.manual_seed(0)
    save_fair_esm(Network(Architecture(2, 16, 2, True)), tmp_path / "net.pt")
    head = ContactRegression(torch.tensor([5.0, -3.0, 4.0, 2.0]), torch.tensor(-1.0))
    write_regression(head, tmp_path / "net-contact-regression.pt", {})
    return esm2(tmp_path / "net.pt")


@pytest.fixture
def head(model):
    return ContactHead(model, diagonal=False)


def positions(model, head, gap):
    """Where the tokens stand while the method reads the part."""
    seen = []

    def watching(protein):
        tokens = len(protein) + 2
        seen.append(model._network.positions(tokens, torch.device("cpu")).tolist())
        return head(protein)

    deleted(watching, model, gap)(PART)
    return seen[0]


def test_masked_is_the_method_itself(model, head):
    assert masked(head, model) is head


@pytest.mark.parametrize("gap", [None, 0, 3])
def test_with_nothing_hidden_the_protein_is_read_as_it_is(model, head, gap):
    reading = deleted(head, model, gap)
    np.testing.assert_array_equal(reading(PROTEIN), head(PROTEIN))
    (block,) = reading.blocks([PROTEIN], PAIR)
    np.testing.assert_allclose(block, PAIR.of(head(PROTEIN)), rtol=0, atol=1e-6)


def test_scores_are_those_of_what_is_visible_and_zero_elsewhere(model, head):
    scores = deleted(head, model, 0)(PART)
    short = head(Protein("p", "EFGPQ"))
    np.testing.assert_allclose(scores[np.ix_(VISIBLE, VISIBLE)], short, rtol=0, atol=1e-6)
    assert np.count_nonzero(scores) == np.count_nonzero(short) == 20


def test_positions_are_kept_ends_included(model, head):
    """Tokens count from the one before the sequence; its 20 residues are 1 to 20."""
    assert positions(model, head, None) == [0, 4, 5, 6, 13, 14, 21]


def test_a_run_of_hidden_residues_leaves_a_gap_or_none(model, head):
    assert positions(model, head, 0) == [0, 1, 2, 3, 4, 5, 6]
    assert positions(model, head, 2) == [0, 3, 4, 5, 8, 9, 12]
    assert positions(model, head, 4) == [
        0,
        4,
        5,
        6,
        11,
        12,
        17,
    ]  # three are hidden before the first


def test_kept_positions_move_the_map_and_collapsed_ones_move_it_elsewhere(model, head):
    kept, collapsed = deleted(head, model, None)(PART), deleted(head, model, 0)(PART)
    assert np.abs(kept - collapsed).max() > 1e-4
    assert np.abs(kept - head(PART)).max() > 1e-4


@pytest.mark.parametrize("gap", [None, 0, 2])
@pytest.mark.parametrize("block", [PAIR, Block(Segment(3, 6), Segment(3, 6))], ids=str)
def test_a_block_is_that_of_the_map(model, head, gap, block):
    reading = deleted(head, model, gap)
    assert isinstance(reading, ScoresBlocks)
    more = PROTEIN.masked([*VISIBLE, 0, 14])
    found = list(reading.blocks([PART, more], block))
    for scores, protein in zip(found, [PART, more], strict=True):
        np.testing.assert_allclose(scores, block.of(reading(protein)), rtol=0, atol=1e-6)


def test_a_block_that_is_itself_hidden_is_zero_there(model, head):
    block = Block(Segment(2, 5), Segment(12, 14))
    reading = deleted(head, model, 0)
    (found,) = reading.blocks([PART], block)
    np.testing.assert_array_equal(found, block.of(reading(PART)))
    assert not found[0].any()
    assert found[1:].all()


def test_when_everything_is_hidden_there_is_nothing_to_read(model, head):
    assert not deleted(head, model, None)(PROTEIN.masked([])).any()


def test_couplings_are_those_of_what_is_visible(model):
    method = jacobian_method(model)
    reading = deleted(method, model, 0)
    assert isinstance(reading, CouplingMethod)
    couplings, short = reading.couplings(PART), method.couplings(Protein("p", "EFGPQ"))
    own = couplings[VISIBLE][:, :, VISIBLE]
    np.testing.assert_allclose(own, short, rtol=0, atol=1e-5)
    assert np.count_nonzero(couplings) == np.count_nonzero(short)
    assert not reading.couplings(PROTEIN.masked([])).any()
    np.testing.assert_array_equal(reading.couplings(PROTEIN), method.couplings(PROTEIN))


def test_a_model_without_positions_is_refused():
    with pytest.raises(ValueError, match="has no positions; leave hiding=masked"):
        deleted(jacobian_method(), RandomModel(), None)


def test_a_negative_gap_is_refused(model, head):
    with pytest.raises(ValueError, match="gap is -1; allowed are 0 and more, or null"):
        deleted(head, model, -1)


def test_a_gap_between_chains_and_deleted_residues_cannot_be_combined(model, head):
    chains = Protein("c", PROTEIN.sequence, breaks=(10,)).masked(VISIBLE)
    with pytest.raises(InputError, match=r"use joining.gap=0 or hiding=masked"):
        joined(deleted(head, model, None), model, "GG", 25)(chains)
    scores = joined(deleted(head, model, None), model, "GG", 0)(chains)
    assert scores.shape == (20, 20)
    assert scores[np.ix_(VISIBLE, VISIBLE)].any()


def test_residues_are_encoded_once_they_are_alone(model, head):
    """What the model sees has no mask in it."""
    seen = []
    deleted(lambda protein: seen.append(protein) or head(protein), model, None)(PART)
    assert [protein.sequence for protein in seen] == ["EFGPQ"]
    assert (encode(seen[0].sequence) < 20).all()
