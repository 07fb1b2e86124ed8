"""How much of the exactly known couplings of a family a method gives back."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from harness import metrics
from harness.coupled_pairs import couplings_of
from harness.couplings import corrected_map
from harness.errors import InputError
from harness.protocols import ContactMethod, Row
from harness.sample import Sample

_INDEPENDENT = 19 * 19
"""Values of a 20 × 20 block in the zero-sum gauge that can be chosen freely."""


@dataclass(frozen=True)
class StoredCouplings:
    """Couplings of the method against the exact ones W, at the contacts; and P@L of its map.

    The method's couplings J are centered over the amino acids, which is the gauge of W. Rows, all
    of range "all" but P@L:
        explained_variance   1 − Σ(J − W)² / ΣW²: 1 = exact, 0 = nothing; below 0 = worse than that
        squared_correlation  ρ² of J and W: the same once J may be stretched
        bits_per_coupling    −½ log₂(1 − ρ²): the least information that J has about each of W, were
                             W independent Gaussians (Cover & Thomas, 2006, theorem 10.3.2)
        slope                of J by W: below 1 = shrunk
        background           root mean square of J where there is no contact, in units of that of W
    `contact` and `ranges` are names from `harness.metrics`.
    """

    contact: str
    ranges: Sequence[str]
    maps_per_protein: ClassVar[int] = 1
    coordinates: tuple[str, ...] = ("families", "stored")

    def __post_init__(self) -> None:
        metrics.check_names(self.contact, self.ranges)

    def __call__(self, method: ContactMethod, sample: Sample) -> Iterator[Row]:
        """The rows of one protein."""
        exact = _exact(sample)
        found = _centered(couplings_of(method, sample.protein))
        coupled = np.triu(np.abs(exact).max(axis=(1, 3)) > 0)
        counts = {"families": sample.facts.get("families", math.nan)}
        counts |= {"stored": float(coupled.sum() * _INDEPENDENT)}
        for name, value in _agreement(_blocks(found), _blocks(exact), coupled).items():
            yield Row(name, "all", value, counts)
        scores = corrected_map(found)
        cutoff = metrics.CONTACTS[self.contact].cutoff
        for name in self.ranges:
            within = metrics.RANGES[name]
            pairs = metrics.rank_pairs(
                scores, sample.distances, within, cutoff, sample.protein.breaks
            )
            yield Row("p_at_L", name, metrics.precision_at(pairs, 1), counts)
            yield Row("ceiling_at_L", name, metrics.ceiling_at(pairs, 1), counts)


def _centered(couplings: Float[ndarray, "L 20 L 20"]) -> Float[ndarray, "L 20 L 20"]:
    """The zero-sum gauge (Weigt et al., PNAS 2009)."""
    rows = couplings - couplings.mean(axis=1, keepdims=True)
    return rows - rows.mean(axis=3, keepdims=True)


def _blocks(couplings: Float[ndarray, "L 20 L 20"]) -> Float[ndarray, "L L 20 20"]:
    return couplings.transpose(0, 2, 1, 3)


def _exact(sample: Sample) -> Float[ndarray, "L 20 L 20"]:
    if sample.couplings is None:
        raise InputError(
            f"nobody knows the couplings of {sample.protein.id} exactly; use dataset=potts, or "
            "evaluation=agreement with a linear model as reference"
        )
    return sample.couplings


def _agreement(
    found: Float[ndarray, "L L 20 20"],
    exact: Float[ndarray, "L L 20 20"],
    coupled: Bool[ndarray, "L L"],
) -> Mapping[str, float]:
    """Numbers of one protein; NaN where nothing is coupled or the method gives a constant."""
    j, w = found[coupled].astype(float).ravel(), exact[coupled].ravel()
    elsewhere = found[np.triu(~(coupled | coupled.T), 1)]
    power, own = float(w @ w), float(j @ j)
    if power == 0:
        return dict.fromkeys(_NAMES, math.nan)
    # both have mean zero in each block, so that these are moments about the mean
    squared = float(j @ w) ** 2 / (power * own) if own > 0 else 0.0
    bits = -0.5 * math.log2(1 - squared) if squared < 1 else math.inf
    background = math.sqrt(float(np.square(elsewhere, dtype=float).mean()) / (power / w.size))
    explained = 1 - float((j - w) @ (j - w)) / power
    values = (explained, squared, bits, float(j @ w) / power, background)
    return dict(zip(_NAMES, values, strict=True))


_NAMES = ("explained_variance", "squared_correlation", "bits_per_coupling", "slope", "background")
