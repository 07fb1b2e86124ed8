"""Measures against brute force, and what must not change them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import metrics
from harness.metrics import SeparationRange

ANY = SeparationRange("any", 1)
FROM_THREE = SeparationRange("from_three", 3)
DIVISORS = (1, 2, 5, 10)


@st.composite
def cases(draw, distinct=False):
    """Symmetric whole-numbered scores (with many ties) and distances with unresolved residues."""
    length = draw(st.integers(1, 12))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    highest = draw(st.integers(1, 20))
    scores = generator.integers(-highest, highest + 1, size=(length, length)).astype(float)
    if distinct:
        scores = generator.permutation(length**2).reshape(length, length).astype(float)
    distances = generator.choice([5.0, 20.0], size=(length, length))
    scores, distances = (np.triu(a, 1) + np.triu(a, 1).T for a in (scores, distances))
    missing = generator.random(length) < draw(st.sampled_from([0, 0.2, 0.5, 1]))
    distances[missing] = distances[:, missing] = np.nan
    return scores, distances


def ranked_by_hand(scores, distances, lowest):
    """Whether each valid pair is a contact, best first."""
    pairs = [
        (-scores[i, j], i, j)
        for i in range(len(scores))
        for j in range(i + lowest, len(scores))
        if not math.isnan(distances[i, j])
    ]
    return [bool(distances[i, j] < 8) for _, i, j in sorted(pairs)]


def share(hits):
    return sum(hits) / len(hits) if hits else math.nan


def same(a, b):
    return a == pytest.approx(b, nan_ok=True)


def every_measure(scores, distances):
    pairs = metrics.rank_pairs(scores, distances, ANY, 8)
    values = [metrics.precision_at(pairs, divisor) for divisor in DIVISORS]
    values += [metrics.r_precision(pairs), metrics.average_precision(pairs)]
    return [*values, metrics.mean_precision_deciles(pairs), metrics.ceiling_at(pairs, 1)]


@given(cases(), st.sampled_from([ANY, FROM_THREE]))
def test_the_ranking_is_that_of_sorting_by_score_and_then_by_position(case, within):
    pairs = metrics.rank_pairs(*case, within, 8)
    assert pairs.contact.tolist() == ranked_by_hand(*case, within.lowest)


@given(cases())
def test_precision_and_its_companions_agree_with_counting(case):
    pairs, hits = metrics.rank_pairs(*case, ANY, 8), ranked_by_hand(*case, 1)
    length = len(case[0])
    for divisor in DIVISORS:
        assert same(metrics.precision_at(pairs, divisor), share(hits[: max(1, length // divisor)]))
    assert same(metrics.r_precision(pairs), share(hits[: sum(hits)]))
    tenths = [share(hits[: max(1, length * tenth // 10)]) for tenth in range(1, 11)]
    assert same(metrics.mean_precision_deciles(pairs), sum(tenths) / 10)


@given(cases(distinct=True))
def test_average_precision_is_the_mean_precision_at_the_contacts(case):
    pairs, hits = metrics.rank_pairs(*case, ANY, 8), ranked_by_hand(*case, 1)
    at_contacts = [share(hits[: k + 1]) for k, hit in enumerate(hits) if hit]
    expected = sum(at_contacts) / len(at_contacts) if at_contacts else math.nan
    assert same(metrics.average_precision(pairs), expected)


@given(cases(), st.sampled_from([lambda s: 2 * s + 3, lambda s: s**3, lambda s: np.exp(s / 9)]))
def test_only_the_order_of_the_scores_matters(case, transform):
    scores, distances = case
    assert same(every_measure(transform(scores), distances), every_measure(scores, distances))


@given(cases(distinct=True))
def test_a_chain_read_backwards_measures_the_same(case):
    """Scores and distances transposed along the other diagonal; without ties, which would break."""
    scores, distances = case
    backwards = scores[::-1, ::-1].copy(), distances[::-1, ::-1].copy()
    assert same(every_measure(*backwards), every_measure(scores, distances))


@given(cases())
def test_the_lower_triangle_is_never_read(case):
    scores, distances = case
    upper = np.triu(scores, 1), np.triu(distances, 1)
    assert same(every_measure(*upper), every_measure(scores, distances))


@given(cases(), st.sampled_from(DIVISORS))
def test_precision_never_exceeds_the_ceiling(case, divisor):
    pairs = metrics.rank_pairs(*case, ANY, 8)
    if pairs.n_valid:
        assert metrics.precision_at(pairs, divisor) <= metrics.ceiling_at(pairs, divisor)


@given(cases(), st.sampled_from(DIVISORS))
def test_a_perfect_ranking_reaches_the_ceiling(case, divisor):
    distances = case[1]
    perfect = metrics.rank_pairs((distances < 8).astype(float), distances, ANY, 8)
    assert same(metrics.precision_at(perfect, divisor), metrics.ceiling_at(perfect, divisor))


@given(cases(), st.integers(0, 11))
def test_an_unresolved_residue_never_adds_a_pair(case, residue):
    scores, distances = case
    before = metrics.rank_pairs(scores, distances, ANY, 8)
    distances = distances.copy()
    residue %= len(distances)
    distances[residue] = distances[:, residue] = np.nan
    after = metrics.rank_pairs(scores, distances, ANY, 8)
    assert after.n_valid <= before.n_valid
    assert after.n_true <= before.n_true
    assert after.length == before.length


@given(cases(distinct=True))
def test_the_published_number_is_precision_at_half_the_length(case):
    pairs = metrics.rank_pairs(*case, ANY, 8)
    length = len(case[0])
    if length % 2 == 0 and pairs.n_valid >= length // 2:
        assert metrics.precision_ordered(*case, ANY, 8) == metrics.precision_at(pairs, 2)
