"""Exact definitions of every number that an evaluation reports.

A pair is i < j, counted once; its separation is j - i in the full sequence, and NaN when the two
are of different chains. A pair with an unresolved residue is invalid: it is never ranked and never
counts as a non-contact. A value that cannot be measured is NaN.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from sklearn.metrics import average_precision_score


@dataclass(frozen=True)
class SeparationRange:
    """Separations `lowest` ≤ j - i < `end` (residues) in one chain; no `end`: no upper limit."""

    name: str
    lowest: int
    end: int | None = None

    def contains(self, separation: Float[ndarray, "..."]) -> Bool[ndarray, "..."]:
        """Which separations lie inside; those of two chains (NaN) never do."""
        upper = np.inf if self.end is None else self.end
        return (separation >= self.lowest) & (separation < upper)

    def __str__(self) -> str:
        span = f"≥ {self.lowest}" if self.end is None else f"{self.lowest}–{self.end - 1}"
        return f"|i − j| {span}"


@dataclass(frozen=True)
class BetweenChains:
    """Pairs of residues of two different chains of a complex."""

    name: str

    def contains(self, separation: Float[ndarray, "..."]) -> Bool[ndarray, "..."]:
        """Which separations are those of two chains."""
        return np.isnan(separation)

    def __str__(self) -> str:
        return "between chains"


PairRange = SeparationRange | BetweenChains

RANGES: dict[str, PairRange] = {
    item.name: item
    for item in (
        SeparationRange("short", 6, 12),
        SeparationRange("medium", 12, 24),
        SeparationRange("long", 24),
        SeparationRange("min3", 3),
        SeparationRange("min6", 6),
        SeparationRange("min12", 12),
        BetweenChains("inter"),
    )
}


@dataclass(frozen=True)
class ContactDefinition:
    """Contact: distance between two atoms below `cutoff` Å (`CB` means CA for glycine)."""

    name: str
    atom: str
    cutoff: float


CONTACTS = {
    item.name: item
    for item in (
        ContactDefinition("cb8", "CB", 8.0),
        ContactDefinition("ca8", "CA", 8.0),
        ContactDefinition("cb10", "CB", 10.0),
    )
}


def check_names(contact: str, ranges: Sequence[str]) -> None:
    """Nothing; raises ValueError for a name that is not defined above, and for no range."""
    if contact not in CONTACTS:
        raise ValueError(f"contact={contact!r}; allowed are {', '.join(CONTACTS)}")
    if not ranges:
        raise ValueError(f"ranges is empty; name at least one of {', '.join(RANGES)}")
    for name in ranges:
        if name not in RANGES:
            raise ValueError(f"range {name!r}; allowed are {', '.join(RANGES)}")


@dataclass(frozen=True, eq=False)
class RankedPairs:
    """The valid pairs i < j of one range, best first: is each a contact, and its score."""

    i: Int[ndarray, " P"]
    j: Int[ndarray, " P"]
    contact: Bool[ndarray, " P"]
    score: Float[ndarray, " P"]
    length: int

    @property
    def n_valid(self) -> int:
        """Number of pairs that could be contacts."""
        return len(self.contact)

    @property
    def n_true(self) -> int:
        """Number of pairs that are contacts."""
        return int(self.contact.sum())

    def top(self, divisor: int) -> int:
        """Number of pairs to look at: k = max(1, ⌊L/divisor⌋), L being the full input length."""
        return max(1, self.length // divisor)


def separations(length: int, breaks: Sequence[int]) -> Float[ndarray, "L L"]:
    """Differences j - i in one chain, NaN across two; `breaks` are where further chains begin."""
    places = np.arange(length)
    chain = np.searchsorted(breaks, places, side="right")
    return np.where(chain[:, None] == chain, np.subtract.outer(-places, -places), np.nan)


def rank_pairs(
    scores: Float[ndarray, "L L"],
    distances: Float[ndarray, "L L"],
    within: PairRange,
    cutoff: float,
    breaks: Sequence[int] = (),
) -> RankedPairs:
    """Valid pairs of a range by descending score, ties by i, then j."""
    i, j = np.triu_indices(len(scores), k=1)
    inside = within.contains(separations(len(scores), breaks)[i, j])
    eligible = inside & ~np.isnan(distances[i, j])
    i, j = i[eligible], j[eligible]
    order = np.argsort(-scores[i, j], kind="stable")  # i, j already ascend
    i, j = i[order], j[order]
    return RankedPairs(i, j, distances[i, j] < cutoff, scores[i, j], len(scores))


def precision_at(pairs: RankedPairs, divisor: int) -> float:
    """P@L/divisor: share of contacts among the k best valid pairs; of all when fewer than k."""
    return _mean(pairs.contact[: pairs.top(divisor)])


def ceiling_at(pairs: RankedPairs, divisor: int) -> float:
    """The highest P@L/divisor that any ranking of these pairs reaches."""
    k = min(pairs.top(divisor), pairs.n_valid)
    return min(1.0, pairs.n_true / k) if k else float("nan")


def r_precision(pairs: RankedPairs) -> float:
    """Precision at k = number of contacts; NaN without contacts."""
    return _mean(pairs.contact[: pairs.n_true])


def average_precision(pairs: RankedPairs) -> float:
    """Area under the precision-recall curve, tied scores taken together; NaN without contacts."""
    if not pairs.n_true:
        return float("nan")
    return float(average_precision_score(pairs.contact, pairs.score))


def mean_precision_deciles(pairs: RankedPairs) -> float:
    """Mean precision over k = 0.1 L, 0.2 L, … 1.0 L (Rao et al., ICLR 2021, call it AUC)."""
    tops = [max(1, pairs.length * tenth // 10) for tenth in range(1, 11)]
    return float(np.mean([_mean(pairs.contact[:k]) for k in tops]))


def precision_ordered(
    scores: Float[ndarray, "L L"],
    distances: Float[ndarray, "L L"],
    within: PairRange,
    cutoff: float,
    breaks: Sequence[int] = (),
) -> float:
    """Precision of the L best *ordered* pairs, as in the script of Zhang et al. (PNAS 2024).

    Both (i, j) and (j, i) are ranked, so for a symmetric map this is P@L/2 (when L is odd, the
    last pair counts half). It exists to compare with published numbers.
    """
    separation = np.abs(separations(len(scores), breaks))
    i, j = np.nonzero(within.contains(separation) & ~np.isnan(distances))
    order = np.argsort(-scores[i, j], kind="stable")[: len(scores)]
    return _mean(distances[i[order], j[order]] < cutoff)


def _mean(contact: Bool[ndarray, " K"]) -> float:
    """Share of contacts, NaN of nothing."""
    return float(contact.mean()) if len(contact) else float("nan")
