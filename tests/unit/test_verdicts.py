"""Verdicts on planted differences, on noise, and where there is little or nothing to compare."""

import math
from collections import Counter

import numpy as np
import pytest

from benchmarks.intervals import coverage
from harness.statistics import Bootstrap
from harness.verdicts import Paired, Rules, counts, judge

BOOTSTRAP = Bootstrap(resamples=2000, level=0.95, seed=0)
RULES = Rules(BOOTSTRAP, tolerance=0.01, partial=False)


def paired(candidate, reference, metric="p_at_L", **fields):
    values = [np.asarray(side, dtype=float) for side in (candidate, reference)]
    names = [f"protein{n}" for n in range(len(values[0]))]
    missing = {"absent": 0, "added": 0, "weights": np.ones(len(names)), "proteins": names} | fields
    return Paired(metric, "long", *values, **missing)


def verdict(candidate, reference, rules=RULES, **fields):
    (found,) = judge([paired(candidate, reference, **fields)], rules)
    return found


def precisions(rng, n=60):
    """P@L of proteins of 100 residues."""
    return rng.binomial(100, rng.beta(4, 4, n)) / 100


def drawn(change, spread, draws=200, metrics=1):
    """Verdicts on a reference and a candidate that differs by change ± spread a protein."""
    rng, found = np.random.default_rng(0), Counter()
    for _ in range(draws):
        pairs = []
        for _ in range(metrics):
            reference = precisions(rng)
            pairs.append(paired(reference + rng.normal(change, spread, 60), reference))
        found.update({one.verdict for one in judge(pairs, RULES)})
    return {name: n / draws for name, n in found.items()}


@pytest.mark.parametrize(("change", "expected"), [(0.05, "improved"), (-0.05, "regressed")])
def test_a_planted_difference_is_found(change, expected):
    """Five standard errors: the power at 5 % is 99.9 %."""
    assert drawn(change, spread=0.075)[expected] > 0.98


def test_planted_equality_is_found():
    """The interval of ± 1.96 · 0.015 / √60 = 0.004 lies within 0.01 nearly always."""
    assert drawn(change=0, spread=0.015)["equivalent"] > 0.98


def test_a_real_difference_within_the_tolerance_does_not_matter():
    assert drawn(change=0.005, spread=0.005)["equivalent"] == 1


def test_noise_is_inconclusive_and_seldom_anything_else():
    """At most 5 % of draws, plus three standard errors of 200 (0.046)."""
    found = drawn(change=0, spread=0.1)
    assert found["inconclusive"] > 0.9
    assert found.get("improved", 0) + found.get("regressed", 0) < 0.05 + 0.046


def test_many_metrics_of_noise_raise_no_more_alarms_than_one():
    """Without correction one of ten independent metrics is at fault in 40 % of draws."""
    found = drawn(change=0, spread=0.1, metrics=10)
    assert found.get("improved", 0) + found.get("regressed", 0) < 0.05 + 0.046


@pytest.mark.parametrize("n", [10, 32, 62])
def test_the_paired_interval_covers_the_true_difference_as_often_as_it_says(n):
    """95 % ± 2 of 1,000 draws, whose own standard error is 0.7; of eight proteins it is 93."""
    expanded, _ = coverage(n, 1000, BOOTSTRAP)
    assert abs(expanded - 0.95) <= 0.02


def test_equal_values_are_equivalent_and_all_tied():
    values = precisions(np.random.default_rng(0), 10)
    found = verdict(values, values)
    assert (found.verdict, found.difference, found.p) == ("equivalent", 0, 1)
    assert (found.wins, found.losses, found.ties, found.worst) == (0, 0, 10, [])


def test_numbers_are_those_of_the_pairs():
    reference = [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, math.nan]
    candidate = [0.6, 0.4, 0.2, 0.5, 0.7, 0.6, 0.9]
    found = verdict(candidate, reference)
    assert (found.candidate, found.reference) == (pytest.approx(0.5), 0.5)
    assert found.difference == pytest.approx(0)
    assert (found.n, found.unscored, found.wins, found.losses, found.ties) == (6, 1, 3, 2, 1)
    assert [(name, round(change, 9)) for name, change in found.worst] == [
        ("protein2", -0.3),
        ("protein1", -0.1),
    ]


