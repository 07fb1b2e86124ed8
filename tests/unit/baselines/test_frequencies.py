import numpy as np
import pytest

from baselines import frequencies
from baselines.family import Family
from baselines.frequencies import counting_memory, pair_frequencies


@pytest.fixture
def family():
    """30 weighted rows of 5 columns; some states never occur."""
    generator = np.random.default_rng(0)
    states = generator.choice([0, 3, 19, 20], size=(30, 5)).astype(np.int8)
    return Family(states, generator.random(30), np.arange(5))


def naive(family, pseudocount):
    """f_i(a) and f_ij(a, b), one sequence after another."""
    length = family.states.shape[1]
    single, joint = np.zeros((length, 21)), np.zeros((length, 21, length, 21))
    for row, weight in zip(family.states, family.weights, strict=True):
        for i in range(length):
            single[i, row[i]] += weight / family.neff
            for j in range(length):
                joint[i, row[i], j, row[j]] += weight / family.neff
    single = (1 - pseudocount) * single + pseudocount / 21
    joint = (1 - pseudocount) * joint + pseudocount / 21**2
    for i in range(length):
        joint[i, :, i] = np.diag(single[i])
    return single, joint


@pytest.mark.parametrize("pseudocount", [0, 0.2])
def test_frequencies_agree_with_a_naive_implementation(family, pseudocount):
    single, joint = naive(family, pseudocount)
    found = frequencies.frequencies(family, pseudocount)
    np.testing.assert_allclose(found, single, rtol=0, atol=1e-14)
    for i, block in pair_frequencies(family, pseudocount):
        np.testing.assert_allclose(block, joint[i, :, i:], rtol=0, atol=1e-14)


def test_every_column_comes_once_in_order_with_those_after_it(family):
    sizes = [(i, block.shape) for i, block in pair_frequencies(family, 0)]
    assert sizes == [(i, (21, 5 - i, 21)) for i in range(5)]


def test_pairs_add_up_to_the_frequencies_of_their_states(family):
    """With a pseudocount too: it is the same mixture for pairs and for single states."""
    single = frequencies.frequencies(family, 0.3)
    for i, block in pair_frequencies(family, 0.3):
        np.testing.assert_allclose(block.sum(axis=0), single[i:], rtol=0, atol=1e-14)
        expected = np.repeat(single[i][:, None], 5 - i, axis=1)
        np.testing.assert_allclose(block.sum(axis=2), expected, rtol=0, atol=1e-14)


def test_rows_may_be_counted_in_blocks(family, monkeypatch):
    """30 rows in blocks of 7; to rounding, because sums are made in another order."""
    whole = [block for _, block in pair_frequencies(family, 0)]
    monkeypatch.setattr(frequencies, "ROWS", 7)
    for one, other in zip(whole, (block for _, block in pair_frequencies(family, 0)), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-15)


def test_memory_of_counting_is_bounded_by_the_rows_counted_at_once():
    """Only the alignment itself grows on: nine bytes a letter."""
    assert counting_memory(200_000, 10) - counting_memory(100_000, 10) == 9 * 10 * 100_000
