"""What stands at the ends of a sequence: <cls> and <eos>, masks, or nothing."""

from itertools import pairwise

import pytest
import torch

from harness.alphabet import encode
from harness.models.fair_esm import save_fair_esm
from harness.models.network import Architecture, Network
from harness.models.vocabulary import MASK_TOKEN, VOCABULARY, tokens_of
from tests.models import esm2

RESIDUES = torch.from_numpy(encode("ACDEF?KLMW"))[None].repeat(3, 1)
SITES, SUBSTITUTES = torch.tensor([0, 9, 3, 4, 2]), torch.tensor([5, 6, 0, 19, 7])
ENDS = ["kept", "masked", "absent"]


def network(ends):
    torch.manual_seed(0)
    net = Network(Architecture(2, 16, 2, True)).eval().requires_grad_(False)
    net.stand_between(ends)
    return net


@pytest.fixture
def checkpoint(tmp_path):
    save_fair_esm(network("kept"), tmp_path / "net.pt")
    return tmp_path / "net.pt"


def test_tokens_are_framed_or_not():
    own = tokens_of(RESIDUES, "absent")
    assert [VOCABULARY[token] for token in own[0]] == [*"ACDEF", "<mask>", *"KLMW"]
    for ends, frame in (("kept", ("<cls>", "<eos>")), ("masked", ("<mask>", "<mask>"))):
        tokens = tokens_of(RESIDUES, ends)
        assert torch.equal(tokens[:, 1:-1], own)
        assert (VOCABULARY[tokens[0, 0]], VOCABULARY[tokens[0, -1]]) == frame
    assert torch.equal(tokens_of(RESIDUES), tokens_of(RESIDUES, "kept"))


@pytest.mark.parametrize("ends", ENDS)
def test_every_readout_has_the_length_of_the_protein(checkpoint, ends):
    model, one = esm2(checkpoint, ends=ends), RESIDUES[0]
    assert model.logits(RESIDUES).shape == (3, 10, 20)
    assert model.hidden(RESIDUES, 1).shape == (3, 10, 16)
    assert model.attention(one).shape == (2, 2, 10, 10)
    slopes = torch.cat([part for _, part in model.gradients(one, SITES, torch.eye(20)[:5])])
    assert slopes.shape == (5, 10, 20)


@pytest.mark.parametrize("ends", ENDS)
def test_mutants_share_their_first_layer_between_any_ends(checkpoint, ends):
    model, one = esm2(checkpoint, ends=ends), RESIDUES[0]
    rows = one.repeat(len(SITES), 1)
    rows[torch.arange(len(SITES)), SITES] = SUBSTITUTES
    found = torch.cat([part for _, part in model.substituted_logits(one, SITES, SUBSTITUTES)])
    torch.testing.assert_close(found, model.logits(rows), rtol=0, atol=1e-5)


@pytest.mark.parametrize("ends", ENDS)
def test_the_gradient_is_that_of_finite_differences_between_any_ends(ends):
    net = network(ends).double()
    x = torch.zeros(10, 20, dtype=torch.float64)
    step = x.clone()
    step[3, 7] = 1e-6
    change = (net.relaxed_logits(RESIDUES[0], step) - net.relaxed_logits(RESIDUES[0], -step)) / 2e-6
    given = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(net.relaxed_logits(RESIDUES[0], given)[5, 2], given)
    torch.testing.assert_close(slope[3, 7], change[5, 2], rtol=1e-5, atol=1e-8)
    torch.testing.assert_close(
        net.relaxed_logits(RESIDUES[0], x), net.residue_logits(RESIDUES[:1])[0], rtol=0, atol=1e-12
    )


def test_the_ends_move_the_answer():
    answers = [network(ends).residue_logits(RESIDUES) for ends in ENDS]
    assert all((a - b).abs().max() > 1e-4 for a, b in pairwise(answers))


@pytest.mark.parametrize(("ends", "tokens"), [("kept", 12), ("masked", 12), ("absent", 10)])
def test_tokens_that_are_not_there_cost_nothing(checkpoint, ends, tokens):
    model = esm2(checkpoint, ends=ends)
    model.logits(RESIDUES)
    assert model.cost.tokens == 3 * tokens
    assert (model.cost.flops < esm2_flops(checkpoint)) == (ends == "absent")


def esm2_flops(checkpoint):
    model = esm2(checkpoint)
    model.logits(RESIDUES)
    return model.cost.flops


@pytest.mark.parametrize("ends", ENDS)
def test_with_everything_masked_there_is_still_an_answer(ends):
    """Token dropout would divide by the share of visible tokens, which is zero."""
    logits = network(ends).residue_logits(torch.from_numpy(encode("?????"))[None])
    assert torch.isfinite(logits).all()


def test_masked_ends_count_as_masks():
    """One visible of four tokens: the factor is 0.88 · 4, as fair-esm computes it."""
    net = network("masked")
    tokens = net.tokens(torch.from_numpy(encode("A?"))[None])
    assert tokens.tolist()[0].count(MASK_TOKEN) == 3
    torch.testing.assert_close(net.token_scale(tokens).item(), 0.88 * 4)


@pytest.mark.parametrize("ends", ENDS)
def test_given_positions_are_those_of_no_positions_and_a_shift_changes_nothing(checkpoint, ends):
    model = esm2(checkpoint, ends=ends)
    plain = model.logits(RESIDUES)
    with model.at(torch.arange(10), 10):
        assert torch.equal(model.logits(RESIDUES), plain)
    with model.at(torch.arange(10)):
        assert torch.equal(model.logits(RESIDUES), plain)
    with model.at(torch.arange(10) + 300):
        torch.testing.assert_close(model.logits(RESIDUES), plain, rtol=0, atol=1e-5)


def test_the_ends_can_stand_farther_out(checkpoint):
    near, far = esm2(checkpoint), esm2(checkpoint)
    with near.at(torch.arange(10) + 5), far.at(torch.arange(10) + 5, 40):
        assert (near.logits(RESIDUES) - far.logits(RESIDUES)).abs().max() > 1e-5
    absent = esm2(checkpoint, ends="absent")
    with absent.at(torch.arange(10) + 5, 40):
        found = absent.logits(RESIDUES)
    torch.testing.assert_close(found, absent.logits(RESIDUES), rtol=0, atol=1e-5)


def test_a_position_beyond_the_length_is_refused(checkpoint):
    with pytest.raises(ValueError, match="do not increase from 0 or more to 8 or less"):
        esm2(checkpoint).at(torch.arange(10), 9).__enter__()


@pytest.mark.usefixtures("unchecked")
def test_other_ends_are_refused_before_the_checkpoint_is_read(tmp_path):
    with pytest.raises(ValueError, match="ends is 'open'; allowed are kept, masked, absent"):
        esm2(tmp_path / "nowhere.pt", ends="open")
