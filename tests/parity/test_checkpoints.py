"""Shipped checkpoints in fair-esm: its own loader takes them and its logits are ours."""

import argparse

import esm
import pytest
import torch

from harness.alphabet import AMINO_ACIDS, encode
from harness.lattice import family_sequences, generate_family
from tests.models import SHIPPED, esm2

CHECKPOINTS = sorted(path for path in SHIPPED.glob("*.pt") if "regression" not in path.stem)
SEQUENCE = family_sequences(generate_family(0, 3), 0, "held_out", 1)[0]


@pytest.fixture(params=CHECKPOINTS, ids=lambda path: path.stem)
def checkpoint(request):
    """The path of each shipped checkpoint in turn."""
    return request.param


def content(path):
    with torch.serialization.safe_globals([argparse.Namespace]):
        return torch.load(path, weights_only=True)


def fair_esm(path):
    """The checkpoint as fair-esm's own loader understands it."""
    with pytest.warns(UserWarning, match="Regression weights not found"):
        network, _ = esm.pretrained.load_model_and_alphabet_core("esm2_x", content(path), None)
    return network.eval().requires_grad_(False)


def their_tokens(network, sequence):
    return network.alphabet.get_batch_converter()([("name", sequence)])[2]


def columns(network):
    return [network.alphabet.get_idx(letter) for letter in AMINO_ACIDS]


def test_there_are_checkpoints():
    assert CHECKPOINTS


def test_their_weights_are_finite_in_half_precision(checkpoint):
    tensors = content(checkpoint)["model"]
    assert all(torch.isfinite(value).all() for value in tensors.values())
    stored = {value.dtype for name, value in tensors.items() if not name.endswith("inv_freq")}
    assert stored == {torch.float16}


@pytest.mark.parametrize("sequence", ["M", SEQUENCE, SEQUENCE.replace("L", "?")], ids=len)
def test_fair_esm_loads_them_and_gives_the_same_logits(checkpoint, sequence):
    """To 1e-5 of the largest logit: single precision, summed in another order."""
    theirs = fair_esm(checkpoint)
    tokens = their_tokens(theirs, sequence.replace("?", "<mask>"))
    expected = theirs(tokens)["logits"][:, 1:-1, columns(theirs)]
    found = esm2(checkpoint).logits(torch.from_numpy(encode(sequence))[None])
    tolerance = 1e-5 * max(1.0, float(expected.abs().max()))
    torch.testing.assert_close(found, expected, rtol=0, atol=tolerance)
