"""Values of every measure, worked out by hand."""

import math

import numpy as np
import pytest

from harness import metrics
from harness.metrics import RankedPairs


def pairs(contact, score, length):
    """Pairs whose places do not matter."""
    places = np.arange(len(contact))
    return RankedPairs(places, places + 1, contact, score, length)


# Best first: contact, no, contact, contact, no; four residues, so that P@L looks at four pairs.
FIVE = pairs(np.array([True, False, True, True, False]), np.arange(5.0, 0, -1), length=4)
NONE = pairs(np.zeros(0, dtype=bool), np.zeros(0), length=4)
NO_CONTACT = pairs(np.zeros(3, dtype=bool), np.arange(3.0), length=4)

MEASURES = {
    "precision": lambda pairs: metrics.precision_at(pairs, 1),
    "ceiling": lambda pairs: metrics.ceiling_at(pairs, 1),
    "r_precision": metrics.r_precision,
    "average_precision": metrics.average_precision,
    "deciles": metrics.mean_precision_deciles,
}


@pytest.mark.parametrize(("divisor", "expected"), [(1, 3 / 4), (2, 1 / 2), (5, 1), (10, 1)])
def test_precision_is_the_share_of_contacts_among_the_bestpairs(divisor, expected):
    assert metrics.precision_at(FIVE, divisor) == expected


@pytest.mark.parametrize(("divisor", "expected"), [(1, 3 / 4), (2, 1), (5, 1)])
def test_the_ceiling_is_what_a_perfect_ranking_reaches(divisor, expected):
    assert metrics.ceiling_at(FIVE, divisor) == expected


def test_r_precision_looks_at_as_many_pairs_as_there_are_contacts():
    assert metrics.r_precision(FIVE) == 2 / 3


def test_average_precision_averages_the_precision_at_each_contact():
    assert metrics.average_precision(FIVE) == pytest.approx((1 / 1 + 2 / 3 + 3 / 4) / 3)


def test_average_precision_takes_tied_scores_together():
    tied = pairs(np.array([True, False]), np.ones(2), length=2)
    assert metrics.average_precision(tied) == 0.5


def test_the_deciles_look_at_one_tenth_of_the_length_to_all_of_it():
    """One pair (at 0.1 to 0.4 L), two (0.5 to 0.7), three (0.8, 0.9), four."""
    expected = (4 * 1 + 3 * 1 / 2 + 2 * 2 / 3 + 3 / 4) / 10
    assert metrics.mean_precision_deciles(FIVE) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("length", "divisor", "k"),
    [(1, 1, 1), (1, 10, 1), (9, 10, 1), (9, 5, 1), (10, 5, 2), (27, 2, 13), (27, 10, 2)],
)
def test_at_least_one_pair_is_looked_at_however_short_the_protein(length, divisor, k):
    assert pairs(np.ones(1, dtype=bool), np.ones(1), length).top(divisor) == k


def test_with_fewer_valid_pairs_than_k_their_number_divides():
    two = pairs(np.array([True, False]), np.array([2.0, 1]), length=10)
    assert metrics.precision_at(two, 1) == 1 / 2
    assert metrics.ceiling_at(two, 1) == 1 / 2


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_without_a_valid_pair_nothing_can_be_measured(measure):
    assert math.isnan(measure(NONE))


@pytest.mark.parametrize("name", ["r_precision", "average_precision"])
def test_without_a_contact_recall_cannot_be_measured(name):
    assert math.isnan(MEASURES[name](NO_CONTACT))


@pytest.mark.parametrize("name", ["precision", "ceiling", "deciles"])
def test_without_a_contact_precision_is_zero_and_not_unmeasured(name):
    assert MEASURES[name](NO_CONTACT) == 0


def test_the_counts_are_those_of_validpairs():
    assert (FIVE.n_valid, FIVE.n_true) == (5, 3)


def test_the_published_ranges_cover_separations_from_six_without_overlap():
    separation = np.arange(40.0)
    inside = np.array([metrics.RANGES[n].contains(separation) for n in ("short", "medium", "long")])
    assert inside.sum(axis=0).tolist() == [0] * 6 + [1] * 34
    assert inside.argmax(axis=0)[[6, 11, 12, 23, 24, 39]].tolist() == [0, 0, 1, 1, 2, 2]


def test_the_contact_definitions_name_atom_and_cutoff():
    stated = {c.name: (c.atom, c.cutoff) for c in metrics.CONTACTS.values()}
    assert stated == {"cb8": ("CB", 8), "ca8": ("CA", 8), "cb10": ("CB", 10)}
    assert list(metrics.CONTACTS) == list(stated)