def test_one_protein_is_never_enough():
    found = verdict([0.9], [0.1])
    assert (found.verdict, found.n) == ("inconclusive", 1)
    assert found.difference == pytest.approx(0.8)
    assert math.isnan(found.low)
    assert math.isnan(found.p_holm)
    assert found.reason == "scored pairs: 1; it takes 6"


@pytest.mark.parametrize("values", [[], [math.nan] * 8])
def test_nothing_to_compare_is_inconclusive(values):
    found = verdict(values, values)
    assert (found.verdict, found.n) == ("inconclusive", 0)
    assert math.isnan(found.difference)
    assert math.isnan(found.p)


def test_five_pairs_conclude_nothing_and_six_do():
    assert verdict([0.9] * 5, [0.1] * 5).verdict == "inconclusive"
    assert verdict([0.9] * 6, [0.1] * 6).verdict == "improved"


def test_a_candidate_that_lost_proteins_has_not_improved():
    """It may have dropped those that it is bad at."""
    reference, candidate = [0.3] * 12, [0.8] * 10 + [math.nan] * 2
    found = verdict(candidate, reference)
    assert (found.verdict, found.lost) == ("inconclusive", 2)
    assert found.reason == "2 proteins have a value in the reference alone"
    assert verdict([0.8] * 12, reference, absent=1).verdict == "inconclusive"
    assert verdict([0.3] * 12, reference, absent=1).verdict == "inconclusive"
    assert verdict(candidate, reference, Rules(BOOTSTRAP, 0.01, True)).verdict == "improved"


def test_a_candidate_that_lost_proteins_may_still_have_regressed():
    assert verdict([0.1] * 10 + [math.nan] * 2, [0.6] * 12).verdict == "regressed"


def test_proteins_that_the_candidate_adds_change_nothing():
    found = verdict([0.8] * 12, [0.3] * 12, added=5)
    assert (found.verdict, found.added) == ("improved", 5)


def test_what_the_reference_could_not_score_is_no_loss():
    found = verdict([0.8] * 12, [0.3] * 10 + [math.nan] * 2)
    assert (found.verdict, found.lost, found.unscored) == ("improved", 0, 2)


def test_an_interval_beside_zero_is_not_enough_where_ranks_do_not_agree():
    """One protein that gains a lot moves the mean; Wilcoxon's ranks do not follow."""
    change = [0.9, 0.9] + [0.02, -0.02] * 4 + [0.01]
    found = verdict(np.array(change), np.zeros(11))
    assert found.verdict == "inconclusive"


def test_weights_count_in_the_mean():
    weights = np.array([9.0] + [1.0] * 9)
    found = verdict([1.0] + [0.0] * 9, [0.0] * 10, weights=weights)
    assert found.difference == pytest.approx(0.5)
    assert found.candidate == pytest.approx(0.5)


def test_correction_is_over_the_metrics_that_are_tested():
    good = paired([0.9] * 6, [0.1] * 6)
    few = paired([0.9] * 3, [0.1] * 3, metric="spearman")
    alone, with_few, twice = (judge(one, RULES)[0] for one in ([good], [good, few], [good] * 2))
    assert alone.p_holm == with_few.p_holm == 0.03125
    assert twice.p_holm == 0.0625
    assert twice.verdict == "inconclusive"
    assert twice.reason == "the interval leaves out 0, but p is 0.062 after correction"


def test_a_negative_tolerance_is_refused():
    with pytest.raises(ValueError, match="must not be negative"):
        Rules(BOOTSTRAP, -0.1, False)


def test_verdicts_are_counted_the_worst_first():
    found = judge([paired([0.9] * 6, [0.1] * 6), paired([0.1] * 3, [0.1] * 3)], RULES)
    expected = {"regressed": 0, "inconclusive": 1, "equivalent": 0, "improved": 1}
    assert list(counts(found).items()) == list(expected.items())
