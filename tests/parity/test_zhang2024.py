"""Shipped checkpoints in fair-esm, and the published procedure written out once more.

The procedure here is that of the script of Zhang et al. (PNAS 2024): all twenty residues at one
position at a time, fair-esm's forward pass, then NumPy in double precision.
"""

import argparse
from pathlib import Path

import esm
import numpy as np
import pytest
import torch

from harness import models
from harness.alphabet import AMINO_ACIDS, encode
from harness.lattice import family_sequences, generate_family
from harness.methods.categorical_jacobian import CategoricalJacobian
from harness.models.esm2 import ESM2
from harness.protein import Protein

CHECKPOINTS = sorted((Path(models.__file__).parent / "checkpoints").glob("*.pt"))
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


def published_jacobian(network, sequence):
    """J[i, a, j, b], amino acids in our order."""
    tokens, order = their_tokens(network, sequence), columns(network)
    length = len(sequence)

    def logits(x):
        return network(x)["logits"][:, 1:-1, order].numpy()

    jacobian = np.zeros((length, 20, length, 20))
    for i in range(length):
        mutants = tokens.repeat(20, 1)
        mutants[:, i + 1] = torch.tensor(order)
        jacobian[i] = logits(mutants) - logits(tokens)
    return jacobian


def published_contacts(jacobian):
    x = jacobian.copy()
    for axis in range(4):
        x -= x.mean(axis, keepdims=True)
    x = (x + x.transpose(2, 3, 0, 1)) / 2
    norm = np.sqrt(np.square(x).sum((1, 3)))
    np.fill_diagonal(norm, 0)
    corrected = norm - norm.sum(0, keepdims=True) * norm.sum(1, keepdims=True) / norm.sum()
    np.fill_diagonal(corrected, 0)
    return corrected


def top_pairs(scores):
    i, j = np.triu_indices(len(scores), 6)
    best = np.argsort(-scores[i, j])[: len(scores)]
    return set(zip(i[best].tolist(), j[best].tolist(), strict=True))


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
    found = ESM2(checkpoint, "cpu").logits(torch.from_numpy(encode(sequence))[None])
    tolerance = 1e-5 * max(1.0, float(expected.abs().max()))
    torch.testing.assert_close(found, expected, rtol=0, atol=tolerance)


def test_the_jacobian_and_the_contacts_are_those_of_the_published_procedure(checkpoint):
    """To 1e-4 of the largest entry: differences of single-precision logits."""
    method = CategoricalJacobian(ESM2(checkpoint, "cpu"), "all", tokens_per_batch=8192)
    protein = Protein("p", SEQUENCE)
    expected = published_jacobian(fair_esm(checkpoint), SEQUENCE)
    found = method.jacobian(protein)
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()

    contacts, published = method(protein), published_contacts(expected)
    assert np.abs(contacts - published).max() < 1e-4 * np.abs(published).max()
    assert top_pairs(contacts) == top_pairs(published)
