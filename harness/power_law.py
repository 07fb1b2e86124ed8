"""How a mean over proteins grows with the size of a model: a power law that saturates."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from harness.statistics import Bootstrap

ALPHAS = np.geomspace(0.02, 3, 256)
"""Exponents that are tried: from a logarithm in all but name to a step after the smallest size.

At either end, other exponents would do as well, and the plateau could be anywhere beyond the data.
"""

FEWEST_SIZES = 4
"""One more than there are unknowns."""

MOST_AT_EDGE = 0.1
"""Share of resamples without an exponent inside the grid above which a plateau is not reported."""


@dataclass(frozen=True, eq=False)
class PowerLaws:
    """y(N) = plateau - span · (N / smallest)^-alpha, several of them; alpha is NaN where span is 0.

    Span is what there is to gain beyond the smallest size, and never negative.
    """

    smallest: float
    plateau: Float[ndarray, " m"]
    span: Float[ndarray, " m"]
    alpha: Float[ndarray, " m"]

    @property
    def inside(self) -> Bool[ndarray, " m"]:
        """Whether the exponent is one that its neighbors on the grid are worse than."""
        return (self.alpha > ALPHAS[0]) & (self.alpha < ALPHAS[-1])

    def at(self, sizes: Float[ndarray, " k"]) -> Float[ndarray, "m k"]:
        """The mean at each of these sizes."""
        alpha = np.nan_to_num(self.alpha)[:, None]
        shapes = (sizes / self.smallest) ** -alpha
        return self.plateau[:, None] - self.span[:, None] * shapes


def fit_power_laws(sizes: Float[ndarray, " s"], means: Float[ndarray, "m s"]) -> PowerLaws:
    """The power law of least squares for each row of means, every size counting the same.

    Variable projection (Golub & Pereyra, SIAM J. Numer. Anal. 1973): for a given exponent the other
    two unknowns have a closed form, and what is left of the squares is least for the exponent whose
    curve, centered and of length 1, the centered means lie along most.
    """
    if len(np.unique(sizes)) < FEWEST_SIZES:
        raise ValueError(f"{len(np.unique(sizes))} sizes; a fit needs {FEWEST_SIZES} at least")
    smallest = float(sizes.min())
    curves = -((sizes / smallest) ** -ALPHAS[:, None])
    centered = curves - curves.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(centered, axis=1)
    level = means.mean(axis=1)
    along = (means - level[:, None]) @ (centered / lengths[:, None]).T
    best = along.argmax(axis=1)
    gain = along.max(axis=1)
    grows = gain > 1e-12 * np.abs(means).max(axis=1)  # less is rounding
    span = np.where(grows, gain / lengths[best], 0.0)
    plateau = level - span * curves.mean(axis=1)[best]
    return PowerLaws(smallest, plateau, span, np.where(grows, ALPHAS[best], np.nan))


@dataclass(frozen=True, eq=False)
class Growth:
    """The power law of means over proteins, and those of resamples of these proteins.

    `values` and `weights` are by protein (rows) and model (columns), without NaN. A resample draws
    the same proteins for every model: what they have in common does not widen the intervals.
    """

    sizes: Float[ndarray, " s"]
    values: Float[ndarray, "n s"]
    weights: Float[ndarray, "n s"]
    bootstrap: Bootstrap

    @cached_property
    def means(self) -> Float[ndarray, "m s"]:
        """The means of each resample."""
        return self._means(self.bootstrap.counts(len(self.values)).astype(float))

    @cached_property
    def law(self) -> PowerLaws:
        """The fit to the means over all proteins: one row."""
        return fit_power_laws(self.sizes, self._means(np.ones((1, len(self.values)))))

    @cached_property
    def resampled(self) -> PowerLaws:
        """The fit to the means of each resample."""
        return fit_power_laws(self.sizes, self.means)

    @property
    def grows(self) -> bool:
        """Whether any exponent fits better than a mean that is the same at every size."""
        return bool(self.law.span[0] > 0)

    @property
    def at_edge(self) -> float:
        """The share of resamples in which nothing inside the grid of exponents fits best."""
        return float(1 - self.resampled.inside.mean())

    @property
    def at_edge_too_often(self) -> bool:
        """Whether the plateau could be anywhere, by the fit or by too many resamples."""
        return not self.law.inside[0] or self.at_edge > MOST_AT_EDGE

    @cached_property
    def misses(self) -> int:
        """How many means have an interval that the curve does not pass through."""
        low, high = self._intervals(self.means)
        fitted = self.law.at(self.sizes)[0]
        return int(((fitted < low) | (fitted > high)).sum())

    @property
    def largest_residual(self) -> float:
        """How far the curve is from the mean that it is farthest from."""
        means = self._means(np.ones((1, len(self.values))))
        return float(np.abs(means - self.law.at(self.sizes)).max())

    @property
    def determined(self) -> bool:
        """Whether these sizes say where the plateau is, and the curve is one that they follow."""
        return not self.at_edge_too_often and not self.misses

    def estimate(self, name: str) -> tuple[float, float, float]:
        """Plateau, span or alpha of the fit, with its interval; NaN where not determined."""
        if not self.determined:
            return (np.nan,) * 3
        found = getattr(self.resampled, name)
        value = float(getattr(self.law, name)[0])
        return value, *self.bootstrap.interval(found[~np.isnan(found)])

    def band(self, sizes: Float[ndarray, " k"]) -> Float[ndarray, "3 k"]:
        """The fitted mean at each of these sizes, and the ends of its interval."""
        return np.vstack([self.law.at(sizes), self._intervals(self.resampled.at(sizes))])

    def _means(self, counts: Float[ndarray, "m n"]) -> Float[ndarray, "m s"]:
        """Means over proteins, each of them there so many times."""
        return (counts @ (self.weights * self.values)) / (counts @ self.weights)

    def _intervals(self, resampled: Float[ndarray, "m k"]) -> Float[ndarray, "2 k"]:
        return np.transpose([self.bootstrap.interval(column) for column in resampled.T])
