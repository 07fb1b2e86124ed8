import numpy as np
import pytest

from baselines.covariance import covariance, minus_inverse_
from baselines.family import Family
from harness.errors import InputError


@pytest.fixture
def family():
    generator = np.random.default_rng(0)
    states = generator.integers(0, 21, (200, 4)).astype(np.int8)
    return Family(states, generator.random(200), np.arange(4))


def full(upper):
    """The whole matrix of which the upper blocks are given; those on the diagonal are whole."""
    size = upper.shape[0] * upper.shape[1]
    above = np.triu(upper.reshape(size, size))
    return above + np.triu(above, 1).T


@pytest.mark.parametrize("states", [20, 21])
def test_covariance_agrees_with_numpy(family, states):
    one_hot = (family.states[:, :, None] == np.arange(states)).reshape(200, -1)
    expected = np.cov(one_hot.T.astype(float), aweights=family.weights, bias=True)
    found = full(covariance(family, states, 0.0))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)


def test_a_pseudocount_is_a_gaussian_prior(family):
    """(1 − λ) C + λ U + λ (1 − λ) d dᵀ, d the distance of the means: Baldassi et al. 2014."""
    share = 0.3
    empirical, mean = full(covariance(family, 20, 0.0)), np.zeros((4, 20))
    for i in range(4):
        for a in range(20):
            mean[i, a] = family.weights[family.states[:, i] == a].sum() / family.neff
    distance = (mean - 1 / 21).reshape(-1)
    uniform = np.kron(np.eye(4), np.eye(20) / 21 - 1 / 21**2)
    expected = (1 - share) * empirical + share * uniform
    expected += share * (1 - share) * np.outer(distance, distance)
    found = full(covariance(family, 20, share))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("length", [1, 13, 40])
def test_inverse_agrees_with_numpy_and_takes_no_place_of_its_own(length):
    """520 and 800 rows are mirrored in several blocks; the lower triangle is never read."""
    size = 20 * length
    drawn = np.random.default_rng(length).standard_normal((size, 2 * size))
    matrix = drawn @ drawn.T / size
    upper = np.triu(matrix).reshape(length, 20, length, 20)
    found = minus_inverse_(upper, "")
    assert np.shares_memory(found, upper)
    flat = found.reshape(size, size)
    np.testing.assert_array_equal(flat, flat.T)
    np.testing.assert_allclose(flat @ matrix, -np.eye(size), rtol=0, atol=1e-10)


def test_a_singular_matrix_is_an_error_that_offers_the_remedy():
    with pytest.raises(InputError, match=r"singular to rounding; raise method\.ridge"):
        minus_inverse_(np.zeros((2, 20, 2, 20)), "raise method.ridge")
