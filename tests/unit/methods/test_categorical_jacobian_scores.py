"""From the Jacobian to the map: symmetrization, correction and storage, each written out."""

import numpy as np
import pytest

from harness.protein import Protein
from tests.models import jacobian_method as method

PROTEIN = Protein("p", "MKVLAWCDEFGH")


@pytest.fixture(scope="module")
def jacobian():
    return method().jacobian(PROTEIN)


def centered(jacobian):
    x = jacobian.astype(float)
    for axis in range(4):
        x = x - x.mean(axis, keepdims=True)
    return x


def norm(couplings):
    found = np.sqrt(np.square(couplings).sum((1, 3)))
    np.fill_diagonal(found, 0)
    return found


def corrected(scores):
    found = scores - scores.sum(0, keepdims=True) * scores.sum(1, keepdims=True) / scores.sum()
    np.fill_diagonal(found, 0)
    return found


def assert_same_map(found, expected):
    """To 1e-5 of the largest score: the tensor is in single precision."""
    assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()


def test_symmetrized_couplings_are_the_published_procedure(jacobian):
    x = centered(jacobian)
    assert_same_map(method()(PROTEIN), corrected(norm((x + x.transpose(2, 3, 0, 1)) / 2)))


def test_symmetrized_scores_are_the_mean_of_the_map_and_its_transpose(jacobian):
    """The correction comes first, as in ColabBio."""
    scores = corrected(norm(centered(jacobian)))
    found = method(symmetrize="scores")(PROTEIN)
    assert_same_map(found, (scores + scores.T) / 2)
    np.testing.assert_array_equal(found, found.T)


def test_both_symmetrizations_differ():
    one, other = method()(PROTEIN), method(symmetrize="scores")(PROTEIN)
    assert np.abs(one - other).max() > 0.05 * np.abs(one).max()


def test_couplings_are_symmetrized_whatever_the_scores_are():
    one, other = (method(symmetrize=what).couplings(PROTEIN) for what in ("couplings", "scores"))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("symmetrize", ["couplings", "scores"])
def test_without_the_correction_the_map_is_the_norm(jacobian, symmetrize):
    x = centered(jacobian)
    if symmetrize == "couplings":
        x = (x + x.transpose(2, 3, 0, 1)) / 2
    scores = norm(x)
    found = method(symmetrize=symmetrize, apc=False)(PROTEIN)
    assert_same_map(found, (scores + scores.T) / 2)
    assert (found >= 0).all()


def test_half_precision_stores_each_entry_to_eleven_bits(jacobian):
    stored = method(storage="float16").jacobian(PROTEIN)
    assert (stored.dtype, 2 * stored.nbytes) == (np.float16, jacobian.nbytes)
    np.testing.assert_array_equal(stored, jacobian.astype(np.float16))


def test_half_precision_hardly_moves_the_map():
    """To 1e-3 of the largest score: entries are rounded to 2⁻¹¹ = 5e-4 of themselves."""
    one, other = method()(PROTEIN), method(storage="float16")(PROTEIN)
    assert 0 < np.abs(one - other).max() < 1e-3 * np.abs(one).max()


@pytest.mark.parametrize("call", ["couplings", "jacobian"])
def test_tensors_come_in_the_precision_they_are_stored_in(call):
    assert getattr(method(), call)(PROTEIN).dtype == np.float32
    assert getattr(method(storage="float16"), call)(PROTEIN).dtype == np.float16
