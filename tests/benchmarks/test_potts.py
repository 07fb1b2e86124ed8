"""The referee of coevolution models."""

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.potts import Potts, contact_map, from_pairs, objective

LENGTH, ROWS = 4, 6


@pytest.fixture
def problem():
    """A model, states and weights, all random."""
    random = np.random.default_rng(0)
    pairs = LENGTH * (LENGTH - 1) // 2
    potts = from_pairs(random.normal(size=(LENGTH, 21)), random.normal(size=(pairs, 21, 21)))
    states = random.integers(0, 21, (ROWS, LENGTH)).astype(np.int8)
    return SimpleNamespace(potts=potts, states=states, weights=random.random(ROWS))


def by_hand(potts, states, weights):
    """The sum as it is written on paper, one conditional at a time."""
    total = 0.01 * (potts.fields**2).sum()
    for i in range(LENGTH):
        for j in range(i + 1, LENGTH):
            total += 0.2 * (LENGTH - 1) * (potts.couplings[i, :, j] ** 2).sum()
    for row, weight in zip(states, weights, strict=True):
        for i in range(LENGTH):
            logits = potts.fields[i].copy()
            for j in set(range(LENGTH)) - {i}:
                logits += potts.couplings[i, :, j, row[j]]
            total -= weight * (logits[row[i]] - np.log(np.exp(logits).sum()))
    return total


def test_pairs_fill_a_symmetric_tensor_without_a_diagonal(problem):
    couplings = problem.potts.couplings
    np.testing.assert_array_equal(couplings, couplings.transpose(2, 3, 0, 1))
    for i in range(LENGTH):
        assert not couplings[i, :, i].any()
    counted = from_pairs(np.zeros((3, 21)), np.arange(3)[:, None, None] * np.ones((21, 21)))
    assert [counted.couplings[i, 0, j, 0] for i, j in ((0, 1), (0, 2), (1, 2))] == [0, 1, 2]


def test_the_objective_is_the_sum_written_out(problem):
    centered = problem.potts.fields - problem.potts.fields.mean(axis=1, keepdims=True)
    potts = Potts(centered, problem.potts.couplings)
    expected = by_hand(potts, problem.states, problem.weights)
    found = objective(potts, problem.states, problem.weights)
    assert found == pytest.approx(expected, rel=1e-12)


def test_a_constant_in_the_fields_costs_nothing(problem):
    shifted = Potts(5 + problem.potts.fields, problem.potts.couplings)
    data = problem.states, problem.weights
    assert objective(shifted, *data) == pytest.approx(objective(problem.potts, *data), rel=1e-12)


def test_a_map_does_not_depend_on_the_gauge_of_the_couplings(problem):
    moved = problem.potts.couplings + np.arange(21)[:, None, None]  # of b alone, for every pair
    moved = moved + moved.transpose(2, 3, 0, 1)
    doubled = Potts(problem.potts.fields, 2 * problem.potts.couplings)
    same = contact_map(Potts(problem.potts.fields, moved))
    np.testing.assert_allclose(same, contact_map(doubled), atol=1e-12)
