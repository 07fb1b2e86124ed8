"""Attention maps and contacts against fair-esm's, on the same random weights.

Both compute in single precision and add up in different orders; maps and probabilities are at most
1, and agree to 1e-6: 1e-5 is asked for.
"""

from pathlib import Path

import esm
import pytest
import torch

from harness.alphabet import encode
from harness.contact_regression import regression_in
from harness.models.network import Architecture, Network

TOLERANCE = 1e-5
SHAPES = [(1, 16, 2), (2, 16, 2), (3, 60, 3)]  # layers, width, heads
SEQUENCES = {
    "one": "M",
    "two": "MK",
    "whole": "MKLAVWTRQNDECYFHIPSGMKLAVWTRQNDE",
    "unknown": "MKXLAXW",
    "some_masked": "MK?LAV?W??C",
    "all_masked": "?" * 12,
}


def both(shape):
    """fair-esm's network with random weights, and ours with the same ones and its regression."""
    torch.manual_seed(0)
    layers, width, heads = shape
    theirs = esm.ESM2(layers, width, heads, "ESM-1b", True).eval().requires_grad_(False)
    for name, weights in theirs.named_parameters():
        weights += (5.0 if name.endswith("regression.weight") else 0.3) * torch.randn_like(weights)
    shared = theirs.state_dict()
    ours = Network(Architecture(layers, width, heads, True)).eval().requires_grad_(False)
    ours.load_state_dict({name: shared[name] for name in shared if "contact_head" not in name})
    return theirs, ours, regression_in(shared, Path("fair-esm"))


def their_tokens(network, sequence):
    """Tokens by fair-esm's own converter."""
    convert = network.alphabet.get_batch_converter()
    return convert([("name", sequence.replace("?", "<mask>"))])[2]


def residues(sequence):
    return torch.from_numpy(encode(sequence))[None]


@pytest.mark.parametrize("sequence", SEQUENCES.values(), ids=SEQUENCES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_attention_maps_agree(shape, sequence):
    theirs, ours, _ = both(shape)
    out = theirs(their_tokens(theirs, sequence), need_head_weights=True)
    expected = out["attentions"][..., 1:-1, 1:-1]
    found = ours.attention(residues(sequence))
    assert found.max() - found.min() > 1e-3 or len(sequence) < 3
    torch.testing.assert_close(found, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("sequence", SEQUENCES.values(), ids=SEQUENCES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_contacts_agree(shape, sequence):
    theirs, ours, regression = both(shape)
    expected = theirs.predict_contacts(their_tokens(theirs, sequence))[0]
    found = regression(ours.attention(residues(sequence))[0])
    assert expected.max() - expected.min() > 1e-3 or len(sequence) < 3
    torch.testing.assert_close(found, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("letter", "UBZOJX")
def test_whatever_is_not_one_of_the_twenty_is_read_as_x(letter):
    """fair-esm has tokens of their own for U, B, Z and O, and none for J; see docs/footguns.md."""
    theirs, ours, _ = both((2, 16, 2))
    expected = theirs(their_tokens(theirs, "MKXLA"), need_head_weights=True)["attentions"]
    found = ours.attention(residues(f"MK{letter}LA"))
    torch.testing.assert_close(found, expected[..., 1:-1, 1:-1], rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("letter", "UBZO")
def test_a_residue_with_a_token_of_its_own_in_fair_esm_gets_other_maps_there(letter):
    theirs, ours, _ = both((2, 16, 2))
    tokens = their_tokens(theirs, f"MK{letter}LA")
    other = theirs(tokens, need_head_weights=True)["attentions"][..., 1:-1, 1:-1]
    assert (ours.attention(residues(f"MK{letter}LA")) - other).abs().max() > 1e-3
