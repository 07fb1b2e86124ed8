"""Precision of the contact map of one call per protein."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness import metrics
from harness.protocols import ContactMethod, Masking, Row
from harness.sample import Sample


@dataclass(frozen=True)
class Precision:
    """P@L, L/2, L/5, L/10 and their companions for each separation range.

    `contact` and `ranges` are names from `harness.metrics`.
    """

    contact: str
    ranges: Sequence[str]
    masking: Masking
    maps_per_protein: ClassVar[int] = 1
    coordinates: tuple[str, ...] = ("n_true", "n_valid", "visible")

    def __post_init__(self) -> None:
        metrics.check_names(self.contact, self.ranges)
        _check_masking(self.masking)

    def __call__(self, method: ContactMethod, sample: Sample) -> Iterator[Row]:
        """One row per metric and range."""
        shown = self.masking(sample.protein)
        scores, visible = method(shown), {"visible": len(shown) - shown.n_hidden}
        cutoff = metrics.CONTACTS[self.contact].cutoff
        truth, breaks = sample.distances, sample.protein.breaks
        for name in self.ranges:
            pairs = metrics.rank_pairs(scores, truth, metrics.RANGES[name], cutoff, breaks)
            counts = {"n_true": pairs.n_true, "n_valid": pairs.n_valid, **visible}
            for metric, value in _measure(pairs).items():
                yield Row(metric, name, value, counts)


@dataclass(frozen=True)
class OrderedPrecision:
    """The published script's precision: the L best of all ordered pairs (equal to P@L/2)."""

    contact: str
    ranges: Sequence[str]
    masking: Masking
    maps_per_protein: ClassVar[int] = 1
    coordinates: tuple[str, ...] = ("visible",)

    def __post_init__(self) -> None:
        metrics.check_names(self.contact, self.ranges)
        _check_masking(self.masking)

    def __call__(self, method: ContactMethod, sample: Sample) -> Iterator[Row]:
        """One row per range."""
        shown = self.masking(sample.protein)
        scores, visible = method(shown), {"visible": len(shown) - shown.n_hidden}
        cutoff = metrics.CONTACTS[self.contact].cutoff
        truth, breaks = sample.distances, sample.protein.breaks
        for name in self.ranges:
            value = metrics.precision_ordered(scores, truth, metrics.RANGES[name], cutoff, breaks)
            yield Row("p_at_L_ordered", name, value, visible)


def _check_masking(masking: object) -> None:
    """Nothing; raises ValueError for a masking that needs a block to mask around."""
    if not isinstance(masking, Masking):
        raise ValueError(
            "this masking shows what is around a block of the map: use it with "
            "evaluation=recovery; a whole protein is masked with masking=none or fraction"
        )


def _measure(pairs: metrics.RankedPairs) -> dict[str, float]:
    return {
        "p_at_L": metrics.precision_at(pairs, 1),
        "p_at_L2": metrics.precision_at(pairs, 2),
        "p_at_L5": metrics.precision_at(pairs, 5),
        "p_at_L10": metrics.precision_at(pairs, 10),
        "ceiling_at_L": metrics.ceiling_at(pairs, 1),
        "r_precision": metrics.r_precision(pairs),
        "average_precision": metrics.average_precision(pairs),
        "mean_precision_deciles": metrics.mean_precision_deciles(pairs),
    }
