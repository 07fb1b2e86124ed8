"""Our network against fair-esm's, on the same weights.

Both compute in single precision but add up in different orders (fused against explicit
attention), so logits of order 1 agree to a few 1e-6: 1e-5 is asked for.
"""

import esm
import pytest
import torch

from harness.alphabet import AMINO_ACIDS, encode
from harness.models.network import Architecture, Network
from harness.models.vocabulary import VOCABULARY

TOLERANCE = 1e-5
SHAPES = [(1, 8, 1), (2, 16, 2), (3, 60, 3), (2, 64, 1)]  # layers, width, heads
SEQUENCES = {
    "one": "M",
    "two": "MK",
    "unknown": "MKXLAXW",
    "one_masked": "?",
    "some_masked": "MK?LAV?W??C",
    "all_masked": "?" * 12,
    "long": (AMINO_ACIDS * 8)[:150],
    "long_masked": "".join(c if n % 7 == 0 else "?" for n, c in enumerate((AMINO_ACIDS * 8)[:150])),
}


def both_networks(shape, token_dropout):
    """fair-esm's network with random weights everywhere, and ours with the same ones."""
    torch.manual_seed(0)
    layers, width, heads = shape
    theirs = esm.ESM2(layers, width, heads, "ESM-1b", token_dropout).eval().requires_grad_(False)
    for weights in theirs.parameters():  # norms and biases begin as ones and zeros
        weights += 0.1 * torch.randn_like(weights)
    theirs.embed_tokens.weight *= 0.2  # it is the output matrix too: logits of order one
    ours = Network(Architecture(layers, width, heads, token_dropout)).eval().requires_grad_(False)
    shared = theirs.state_dict()
    ours.load_state_dict({name: shared[name] for name in shared if "contact_head" not in name})
    return theirs, ours


def their_tokens(network, sequence):
    """Tokens by fair-esm's own converter."""
    convert = network.alphabet.get_batch_converter()
    return convert([("name", sequence.replace("?", "<mask>"))])[2]


def test_the_vocabulary_is_theirs():
    assert esm.data.Alphabet.from_architecture("ESM-1b").all_toks == VOCABULARY


@pytest.mark.parametrize("sequence", SEQUENCES.values(), ids=SEQUENCES)
@pytest.mark.parametrize("token_dropout", [True, False], ids=["dropout", "no_dropout"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_logits_agree_at_every_token(shape, token_dropout, sequence):
    theirs, ours = both_networks(shape, token_dropout)
    tokens = their_tokens(theirs, sequence)
    expected = theirs(tokens)["logits"]
    assert expected.std() > 0.1
    torch.testing.assert_close(ours(tokens), expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("sequence", SEQUENCES.values(), ids=SEQUENCES)
def test_residues_reach_the_network_as_their_tokens(sequence):
    theirs, ours = both_networks((2, 16, 2), True)
    columns = [theirs.alphabet.get_idx(letter) for letter in AMINO_ACIDS]
    expected = theirs(their_tokens(theirs, sequence))["logits"][:, 1:-1, columns]
    found = ours.residue_logits(torch.from_numpy(encode(sequence))[None])
    torch.testing.assert_close(found, expected, rtol=0, atol=TOLERANCE)


def test_a_batch_agrees_too():
    theirs, ours = both_networks((2, 16, 2), True)
    tokens = torch.cat([their_tokens(theirs, s) for s in ("MKVLA", "?KV?A", "CCCCC")])
    expected = theirs(tokens)["logits"]
    torch.testing.assert_close(ours(tokens), expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("layer", range(4))
def test_hidden_states_are_their_representations(layer):
    """The last ones after the final norm, as theirs."""
    theirs, ours = both_networks((3, 60, 3), True)
    tokens = their_tokens(theirs, SEQUENCES["some_masked"])
    expected = theirs(tokens, repr_layers=[layer])["representations"][layer][:, 1:-1]
    found = ours.hidden(torch.from_numpy(encode(SEQUENCES["some_masked"]))[None], layer)
    torch.testing.assert_close(found, expected, rtol=0, atol=TOLERANCE)
