"""Which pairs are ranked, in what order, and what the published script's ranking differs in."""

import math

import numpy as np
import pytest

from harness import metrics
from harness.metrics import RANGES, SeparationRange

ANY = SeparationRange("any", 1)
NEAR, FAR = 5.0, 20.0


def symmetric(values):
    upper = np.triu(values, 1)
    return upper + upper.T


def random_case(length, seed=0):
    generator = np.random.default_rng(seed)
    scores = symmetric(generator.random((length, length)))
    distances = symmetric(np.where(generator.random((length, length)) < 0.3, NEAR, FAR))
    return scores, distances


def distances_with(contacts, length):
    distances = np.full((length, length), FAR)
    for i, j in contacts:
        distances[i, j] = distances[j, i] = NEAR
    return distances


def test_each_pair_is_counted_once():
    """Both triangles would make "top L" L/2 pairs."""
    scores, distances = random_case(6)
    pairs = metrics.rank_pairs(scores, distances, ANY, 8)
    assert pairs.n_valid == 15
    assert len(set(pairs.score.tolist())) == 15


def test_pairs_are_ranked_by_descending_score():
    scores, distances = random_case(6)
    ranked = metrics.rank_pairs(scores, distances, ANY, 8).score
    assert ranked.tolist() == sorted(ranked, reverse=True)


@pytest.mark.parametrize(("pair", "rank"), [((0, 1), 0), ((0, 3), 2), ((1, 2), 3), ((2, 3), 5)])
def test_ties_are_broken_by_the_first_residue_and_then_by_the_second(pair, rank):
    pairs = metrics.rank_pairs(np.ones((4, 4)), distances_with([pair], 4), ANY, 8)
    assert pairs.contact.argmax() == rank


def test_a_distance_equal_to_the_cutoff_is_no_contact():
    distances = np.array([[0, 8.0], [8.0, 0]])
    assert metrics.rank_pairs(np.ones((2, 2)), distances, ANY, 8.0).n_true == 0
    assert metrics.rank_pairs(np.ones((2, 2)), distances, ANY, 8.1).n_true == 1


def test_a_pair_with_an_unresolved_residue_is_invalid_and_no_non_contact():
    scores, distances = random_case(5)
    distances[2] = distances[:, 2] = np.nan
    pairs = metrics.rank_pairs(scores, distances, ANY, 8)
    assert pairs.n_valid == 6
    assert not np.isin(scores[2], pairs.score).any()


def test_separation_is_counted_in_the_full_sequence():
    """Twenty residues between 0 and 24 are unresolved: the pair stays a long-range one."""
    distances = distances_with([(0, 24)], 25)
    distances[2:22] = distances[:, 2:22] = np.nan
    pairs = metrics.rank_pairs(np.ones((25, 25)), distances, RANGES["long"], 8)
    assert (pairs.n_valid, pairs.n_true) == (1, 1)


def test_the_length_of_a_ranking_counts_unresolved_residues():
    distances = distances_with([], 20)
    distances[:10] = distances[:, :10] = np.nan
    assert metrics.rank_pairs(np.ones((20, 20)), distances, ANY, 8).top(1) == 20


def test_a_range_that_the_protein_is_too_short_for_has_no_pairs():
    scores, distances = random_case(5)
    assert metrics.rank_pairs(scores, distances, RANGES["long"], 8).n_valid == 0


@pytest.mark.parametrize("seed", range(5))
def test_the_published_ranking_of_ordered_pairs_is_precision_at_half_the_length(seed):
    """For an even length and a symmetric map without ties."""
    scores, distances = random_case(30, seed)
    half = metrics.precision_at(metrics.rank_pairs(scores, distances, ANY, 8), 2)
    assert metrics.precision_ordered(scores, distances, ANY, 8) == half


@pytest.mark.parametrize("seed", range(5))
def test_the_published_ranking_counts_half_a_pair_when_the_length_is_odd(seed):
    scores, distances = random_case(7, seed)
    hits = metrics.rank_pairs(scores, distances, ANY, 8).contact
    expected = (2 * hits[:3].sum() + hits[3]) / 7
    assert metrics.precision_ordered(scores, distances, ANY, 8) == pytest.approx(expected)


def test_the_published_ranking_is_not_precision_at_the_length():
    """Two pairs of four residues fill its list of four, and both are contacts."""
    scores = symmetric(np.arange(16.0)[::-1].reshape(4, 4))
    distances = distances_with([(0, 1), (0, 2)], 4)
    assert metrics.precision_ordered(scores, distances, ANY, 8) == 1
    assert metrics.precision_at(metrics.rank_pairs(scores, distances, ANY, 8), 1) == 1 / 2


def test_the_published_ranking_of_nothing_cannot_be_measured():
    assert math.isnan(metrics.precision_ordered(*random_case(5), RANGES["long"], 8))


def test_the_published_ranking_leaves_unresolved_pairs_out():
    """The first residue has the best scores; then come a contact and a pair that is none."""
    scores = symmetric(np.arange(16.0)[::-1].reshape(4, 4))
    distances = distances_with([(1, 2)], 4)
    distances[0] = distances[:, 0] = np.nan
    assert metrics.precision_ordered(scores, distances, ANY, 8) == 1 / 2


def test_residues_of_two_chains_have_no_separation():
    separation = metrics.separations(5, (2,))
    assert separation[0].tolist()[:2] == [0, 1]
    assert np.isnan(separation[:2, 2:]).all()
    assert np.isnan(separation[2:, :2]).all()
    assert separation[2, 4] == 2
    assert separation[4, 2] == -2


def test_pairs_between_chains_are_in_the_range_inter_and_in_no_other():
    """Of two chains of 40 residues, 40 · 40 pairs are between them."""
    scores, distances = random_case(80)
    within = [metrics.rank_pairs(scores, distances, item, 8, (40,)) for item in RANGES.values()]
    chains = dict(zip(RANGES, within, strict=True))
    assert chains["inter"].n_valid == 1600
    assert ((chains["inter"].i < 40) & (chains["inter"].j >= 40)).all()
    for name in set(RANGES) - {"inter"}:
        assert (chains[name].j - chains[name].i).max() < 40
        assert ((chains[name].i < 40) == (chains[name].j < 40)).all()


def test_one_chain_has_no_pair_between_chains():
    scores, distances = random_case(30)
    pairs = metrics.rank_pairs(scores, distances, RANGES["inter"], 8)
    assert pairs.n_valid == 0
    assert math.isnan(metrics.precision_at(pairs, 1))


def test_the_length_of_a_complex_is_that_of_all_its_chains():
    scores, distances = random_case(30)
    assert metrics.rank_pairs(scores, distances, RANGES["inter"], 8, (10,)).top(1) == 30


def test_ordered_pairs_between_chains_are_ranked_by_themselves():
    scores, distances = random_case(30)
    half = metrics.precision_at(metrics.rank_pairs(scores, distances, RANGES["inter"], 8, (9,)), 2)
    assert metrics.precision_ordered(scores, distances, RANGES["inter"], 8, (9,)) == half


@pytest.mark.parametrize(
    ("name", "text"),
    [("long", "|i − j| ≥ 24"), ("short", "|i − j| 6–11"), ("inter", "between chains")],
)
def test_a_range_says_what_it_is(name, text):
    assert str(RANGES[name]) == text
