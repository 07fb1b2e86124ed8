import numpy as np
import pytest
import torch

from harness import device
from harness.alphabet import encode
from harness.contact_regression import contact_features
from harness.errors import InputError, PrerequisiteError
from harness.methods.attention import Attention


def off_diagonal(maps):
    return (maps * (1 - torch.eye(maps.shape[-1]))).numpy()


def attention_of(model, protein):
    return model.attention(torch.from_numpy(encode(protein.sequence)))


def test_without_a_layer_it_is_the_mean_of_all_heads(model, unseen):
    maps = attention_of(model, unseen).flatten(0, 1)
    expected = off_diagonal((maps + maps.mT).mean(0))
    np.testing.assert_allclose(Attention(model, None, None, False)(unseen), expected, atol=1e-6)


def test_of_a_layer_it_is_the_mean_of_its_heads(model, unseen):
    maps = attention_of(model, unseen)[1]
    expected = off_diagonal((maps + maps.mT).mean(0))
    np.testing.assert_allclose(Attention(model, 1, None, False)(unseen), expected, atol=1e-6)


def test_layers_and_heads_count_from_zero(model, unseen):
    maps = attention_of(model, unseen)
    for layer, head in [(0, 0), (1, 2)]:
        expected = off_diagonal(maps[layer, head] + maps[layer, head].T)
        found = Attention(model, layer, head, False)(unseen)
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_each_map_is_corrected_before_the_mean(model, unseen):
    maps = attention_of(model, unseen)
    expected = off_diagonal(contact_features(maps).mean((0, 1)))
    np.testing.assert_allclose(Attention(model, None, None, True)(unseen), expected, atol=1e-6)
    late = off_diagonal(contact_features(maps.mean((0, 1))))
    assert np.abs(late - expected).max() > 1e-3


def test_it_takes_one_forward_pass(model, unseen):
    Attention(model, None, None, True)(unseen)
    assert model.cost.forward_passes == 1


@pytest.mark.parametrize(
    ("layer", "head", "complaint"),
    [
        (2, None, "layer is 2; this model has layers 0 to 1"),
        (-1, 0, "layer is -1; this model has layers 0 to 1"),
        (0, 3, "head is 3; this model has heads 0 to 2"),
        (1, -1, "head is -1; this model has heads 0 to 2"),
    ],
)
def test_a_layer_or_head_that_is_not_there_is_an_error_with_those_that_are(
    model, unseen, layer, head, complaint
):
    with pytest.raises(InputError, match=complaint):
        Attention(model, layer, head, True)(unseen)


def test_a_head_needs_its_layer(model):
    with pytest.raises(ValueError, match="head is 0, but of which layer"):
        Attention(model, None, 0, True)


def test_maps_whose_correction_does_not_fit_are_refused(model, unseen, monkeypatch):
    enough_for_the_maps = 2 * attention_of(model, unseen).nbytes
    monkeypatch.setattr(device, "free_memory", lambda where: enough_for_the_maps)
    with pytest.raises(PrerequisiteError, match=r"the correction of \d × \d maps of .*\(windows="):
        Attention(model, None, None, True)(unseen)
