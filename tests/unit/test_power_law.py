import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.power_law import ALPHAS, Growth, fit_power_laws
from harness.statistics import Bootstrap

SIZES = np.geomspace(1e4, 1e8, 6)
BOOTSTRAP = Bootstrap(300, 0.95, 0)


def curve(plateau, span, alpha, sizes=SIZES):
    return plateau - span * (sizes / sizes.min()) ** -alpha


def proteins(means, n=60, seed=0, noise=0.05):
    """Proteins that differ from one another, by as much in every model, and by noise."""
    generator = np.random.default_rng(seed)
    own = generator.normal(0, 0.1, (n, 1))
    return means + own + generator.normal(0, noise, (n, len(means)))


def growth(values, sizes=SIZES, bootstrap=BOOTSTRAP):
    return Growth(sizes, values, np.ones_like(values), bootstrap)


@given(
    plateau=st.floats(0.2, 1), span=st.floats(0.05, 1), alpha=st.floats(0.1, 2), n=st.integers(4, 8)
)
def test_a_planted_power_law_is_found(plateau, span, alpha, n):
    sizes = np.geomspace(1e3, 1e7, n)
    law = fit_power_laws(sizes, curve(plateau, span, alpha, sizes)[None])
    assert law.alpha[0] == pytest.approx(alpha, rel=0.015)  # steps of the grid are 2 %
    assert law.plateau[0] == pytest.approx(plateau, abs=0.02 * span)
    assert law.at(sizes)[0] == pytest.approx(curve(plateau, span, alpha, sizes), abs=0.01 * span)


def test_one_on_the_grid_is_found_exactly():
    law = fit_power_laws(SIZES, curve(0.8, 0.5, ALPHAS[100])[None])
    assert law.alpha[0] == ALPHAS[100]
    assert [law.plateau[0], law.span[0]] == pytest.approx([0.8, 0.5], abs=1e-12)


def test_no_exponent_of_the_grid_leaves_less_of_the_squares():
    means = np.array([[0.1, 0.5, 0.45, 0.7, 0.6, 0.8]])
    law = fit_power_laws(SIZES, means)
    least = min(
        np.linalg.lstsq(
            np.column_stack([np.ones(6), -((SIZES / SIZES[0]) ** -alpha)]), means[0], rcond=None
        )[1][0]
        for alpha in ALPHAS
    )
    assert ((law.at(SIZES) - means) ** 2).sum() == pytest.approx(least)


def test_rows_are_fitted_by_themselves_in_any_order_of_sizes():
    means = np.array([curve(0.8, 0.5, 0.4), curve(0.6, 0.1, 1.0)])
    shuffled = np.array([3, 0, 5, 1, 4, 2])
    both = fit_power_laws(SIZES[shuffled], means[:, shuffled])
    one = fit_power_laws(SIZES, means[1:])
    assert both.alpha[1] == one.alpha[0]
    assert both.plateau[1] == pytest.approx(one.plateau[0])


@pytest.mark.parametrize(
    "means", [np.full(6, 0.3), curve(0.3, -0.2, 0.5)], ids=["flat", "decreasing"]
)
def test_what_does_not_grow_has_no_exponent(means):
    law = fit_power_laws(SIZES, means[None])
    assert law.span[0] == 0
    assert np.isnan(law.alpha[0])
    assert law.at(SIZES)[0] == pytest.approx(np.full(6, means.mean()))
    found = growth(means + np.zeros((5, 1)))
    assert (found.grows, found.determined, found.at_edge) == (False, False, 1)


def test_fewer_than_four_sizes_are_refused():
    with pytest.raises(ValueError, match="3 sizes; a fit needs 4"):
        fit_power_laws(np.array([1.0, 1.0, 2.0, 3.0]), np.zeros((1, 4)))


def test_intervals_hold_the_planted_plateau_as_often_as_they_say():
    held = 0
    for seed in range(200):
        found = growth(proteins(curve(0.8, 0.5, 0.4), seed=seed))
        low, high = BOOTSTRAP.interval(found.resampled.plateau)
        held += low <= 0.8 <= high
    assert 0.91 <= held / 200 <= 0.99


def test_the_estimate_is_the_fit_to_the_means_with_its_interval():
    values = proteins(curve(0.8, 0.5, 0.4))
    found = growth(values)
    plateau, low, high = found.estimate("plateau")
    assert found.determined
    fitted = fit_power_laws(SIZES, values.mean(axis=0)[None])
    assert plateau == pytest.approx(fitted.plateau[0])
    assert 0.6 < low < plateau < high < 1
    fitted, below, above = found.band(SIZES)
    assert (below <= fitted).all()
    assert (fitted <= above).all()


def test_what_proteins_have_in_common_does_not_widen_the_exponents_interval():
    values = curve(0.8, 0.5, ALPHAS[100]) + np.random.default_rng(0).normal(0, 0.2, (20, 1))
    _, low, high = growth(values).estimate("alpha")
    assert low == high == ALPHAS[100]


def test_proteins_count_by_their_weight():
    values = np.vstack([curve(0.8, 0.5, 0.4), curve(0.2, 0.1, 1.0)])
    weights = np.array([[3.0], [1.0]]) * np.ones(6)
    found = Growth(SIZES, values, weights, BOOTSTRAP)
    doubled = growth(np.vstack([values[:1]] * 3 + [values[1:]]))
    assert found.law.plateau == pytest.approx(doubled.law.plateau)


@pytest.mark.parametrize("alpha", [0.001, 20.0], ids=["a logarithm", "a step"])
def test_a_plateau_beyond_the_grid_is_not_determined(alpha):
    found = growth(curve(0.8, 0.5, alpha) + np.zeros((5, 1)))
    assert found.grows
    assert found.at_edge == 1
    assert not found.determined
    assert np.isnan(found.estimate("plateau")).all()


def test_resamples_at_the_edge_make_a_plateau_undetermined():
    found = growth(proteins(curve(0.5, 0.05, 0.3), seed=2, noise=0.1))
    assert found.law.inside[0]
    assert found.at_edge > 0.1
    assert not found.determined


def test_a_curve_outside_the_intervals_is_not_reported():
    sizes = np.array([7e3, 3e4, 2e5, 8e5])
    means = np.array([0.12, 0.31, 0.63, 0.7])  # steepest in the middle
    found = growth(proteins(means, noise=0.01), sizes)
    assert not found.at_edge_too_often
    assert found.misses > 0
    assert found.largest_residual > 0.03
    assert not found.determined


def test_a_curve_that_holds_is_seldom_found_outside_the_intervals():
    found = [growth(proteins(curve(0.8, 0.5, 0.4), seed=seed, noise=0.2)) for seed in range(100)]
    assert sum(one.misses > 0 for one in found) <= 10
