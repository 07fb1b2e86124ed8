"""Uncertainty over proteins: bootstrap intervals of means and of paired differences."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray


@dataclass(frozen=True)
class Bootstrap:
    """Percentile bootstrap over proteins (Efron, 1979): resamples, confidence level, seed."""

    resamples: int
    level: float
    seed: int

    def __post_init__(self) -> None:
        if self.resamples < 1 or not 0 < self.level < 1:
            raise ValueError(f"{self}: resamples must be positive and level between 0 and 1")

    def mean(self, values: Float[ndarray, " n"]) -> "Estimate":
        """Mean of the measured values with its interval; NaN values are counted as unscored."""
        scored = values[~np.isnan(values)]
        n, unscored = len(scored), len(values) - len(scored)
        if not n:
            return Estimate(float("nan"), float("nan"), float("nan"), 0, unscored)
        means = scored[_draws(self.seed, self.resamples, n)].mean(axis=1)
        tail = (1 - self.level) / 2
        low, high = np.quantile(means, [tail, 1 - tail])
        return Estimate(float(scored.mean()), float(low), float(high), n, unscored)

    def difference(self, a: Float[ndarray, " n"], b: Float[ndarray, " n"]) -> "Estimate":
        """Mean of a - b over the same proteins; a pair with a NaN is unscored."""
        if a.shape != b.shape:
            raise ValueError(f"paired values have lengths {len(a)} and {len(b)}")
        return self.mean(a - b)


@dataclass(frozen=True)
class Estimate:
    """A mean over proteins, its interval, and how many proteins it stands on."""

    mean: float
    low: float
    high: float
    n: int
    unscored: int


@lru_cache(maxsize=1)  # many estimates in a row stand on as many proteins; drawing takes longest
def _draws(seed: int, resamples: int, n: int) -> Int[ndarray, "m n"]:
    """Indices of n values, m times n of them."""
    return np.random.default_rng(seed).integers(0, n, size=(resamples, n))
