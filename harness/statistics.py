"""Uncertainty over proteins: bootstrap intervals of means and differences, tests; correlation."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from scipy import stats


@dataclass(frozen=True)
class Bootstrap:
    """Percentile bootstrap over proteins (Efron, 1979): resamples, confidence level, seed."""

    resamples: int
    level: float
    seed: int

    def __post_init__(self) -> None:
        if self.resamples < 1 or not 0 < self.level < 1:
            raise ValueError(f"{self}: resamples must be positive and level between 0 and 1")

    def mean(
        self, values: Float[ndarray, " n"], weights: Float[ndarray, " n"] | None = None
    ) -> "Estimate":
        """Mean of the measured values with its interval; NaN values are counted as unscored.

        With weights it is Σ weight · value / Σ weight: the mean over what a protein has several of,
        while still whole proteins are resampled.
        """
        return self._estimate(values, weights, (1 - self.level) / 2)

    def _estimate(
        self, values: Float[ndarray, " n"], weights: Float[ndarray, " n"] | None, tail: float
    ) -> "Estimate":
        """Mean and the interval that leaves out this share of the resamples at each end."""
        scored = values[~np.isnan(values)]
        n, unscored = len(scored), len(values) - len(scored)
        if not n:
            return Estimate(float("nan"), float("nan"), float("nan"), 0, unscored)
        draws = _draws(self.seed, self.resamples, n)
        if weights is None:
            mean, means = scored.mean(), scored[draws].mean(axis=1)
        else:
            own = weights[~np.isnan(values)]
            mean = scored @ own / own.sum()
            means = (scored * own)[draws].sum(axis=1) / own[draws].sum(axis=1)
        low, high = np.quantile(means, [tail, 1 - tail])
        return Estimate(float(mean), float(low), float(high), n, unscored)

    def interval(self, resampled: Float[ndarray, " m"]) -> tuple[float, float]:
        """The interval that a statistic's values in the resamples span."""
        tail = (1 - self.level) / 2
        low, high = np.quantile(resampled, [tail, 1 - tail])
        return float(low), float(high)

    def counts(self, n: int) -> Float[ndarray, "m n"]:
        """How often each of n proteins is in each resample, for statistics that are no means."""
        draws = _draws(self.seed, self.resamples, n)
        places = draws + n * np.arange(self.resamples)[:, None]
        found = np.bincount(places.ravel(), minlength=n * self.resamples)
        return found.reshape(self.resamples, n).astype(np.float32)

    def difference(
        self,
        a: Float[ndarray, " n"],
        b: Float[ndarray, " n"],
        weights: Float[ndarray, " n"] | None = None,
    ) -> "Estimate":
        """Mean of a - b over the same proteins; a pair with a NaN is unscored.

        The interval is the expanded percentile one (Hesterberg, 2015, The American Statistician,
        section 4.2): percentiles further out, as Student's t and n - 1 ask for, because those of a
        few resampled values lie too close. Of fewer than two pairs it is NaN.
        """
        if a.shape != b.shape:
            raise ValueError(f"paired values have lengths {len(a)} and {len(b)}")
        n = int((~np.isnan(a - b)).sum())
        if n < 2:
            lone = self.mean(a - b)
            return Estimate(lone.mean, float("nan"), float("nan"), n, lone.unscored)
        quantile = stats.t.ppf((1 - self.level) / 2, n - 1)
        tail = stats.norm.cdf(quantile * np.sqrt(n / (n - 1)))
        return self._estimate(a - b, weights, float(tail))


@dataclass(frozen=True)
class Estimate:
    """A mean over proteins, its interval, and how many proteins it stands on."""

    mean: float
    low: float
    high: float
    n: int
    unscored: int


def signed_rank_p(differences: Float[ndarray, " n"]) -> float:
    """Two-sided p of Wilcoxon's signed-rank test (1945): the chance of ranks so uneven by luck.

    NaN are left out. Differences that agree in nine decimals are tied, and those that vanish there
    are left out, as by Wilcoxon; where none remains p is 1.
    """
    rounded = np.round(differences[~np.isnan(differences)], 9)
    moved = rounded[rounded != 0]
    return float(stats.wilcoxon(moved).pvalue) if len(moved) else 1.0


def holm(p_values: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
    """Adjusted p of several tests (Holm, 1979): at most α falsely below α with chance α."""
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.maximum.accumulate(p_values[order] * factors)
    return adjusted.clip(max=1)


def correlation(a: Float[ndarray, " n"], b: Float[ndarray, " n"]) -> float:
    """Pearson's r; NaN of fewer than three pairs of values, and where one side never varies."""
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def rank_correlation(a: Float[ndarray, " n"], b: Float[ndarray, " n"]) -> float:
    """Spearman's ρ, tied values sharing their mean rank; NaN where Pearson's r is."""
    return correlation(stats.rankdata(a), stats.rankdata(b))


@lru_cache(maxsize=1)  # many estimates in a row stand on as many proteins; drawing takes longest
def _draws(seed: int, resamples: int, n: int) -> Int[ndarray, "m n"]:
    """Indices of n values, m times n of them."""
    return np.random.default_rng(seed).integers(0, n, size=(resamples, n))
