import math

import numpy as np
import pytest

from harness.recovery import Jump, correlation, recovery

BLOCK = np.array([[0.0, 0.8, 0.1], [0.8, 0.0, 0.5], [0.1, 0.5, 0.0]])
PUBLISHED = Jump(rise=0.5, drop=0.2, following=10, tolerance=2)


def test_a_block_is_recovered_by_itself_and_by_nothing_not_at_all():
    assert recovery(BLOCK, BLOCK) == 1
    assert recovery(BLOCK, 0 * BLOCK) == 0
    assert recovery(BLOCK, BLOCK / 2) == pytest.approx(0.5)


def test_recovery_is_the_weighted_share_of_the_published_script():
    masked = np.random.default_rng(0).random(BLOCK.shape)
    expected = np.sum(np.multiply(BLOCK, masked)) / np.sum(np.multiply(BLOCK, BLOCK))
    assert recovery(BLOCK, masked) == pytest.approx(expected)


def test_a_block_of_zeros_has_no_recovery():
    assert math.isnan(recovery(0 * BLOCK, BLOCK))


def test_correlation_does_not_see_the_scale():
    assert correlation(BLOCK, 3 * BLOCK + 1, on_diagonal=False) == pytest.approx(1)
    assert correlation(BLOCK, -BLOCK, on_diagonal=False) == pytest.approx(-1)


def test_on_the_diagonal_each_pair_counts_once_and_the_diagonal_not_at_all():
    other = BLOCK.copy()
    np.fill_diagonal(other, 9)
    other[2, 0] = 7
    assert correlation(BLOCK, other, on_diagonal=True) == pytest.approx(1)
    assert correlation(BLOCK, other, on_diagonal=False) < 0.9


@pytest.mark.parametrize("constant", [np.ones((3, 3)), np.zeros((3, 3))])
def test_a_constant_block_has_no_correlation(constant):
    assert math.isnan(correlation(BLOCK, constant, on_diagonal=True))
    assert math.isnan(correlation(constant, BLOCK, on_diagonal=False))
    assert math.isnan(correlation(np.ones((1, 1)), np.ones((1, 1)), on_diagonal=True))


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ([0.1, 0.2, 0.8, 0.8, 0.9], 2),
        ([0.1, 0.59, 0.8], None),  # never half at once
        ([0.1, 0.6], 1),
        ([0.6, 0.7, 0.8], None),  # high from the start
        ([0.0, 0.9, 0.6, 0.6, 0.9], 1),  # two of those that follow have fallen
        ([0.0, 0.9, 0.6, 0.6, 0.6, 0.9], None),  # three have
        ([0.0, 0.9, 0.1, 0.1, 0.1, 0.8, 0.8], 5),  # the second jump is stable
        ([0.0, 1.0, *[0.9] * 9, 0.0, 0.0, 0.0], 1),  # what comes after ten does not count
        ([0.5], None),
        ([], None),
    ],
)
def test_the_first_stable_jump(values, place):
    assert PUBLISHED.first(values) == place


def published(y, rise=0.5, drop=0.2, window=10, tolerance=2):
    """The rule of the published notebook, written anew from its description."""
    for i in range(1, len(y)):
        if y[i] >= y[i - 1] + rise:
            fallen = [v for v in y[i : min(len(y), i + window)] if v < y[i] - drop]
            if len(fallen) <= tolerance:
                return i
    return None


def test_jumps_are_those_of_the_published_rule():
    generator = np.random.default_rng(0)
    found = []
    for _ in range(300):
        curve = generator.random(generator.integers(0, 30)) ** 3
        assert PUBLISHED.first(curve.tolist()) == published(curve)
        found.append(PUBLISHED.first(curve.tolist()))
    assert 20 < sum(place is None for place in found) < 280
