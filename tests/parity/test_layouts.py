"""Every published layout of one set of random weights: the same network, bit for bit.

And that network is fair-esm's and transformers' own, to 1e-5 in single precision. ESM-2 has the
true shape of the 8M model here.
"""

import pytest
import torch

from harness.models.checkpoint import load_checkpoint
from tests.checkpoints import (
    FOLDERS,
    random_esm1b,
    random_esm2,
    write_fair_esm,
    write_hugging_face,
)
from tests.parity.test_attention import residues, their_tokens
from tests.parity.test_transformers import their_model

SHAPE_8M, SHAPE_1B = (6, 320, 20), (2, 40, 4)
LEARNED = 40
SEQUENCES = {"short": "M", "unknown": "MKXLAVWU", "masked": "MKLAV?WT??NDECYF" * 2}
TOLERANCE = 1e-5


@pytest.fixture(scope="module", params=["esm2_8m", "esm1b"])
def published(request, tmp_path_factory):
    """fair-esm's network, transformers', and the path of each layout."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "esm2_8m":
        network, shape, extra = random_esm2(*SHAPE_8M), SHAPE_8M, {}
    else:
        network, shape = random_esm1b(*SHAPE_1B, LEARNED), SHAPE_1B
        extra = {"position_embedding_type": "absolute", "emb_layer_norm_before": True}
        extra |= {"max_position_embeddings": LEARNED + 2}
    model = their_model(network, shape, **extra)
    paths = {"fair_esm": folder / "esm.pt"}
    write_fair_esm(network, paths["fair_esm"])
    for kind in FOLDERS:
        paths[kind] = folder / kind
        write_hugging_face(model, kind, paths[kind])
    return network, model, paths


@pytest.fixture(params=["fair_esm", *FOLDERS])
def layout(request, published):
    """One layout loaded, with fair-esm's network and transformers'."""
    network, model, paths = published
    return load_checkpoint(paths[request.param]), network, model


def test_there_really_are_shards(published):
    paths = published[2]
    assert len(list(paths["sharded"].glob("model-*.safetensors"))) > 1
    assert not (paths["sharded"] / "model.safetensors").exists()


def test_all_layouts_hold_the_same_tensors(published, layout):
    reference = load_checkpoint(published[2]["fair_esm"])
    found = layout[0]
    expected = reference.network.state_dict()
    assert found.network.architecture == reference.network.architecture
    assert expected.keys() == found.network.state_dict().keys()
    for name, tensor in found.network.state_dict().items():
        assert torch.equal(tensor, expected[name]), name
    assert torch.equal(found.regression.weight, reference.regression.weight)
    assert torch.equal(found.regression.bias, reference.regression.bias)


@pytest.mark.parametrize("sequence", SEQUENCES.values(), ids=SEQUENCES)
def test_logits_are_those_of_both_libraries(layout, sequence):
    checkpoint, network, model = layout
    tokens = their_tokens(network, sequence.replace("U", "X"))
    found = checkpoint.network(tokens)
    mask = network.alphabet.mask_idx
    keep = [n for n in range(33) if n != mask]  # fair-esm zeroes ESM-1b's row of the mask
    for expected in (network(tokens)["logits"], model(tokens, torch.ones_like(tokens)).logits):
        assert expected.std() > 0.1
        torch.testing.assert_close(found[..., keep], expected[..., keep], rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("sequence", SEQUENCES.values(), ids=SEQUENCES)
def test_contacts_are_those_of_both_libraries(layout, sequence):
    checkpoint, network, model = layout
    tokens = their_tokens(network, sequence.replace("U", "X"))
    found = checkpoint.regression(checkpoint.network.attention(residues(sequence))[0])
    theirs = model.predict_contacts(tokens, torch.ones_like(tokens))[0]
    for expected in (network.predict_contacts(tokens)[0], theirs):
        torch.testing.assert_close(found, expected, rtol=0, atol=TOLERANCE)


def test_the_fingerprint_names_every_file(published):
    paths = published[2]
    counts = {kind: load_checkpoint(path).fingerprint.count("+") for kind, path in paths.items()}
    assert counts["fair_esm"] == counts["safetensors"] == counts["bin"] == 1
    assert counts["sharded_bin"] == 2
