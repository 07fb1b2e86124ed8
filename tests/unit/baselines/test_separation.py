import numpy as np

from baselines.separation import SeparationPrior
from harness.protein import Protein


def test_the_score_is_one_over_the_separation():
    expected = [[0, 1, 1 / 2], [1, 0, 1], [1 / 2, 1, 0]]
    np.testing.assert_allclose(SeparationPrior()(Protein("p", "ACD")), expected)


def test_a_nearer_pair_always_scores_higher():
    first_row = SeparationPrior()(Protein("p", "A" * 50))[0, 1:]
    assert (np.diff(first_row) < 0).all()


def test_neither_sequence_nor_masking_matters():
    protein = Protein("p", "ACD")
    one, other = SeparationPrior()(protein), SeparationPrior()(protein.masked(()))
    np.testing.assert_array_equal(one, other)


def test_residues_of_two_chains_score_nothing():
    scores = SeparationPrior()(Protein("p", "ACDE", breaks=(2,)))
    assert scores.tolist() == [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]
