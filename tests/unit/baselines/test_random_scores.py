import numpy as np

from baselines.random_scores import RandomScores
from harness.protein import Protein


def test_the_same_seed_gives_the_same_scores_whatever_came_before():
    method = RandomScores(0)
    first = method(Protein("p", "ACD"))
    method(Protein("q", "ACDEF"))
    np.testing.assert_array_equal(method(Protein("p", "ACD")), first)
    np.testing.assert_array_equal(RandomScores(0)(Protein("p", "ACD")), first)


def test_another_seed_gives_other_scores():
    protein = Protein("p", "ACD")
    assert not np.array_equal(RandomScores(0)(protein), RandomScores(1)(protein))


def test_proteins_of_one_length_get_scores_of_their_own():
    p, q = (RandomScores(0)(Protein(name, "ACD")) for name in "pq")
    assert not np.array_equal(p, q)


def test_scores_are_uniform():
    """124,750 pairs: the mean within five standard errors of one half, all tenths equally full."""
    scores = RandomScores(0)(Protein("p", "A" * 500))[np.triu_indices(500, 1)]
    n = len(scores)
    assert abs(scores.mean() - 0.5) < 5 / np.sqrt(12 * n)
    counts = np.histogram(scores, bins=10, range=(0, 1))[0]
    assert np.abs(counts - n / 10).max() < 5 * np.sqrt(n * 0.09)


def test_neither_sequence_nor_alignment_matters():
    one, other = (RandomScores(0)(Protein("p", sequence)) for sequence in ("ACD", "???"))
    np.testing.assert_array_equal(one, other)
