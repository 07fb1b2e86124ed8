import math

import numpy as np
import pytest

from harness.coupled_pairs import CoupledPairs, above, couplings_of, far_enough, rank_coupled
from harness.errors import InputError
from harness.protein import Protein

SCORES = np.array([[0, 1, 5, 2], [1, 0, 1, 5], [5, 1, 0, 9], [2, 5, 9, 0]], dtype=float)


def listed(pairs):
    return list(zip(pairs.i.tolist(), pairs.j.tolist(), strict=True))


def test_pairs_come_by_score_and_ties_by_place():
    pairs = rank_coupled(SCORES, far_enough(Protein("p", "ACDE"), 1))
    assert listed(pairs) == [(2, 3), (0, 2), (1, 3), (0, 3), (0, 1), (1, 2)]
    assert listed(pairs.top(2)) == [(2, 3), (0, 2)]
    assert len(pairs.top(99)) == 6


def test_near_pairs_are_left_out_but_not_those_of_two_chains():
    assert listed(rank_coupled(SCORES, far_enough(Protein("p", "ACDE"), 2))) == [
        *[(0, 2), (1, 3), (0, 3)]
    ]
    split = Protein("p", "ACDE", breaks=(3,))
    assert listed(rank_coupled(SCORES, far_enough(split, 2))) == [(2, 3), (0, 2), (1, 3), (0, 3)]


def test_blocks_are_those_of_the_pairs():
    couplings = np.arange(4 * 20 * 4 * 20, dtype=np.float32).reshape(4, 20, 4, 20)
    blocks = CoupledPairs(np.array([2, 0]), np.array([3, 1])).blocks(couplings)
    np.testing.assert_array_equal(blocks, [couplings[2, :, 3], couplings[0, :, 1]])


def test_a_share_is_of_the_first():
    one = CoupledPairs(np.array([0, 1]), np.array([1, 2]))
    other = CoupledPairs(np.array([1, 1, 0]), np.array([2, 3, 2]))
    assert (one.shared_with(other), other.shared_with(one)) == (1 / 2, 1 / 3)
    assert math.isnan(one.top(0).shared_with(other))


def test_entries_above_sigma_are_those_of_either_sign():
    """σ = √((4 · 9 + 396) / 400) = 1.04 of four entries of ±3 and 396 of 1."""
    block = np.ones((1, 20, 20))
    block[0, 0, :4] = [3, -3, 3, -3]
    assert above(block, 0).all()
    np.testing.assert_array_equal(above(block, 1), np.abs(block) == 3)
    assert not above(block, 3).any()
    assert not above(np.zeros((1, 20, 20)), 0).any()
    assert above(np.zeros((0, 20, 20)), 1).shape == (0, 20, 20)


def test_a_method_without_couplings_is_named():
    class Plain:
        def __call__(self, protein):
            return SCORES

    with pytest.raises(InputError, match="Plain gives contact scores without couplings"):
        couplings_of(Plain(), Protein("p", "ACDE"))
