import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.statistics import Bootstrap, correlation, holm, rank_correlation, signed_rank_p

BOOTSTRAP = Bootstrap(resamples=10_000, level=0.95, seed=0)
VALUES = np.random.default_rng(0).beta(5, 2, size=40)


def test_the_interval_agrees_with_scipy():
    """Within Monte-Carlo error.

    Of 10,000 resamples the 2.5 % quantile of a nearly normal mean has a standard error of 0.027
    standard errors of the mean; two such differ by less than 0.2 (five times √2 · 0.027).
    """
    ours = BOOTSTRAP.mean(VALUES)
    options = {"n_resamples": 10_000, "method": "percentile", "confidence_level": 0.95}
    theirs = stats.bootstrap((VALUES,), np.mean, rng=1, **options).confidence_interval
    tolerance = 0.2 * VALUES.std() / math.sqrt(len(VALUES))
    assert [ours.low, ours.high] == pytest.approx([theirs.low, theirs.high], abs=tolerance)


def test_a_higher_level_widens_the_interval():
    wide, narrow = (Bootstrap(2000, level, 0).mean(VALUES) for level in (0.99, 0.5))
    assert wide.low < narrow.low < narrow.mean < narrow.high < wide.high


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    first, again, other = (Bootstrap(500, 0.95, seed).mean(VALUES) for seed in (3, 3, 4))
    assert first == again
    assert first.low != other.low


def test_what_could_not_be_measured_is_counted_and_left_out_of_the_mean():
    estimate = BOOTSTRAP.mean(np.array([0.2, np.nan, 0.4, np.nan]))
    assert estimate.mean == pytest.approx(0.3)
    assert (estimate.n, estimate.unscored) == (2, 2)
    assert 0.2 <= estimate.low <= estimate.high <= 0.4


@pytest.mark.parametrize("values", [[], [np.nan, np.nan]])
def test_the_mean_of_nothing_is_not_zero(values):
    estimate = BOOTSTRAP.mean(np.array(values, dtype=float))
    assert all(math.isnan(v) for v in (estimate.mean, estimate.low, estimate.high))
    assert (estimate.n, estimate.unscored) == (0, len(values))


def test_one_protein_has_an_interval_without_width():
    estimate = BOOTSTRAP.mean(np.array([0.5]))
    assert (estimate.low, estimate.mean, estimate.high) == (0.5, 0.5, 0.5)


def test_a_paired_difference_is_narrower_than_the_difference_of_unpaired_means():
    """A constant gain on every protein leaves no doubt, however different the proteins are."""
    estimate = BOOTSTRAP.difference(VALUES + 0.1, VALUES)
    assert [estimate.low, estimate.mean, estimate.high] == pytest.approx([0.1, 0.1, 0.1])


def test_a_pair_with_one_missing_value_is_unscored():
    estimate = BOOTSTRAP.difference(np.array([1.0, np.nan, 3.0]), np.array([0.0, 1.0, np.nan]))
    assert (estimate.mean, estimate.n, estimate.unscored) == (1, 1, 2)


def test_a_difference_reaches_as_far_as_students_t():
    """Of normal values the expanded percentiles are those of Student's t, within Monte-Carlo error.

    With the standard deviation over n, as resampling has it; tolerance as above.
    """
    for n in (8, 40):
        values = np.sort(stats.norm.ppf((np.arange(n) + 0.5) / n))
        found = BOOTSTRAP.difference(values, np.zeros(n))
        reach = stats.t.ppf(0.975, n - 1) * values.std(ddof=1) / math.sqrt(n)
        assert [found.low, found.high] == pytest.approx([-reach, reach], rel=0.12)
        assert found.high > BOOTSTRAP.mean(values).high


def test_one_pair_has_no_interval():
    found = BOOTSTRAP.difference(np.array([1.0, np.nan]), np.array([0.5, 1.0]))
    assert (found.mean, found.n, found.unscored) == (0.5, 1, 1)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=10))
