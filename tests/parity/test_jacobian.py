"""The categorical Jacobian against the published procedure, written out once more.

The procedure is that of the script of Zhang et al. (PNAS 2024): all twenty residues at one position
at a time through fair-esm's network, a NumPy tensor in double precision, and its processing. Both
sides compute logits in single precision and add up in different orders, so everything agrees to
1e-4 relative: the largest difference over the largest entry.
"""

import argparse
from functools import cache

import esm
import numpy as np
import pytest
import torch

from harness.alphabet import AMINO_ACIDS
from harness.lattice import family_sequences, generate_family
from harness.protein import Protein
from tests.models import SHIPPED, esm2, jacobian_method

LATTICE = family_sequences(generate_family(0, 3), 0, "held_out", 1)[0]
UNKNOWN = LATTICE[:5] + "X" + LATTICE[6:]
RANDOM = "".join(np.random.default_rng(0).choice(list(AMINO_ACIDS), 128))

CASES = [  # a shipped model, or layers, width and heads of a random one
    *((name, LATTICE) for name in ("lattice_2x16", "lattice_2x32", "lattice_4x128")),
    *(("lattice_2x16", UNKNOWN), ("lattice_3x64", RANDOM[:64]), ("lattice_2x16", RANDOM)),
    *(((3, 60, 3), LATTICE), ((2, 64, 4), RANDOM[:64]), ((1, 16, 2), RANDOM)),
]


@cache
def published(name, sequence):
    """J, its couplings and its map as the published procedure finds them."""
    network = fair_esm(name)
    order = [network.alphabet.get_idx(letter) for letter in AMINO_ACIDS]
    tokens = network.alphabet.get_batch_converter()([("name", sequence)])[2]
    length = len(sequence)

    def logits(x):
        return network(x)["logits"][:, 1 : length + 1, order].numpy()

    jacobian = np.zeros((length, 20, length, 20))
    with torch.inference_mode():
        wild_type = logits(tokens)
        for i in range(length):
            mutants = tokens.repeat(20, 1)
            mutants[:, i + 1] = torch.tensor(order)
            jacobian[i] = logits(mutants) - wild_type
    couplings = centered_and_symmetrized(jacobian)
    return jacobian, couplings, contacts(couplings)


def centered_and_symmetrized(jacobian):
    x = jacobian.copy()
    for axis in range(4):
        x -= x.mean(axis, keepdims=True)
    return (x + x.transpose(2, 3, 0, 1)) / 2


def contacts(couplings):
    norm = np.sqrt(np.square(couplings).sum((1, 3)))
    np.fill_diagonal(norm, 0)
    corrected = norm - norm.sum(0, keepdims=True) * norm.sum(1, keepdims=True) / norm.sum()
    np.fill_diagonal(corrected, 0)
    return corrected


@cache
def fair_esm(name):
    """fair-esm's network with the weights of a shipped model, or random ones."""
    if isinstance(name, tuple):
        return random_network(*name)
    with torch.serialization.safe_globals([argparse.Namespace]):
        content = torch.load(SHIPPED / f"{name}.pt", weights_only=True)
    with pytest.warns(UserWarning, match="Regression weights not found"):
        network, _ = esm.pretrained.load_model_and_alphabet_core("esm2_x", content, None)
    return network.eval().requires_grad_(False)


def random_network(layers, width, heads):
    torch.manual_seed(0)
    network = esm.ESM2(layers, width, heads, "ESM-1b").eval().requires_grad_(False)
    for weights in network.parameters():  # norms and biases begin as ones and zeros
        weights += 0.1 * torch.randn_like(weights)
    network.embed_tokens.weight *= 0.2  # it is the output matrix too: logits of order one
    return network


@pytest.fixture(scope="session")
def ours(tmp_path_factory):
    """A function that gives our model with the same weights, and a token budget."""

    def load(name, tokens_per_batch=None):
        path = SHIPPED / f"{name}.pt"
        if isinstance(name, tuple):
            path = tmp_path_factory.mktemp("checkpoints") / "random.pt"
            torch.save(as_published(fair_esm(name)), path)
        return esm2(path, tokens_per_batch=tokens_per_batch)

    return load


def as_published(network):
    """The content of a checkpoint file of this network, its contact head left out."""
    settings = argparse.Namespace(
        encoder_layers=network.num_layers,
        encoder_embed_dim=network.embed_dim,
        encoder_attention_heads=network.attention_heads,
        token_dropout=network.token_dropout,
    )
    places = {"lm_head": "encoder."}
    tensors = {
        places.get(name.partition(".")[0], "encoder.sentence_encoder.") + name: value
        for name, value in network.state_dict().items()
        if not name.startswith("contact_head")
    }
    return {"cfg": {"model": settings}, "model": tensors}


def difference(found, expected):
    return np.abs(found - expected).max() / np.abs(expected).max()


def top_pairs(scores):
    i, j = np.triu_indices(len(scores), 6)
    best = np.argsort(-scores[i, j])[: len(scores)]
    return set(zip(i[best].tolist(), j[best].tolist(), strict=True))


@pytest.mark.parametrize(("name", "sequence"), CASES, ids=lambda v: len(v) if "M" in v else str(v))
def test_jacobian_couplings_and_map_are_those_of_the_published_procedure(ours, name, sequence):
    jacobian, couplings, scores = published(name, sequence)
    jacobians, protein = jacobian_method(ours(name)), Protein("p", sequence)
    assert difference(jacobians.jacobian(protein), jacobian) < 1e-4
    assert difference(jacobians.couplings(protein), couplings) < 1e-4
    assert difference(jacobians(protein), scores) < 1e-4
    assert top_pairs(jacobians(protein)) == top_pairs(scores)


@pytest.mark.parametrize(("tokens", "threads"), [(1, 1), (300, 1), (100_000, 1), (100_000, 2)])
@pytest.mark.parametrize(
    ("name", "sequence"), [("lattice_3x64", LATTICE), ((1, 16, 2), RANDOM[:64])], ids=["L27", "L64"]
)
def test_neither_the_token_budget_nor_threads_change_them(ours, name, sequence, tokens, threads):
    _, couplings, scores = published(name, sequence)
    jacobians, protein = jacobian_method(ours(name, tokens)), Protein("p", sequence)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        assert difference(jacobians.couplings(protein), couplings) < 1e-4
        assert difference(jacobians(protein), scores) < 1e-4
    finally:
        torch.set_num_threads(before)
