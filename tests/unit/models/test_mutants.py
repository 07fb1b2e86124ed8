"""The shared first layer against the whole of it, run on every mutant."""

import pytest
import torch

from harness.alphabet import MASK, UNKNOWN
from harness.models.mutants import Mutants
from harness.models.network import Architecture, Network
from harness.models.packing import prepare
from harness.models.vocabulary import tokens_of

TOLERANCE = 1e-5
"""Of the largest number: single precision, added up in another order."""

CPU = torch.device("cpu")


def network(token_dropout=True, layers=2):
    """Random weights everywhere: norms and biases begin as ones and zeros."""
    torch.manual_seed(0)
    net = Network(Architecture(layers, 16, 2, token_dropout)).eval().requires_grad_(False)
    for weights in net.parameters():
        weights += 0.1 * torch.randn_like(weights)
    return net


def sequence(length):
    return torch.randint(0, 20, (length,), generator=torch.Generator().manual_seed(1))


def mutants_of(residues, sites, substitutes):
    rows = residues.repeat(len(sites), 1)
    rows[torch.arange(len(sites)), sites] = substitutes
    return rows


def every_substitution(length):
    return torch.arange(length).repeat_interleave(20), torch.arange(20).repeat(length)


def assert_close(found, expected):
    torch.testing.assert_close(
        found, expected, rtol=0, atol=TOLERANCE * float(expected.abs().max())
    )


def assert_first_layers_agree(net, residues, sites, substitutes):
    rows = tokens_of(mutants_of(residues, sites, substitutes))
    expected = net.after(net.embed(rows), 0, 1)
    found = Mutants(net, residues).first_layer(sites, substitutes)
    assert_close(found, expected)


@pytest.mark.parametrize("length", [1, 2, 27, 64])
@pytest.mark.parametrize("token_dropout", [True, False], ids=["dropout", "no_dropout"])
def test_every_mutant_leaves_the_first_layer_as_it_would_alone(length, token_dropout):
    net, residues = network(token_dropout), sequence(length)
    assert_first_layers_agree(net, residues, *every_substitution(length))


def test_hidden_and_unknown_residues_beside_the_substitutes_are_no_matter():
    residues = sequence(12)
    residues[[0, 5, 6]], residues[9] = MASK, UNKNOWN
    sites = torch.tensor([1, 4, 7, 9, 11])
    assert_first_layers_agree(network(), residues, sites, torch.tensor([3, 3, 0, 19, 7]))


def test_sites_may_come_in_any_order_and_repeat():
    sites, substitutes = torch.tensor([5, 0, 5, 3, 0]), torch.tensor([1, 2, 3, 4, UNKNOWN])
    assert_first_layers_agree(network(), sequence(6), sites, substitutes)


def test_attention_that_lies_all_on_the_substituted_residue_is_no_trouble():
    """Where the old key takes nearly all of the weight, a difference of sums would cancel."""
    net, residues = network(), sequence(8)
    net.layers[0].self_attn.k_proj.weight *= 300
    weights = net.attention(residues[None])[0, 0]
    assert weights.max() > 1 - 1e-6
    assert_first_layers_agree(net, residues, *every_substitution(8))


def test_the_logits_are_those_of_the_mutants():
    net, residues = network(layers=3), sequence(20)
    sites, substitutes = every_substitution(20)
    stream = Mutants(net, residues).first_layer(sites, substitutes)
    expected = net.residue_logits(mutants_of(residues, sites, substitutes))
    assert_close(net.logits_after(stream, 1), expected)


def test_a_network_prepared_for_inference_shares_too():
    residues = sequence(20)
    sites, substitutes = every_substitution(20)
    expected = network().residue_logits(mutants_of(residues, sites, substitutes))
    net = prepare(network(), torch.float32, CPU, compiled=False)
    with torch.inference_mode():
        found = net.logits_after(Mutants(net, residues).first_layer(sites, substitutes), 1)
    assert_close(found, expected)


def test_a_mask_in_the_place_of_a_residue_would_be_wrong_here():
    """It changes the scale of all embeddings: the model must not come here with one."""
    net, residues = network(), sequence(6)
    site, mask = torch.tensor([2]), torch.tensor([MASK])
    expected = net.after(net.embed(tokens_of(mutants_of(residues, site, mask))), 0, 1)
    found = Mutants(net, residues).first_layer(site, mask)
    assert (found - expected).abs().max() > 0.01