def test_the_signed_rank_test_agrees_with_every_assignment_of_signs(changes):
    """Exact: the share of all signs whose rank sum is as uneven."""
    moved = np.array([change for change in changes if change], dtype=float)
    found = signed_rank_p(np.array(changes, dtype=float) / 10)
    if not len(moved):
        assert found == 1
        return
    ranks = stats.rankdata(np.abs(moved))
    signs = np.array(np.meshgrid(*[[-1, 1]] * len(moved))).reshape(len(moved), -1)
    sums = ranks @ signs
    assert found == pytest.approx(np.mean(np.abs(sums) >= abs(ranks @ np.sign(moved)) - 1e-9))


def test_differences_that_agree_but_for_rounding_are_tied():
    changes = np.array([0.3 - 0.2, 0.2 - 0.1, 0.1, 0.4 - 0.3, 0.6 - 0.5, 0.7 - 0.6, 0.3 - 0.3])
    assert signed_rank_p(changes) == signed_rank_p(np.full(6, 0.1)) == 0.03125


def test_holms_correction_by_hand():
    """Holm (1979): the smallest p times their number, the next times one less, never falling."""
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03])), [0.03, 0.06, 0.06])
    np.testing.assert_allclose(holm(np.array([0.5, 0.9])), [1, 1])
    assert len(holm(np.array([]))) == 0


@pytest.mark.usefixtures("unchecked")
def test_values_that_are_not_paired_are_refused():
    with pytest.raises(ValueError, match="lengths 2 and 3"):
        BOOTSTRAP.difference(np.zeros(2), np.zeros(3))


@pytest.mark.parametrize(("resamples", "level"), [(0, 0.95), (10, 0), (10, 1), (10, 95)])
def test_a_bootstrap_that_makes_no_sense_is_refused(resamples, level):
    with pytest.raises(ValueError, match="resamples must be positive and level between 0 and 1"):
        Bootstrap(resamples, level, 0)


def test_a_weighted_mean_is_that_of_everything_the_proteins_have():
    bootstrap = Bootstrap(500, 0.95, 0)
    found = bootstrap.mean(np.array([1.0, 0.0, np.nan]), np.array([3.0, 1.0, 9.0]))
    assert (found.mean, found.n, found.unscored) == (0.75, 2, 1)
    assert (found.low, found.high) == (0, 1)


def test_equal_weights_change_nothing():
    bootstrap, values = Bootstrap(500, 0.95, 0), np.random.default_rng(0).random(20)
    plain, weighted = bootstrap.mean(values), bootstrap.mean(values, np.full(20, 4.0))
    np.testing.assert_allclose(
        [plain.mean, plain.low, plain.high], [weighted.mean, weighted.low, weighted.high]
    )


def test_counts_say_how_often_a_protein_is_in_each_resample():
    bootstrap, values = Bootstrap(300, 0.95, 0), np.random.default_rng(0).random(7)
    counts = bootstrap.counts(7)
    assert counts.shape == (300, 7)
    assert (counts.sum(axis=1) == 7).all()
    found = bootstrap.interval(counts @ values / 7)
    expected = bootstrap.mean(values)
    np.testing.assert_allclose(found, (expected.low, expected.high), rtol=1e-6)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(-5, 0)), min_size=3, max_size=30))
def test_correlations_agree_with_scipy_ties_included(pairs):
    """Within 1e-9: means and sums in another order."""
    a, b = np.array(pairs, dtype=float).T
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        assert math.isnan(correlation(a, b))
        assert math.isnan(rank_correlation(a, b))
    else:
        assert correlation(a, b) == pytest.approx(stats.pearsonr(a, b).statistic, abs=1e-9)
        assert rank_correlation(a, b) == pytest.approx(stats.spearmanr(a, b).statistic, abs=1e-9)


def test_ranks_see_the_order_alone():
    a = np.array([1.0, 2.0, 3.0, 4.0])
    assert rank_correlation(a, np.exp(a)) == 1
    assert rank_correlation(a, -np.exp(a)) == -1
    assert correlation(a, np.exp(a)) < 1


def test_two_values_have_no_correlation():
    assert math.isnan(correlation(np.arange(2.0), np.arange(2.0)))
    assert math.isnan(rank_correlation(np.arange(0.0), np.arange(0.0)))
