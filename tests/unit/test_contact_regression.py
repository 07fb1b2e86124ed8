import pickle

import numpy as np
import pytest
import torch

from harness.contact_regression import (
    BIAS,
    WEIGHT,
    ContactRegression,
    contact_features,
    read_regression,
    regression_path,
    write_regression,
)
from harness.errors import InputError

REGRESSION = ContactRegression(torch.tensor([1.0, -2.0, 0.0, 3.0]), torch.tensor(-0.5))


def attention(length=5):
    return torch.rand(2, 2, length, length, generator=torch.Generator().manual_seed(0))


def written_out(maps, weights, bias):
    """The published head in plain NumPy: symmetrize, correct, add up, squash."""
    total = np.full(maps.shape[1:], bias)
    for map_, weight in zip(maps, weights, strict=True):
        both = map_ + map_.T
        total += weight * (both - np.outer(both.sum(1), both.sum(0)) / both.sum())
    return 1 / (1 + np.exp(-total))


def test_probabilities_are_those_of_the_published_head_written_out():
    expected = written_out(attention().flatten(0, 1).double().numpy(), [1, -2, 0, 3], -0.5)
    np.testing.assert_allclose(REGRESSION(attention()), expected, atol=1e-6)


def test_channels_go_through_the_heads_of_a_layer_first():
    one_head = ContactRegression(torch.tensor([0.0, 0.0, 1.0, 0.0]), torch.tensor(0.0))
    expected = torch.sigmoid(contact_features(attention()[1, 0]))
    torch.testing.assert_close(one_head(attention()), expected)


def test_maps_in_half_precision_are_added_up_in_single_precision():
    found = REGRESSION(attention().bfloat16())
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, REGRESSION(attention().bfloat16().float()))


@pytest.mark.parametrize("length", [1, 2])
def test_the_shortest_maps_have_probabilities_too(length):
    assert torch.isfinite(REGRESSION(attention(length))).all()


def test_what_was_written_is_read_again_and_has_the_published_layout(tmp_path):
    write_regression(REGRESSION, tmp_path / "head.pt", {"seed": 1})
    content = torch.load(tmp_path / "head.pt", weights_only=True)
    assert {name: tuple(value.shape) for name, value in content["model"].items()} == {
        "contact_head.regression.weight": (1, 4),
        "contact_head.regression.bias": (1,),
    }
    assert content["fit"] == {"seed": 1}
    found = read_regression(tmp_path / "head.pt")
    assert torch.equal(found.weight, REGRESSION.weight)
    assert torch.equal(found.bias, REGRESSION.bias)


def test_the_regression_of_a_checkpoint_lies_beside_it(tmp_path):
    expected = tmp_path / "esm2_t6.x-contact-regression.pt"
    assert regression_path(tmp_path / "esm2_t6.x.pt") == expected


GOOD = {WEIGHT: torch.zeros(1, 4), BIAS: torch.zeros(1)}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ([1], "weight, contact_head.regression.bias is missing"),
        ({"model": 3}, "weight, contact_head.regression.bias is missing"),
        ({"model": {WEIGHT: GOOD[WEIGHT]}}, "regression: contact_head.regression.bias is missing"),
        ({"model": GOOD | {WEIGHT: 1.0}}, "regression: contact_head.regression.weight is missing"),
        ({"model": GOOD | {WEIGHT: torch.zeros(4)}}, r"shape \(4,\) .* expected \(1, layers"),
        ({"model": GOOD | {WEIGHT: torch.zeros(2, 4)}}, r"shape \(2, 4\)"),
        ({"model": GOOD | {BIAS: torch.zeros(2)}}, r"bias \(2,\)"),
    ],
    ids=str,
)
@pytest.mark.usefixtures("unchecked")
def test_a_file_of_another_layout_is_reported_by_name(tmp_path, content, complaint):
    torch.save(content, tmp_path / "head.pt")
    with pytest.raises(InputError, match=rf"head\.pt: .*{complaint}"):
        read_regression(tmp_path / "head.pt")


@pytest.mark.parametrize("data", [b"", b"no such format", pickle.dumps(print, protocol=2)])
def test_a_file_that_is_none_is_reported_and_no_code_in_it_is_run(tmp_path, data):
    (tmp_path / "head.pt").write_bytes(data)
    with pytest.raises(InputError, match=r"head\.pt: .*cannot be read as a contact regression"):
        read_regression(tmp_path / "head.pt")
