"""Did a candidate break or beat a reference? One verdict a metric, over the proteins both have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from harness.statistics import Bootstrap, holm, signed_rank_p

IMPROVED, EQUIVALENT = "improved", "equivalent"
REGRESSED, INCONCLUSIVE = "regressed", "inconclusive"
VERDICTS = (REGRESSED, INCONCLUSIVE, EQUIVALENT, IMPROVED)
"""The worst first."""

FEWEST = 6
"""Pairs below which nothing is concluded: of five, even all on one side have p = 1/16."""


@dataclass(frozen=True)
class Paired:
    """Values of one metric in one range, of the proteins that both sides have; NaN: unscored.

    `absent` are proteins of the reference that the candidate lacks, `added` the reverse. Weights
    are how much each protein counts in the mean.
    """

    metric: str
    range: str
    candidate: Float[ndarray, " n"]
    reference: Float[ndarray, " n"]
    weights: Float[ndarray, " n"]
    proteins: Sequence[str]
    absent: int
    added: int

    @property
    def lost(self) -> int:
        """Proteins with a value in the reference and none in the candidate."""
        return self.absent + int((np.isnan(self.candidate) & ~np.isnan(self.reference)).sum())


@dataclass(frozen=True)
class Rules:
    """What is concluded from numbers.

    Differences within `tolerance` (in the metric's unit) do not matter. With `partial` proteins
    that the candidate lacks are left out; without it nothing good is concluded when it lacks any.
    """

    bootstrap: Bootstrap
    tolerance: float
    partial: bool

    def __post_init__(self) -> None:
        if not self.tolerance >= 0:
            raise ValueError(f"tolerance is {self.tolerance}; it must not be negative")


@dataclass(frozen=True)
class Verdict:
    """What became of one metric: means over the pairs, their difference, tests, the conclusion.

    `low` and `high` bound the mean difference at the level of the bootstrap; `p_holm` is `p`
    (Wilcoxon) corrected for the number of metrics. `lost` proteins have a value in the reference
    alone. `worst` are the proteins that lost most, with their difference.
    """

    metric: str
    range: str
    verdict: str
    reason: str
    candidate: float
    reference: float
    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    n: int
    unscored: int
    lost: int
    added: int
    wins: int
    losses: int
    ties: int
    worst: Sequence[tuple[str, float]]

    @property
    def title(self) -> str:
        """`metric/range`; a metric without a range alone."""
        return f"{self.metric}/{self.range}" if self.range else self.metric


def judge(paired: Sequence[Paired], rules: Rules) -> list[Verdict]:
    """The verdict of each metric; p is corrected over all of them (Holm, 1979).

    equivalent     the interval lies within ± tolerance
    improved       else, the interval lies above 0 and the corrected p is below 1 − level
    regressed      the same below 0
    inconclusive   else; also where fewer than six pairs were scored, and, unless `partial`, in
                   place of the first two where the candidate lost proteins
    """
    found = [_measure(one, rules.bootstrap) for one in paired]
    tested = [n for n, one in enumerate(found) if one.n >= FEWEST]
    corrected = holm(np.array([found[n].p for n in tested]))
    for n, p in zip(tested, corrected, strict=True):
        found[n] = replace(found[n], p_holm=float(p))
    return [_conclude(one, rules) for one in found]


def _measure(paired: Paired, bootstrap: Bootstrap) -> Verdict:
    """The numbers of a verdict, without the conclusion."""
    change = paired.candidate - paired.reference
    scored = ~np.isnan(change)
    estimate = bootstrap.difference(paired.candidate, paired.reference, paired.weights)
    signs = np.sign(np.round(change[scored], 9))
    weights, n = paired.weights[scored], int(scored.sum())
    means = {
        side: float(np.average(values[scored], weights=weights)) if n else float("nan")
        for side, values in (("candidate", paired.candidate), ("reference", paired.reference))
    }
    order = [k for k in np.argsort(change, kind="stable")[:5] if np.round(change[k], 9) < 0]
    return Verdict(
        metric=paired.metric,
        range=paired.range,
        verdict=INCONCLUSIVE,
        reason="",
        **means,
        difference=estimate.mean,
        low=estimate.low,
        high=estimate.high,
        p=signed_rank_p(change) if n else float("nan"),
        p_holm=float("nan"),
        n=n,
        unscored=estimate.unscored,
        lost=paired.lost,
        added=paired.added,
        wins=int((signs > 0).sum()),
        losses=int((signs < 0).sum()),
        ties=int((signs == 0).sum()),
        worst=[(paired.proteins[k], float(change[k])) for k in order],
    )


def _conclude(found: Verdict, rules: Rules) -> Verdict:
    alpha = 1 - rules.bootstrap.level
    within = -rules.tolerance <= found.low and found.high <= rules.tolerance
    different = found.p_holm < alpha
    if found.n < FEWEST:
        few = f"scored pairs: {found.n}; it takes {FEWEST}"
        return replace(found, verdict=INCONCLUSIVE, reason=few)
    if found.high < 0 and different and not within:
        return replace(found, verdict=REGRESSED)
    if found.lost and not rules.partial:
        lost = f"{found.lost} proteins have a value in the reference alone"
        return replace(found, verdict=INCONCLUSIVE, reason=lost)
    if within:
        return replace(found, verdict=EQUIVALENT)
    if found.low > 0 and different:
        return replace(found, verdict=IMPROVED)
    return replace(found, verdict=INCONCLUSIVE, reason=_doubt(found, rules))


def _doubt(found: Verdict, rules: Rules) -> str:
    if found.low > 0 or found.high < 0:
        return f"the interval leaves out 0, but p is {found.p_holm:.2g} after correction"
    return f"the interval holds 0 and reaches beyond ± {rules.tolerance:g}"


def counts(verdicts: Sequence[Verdict]) -> Mapping[str, int]:
    """How many metrics came to each verdict, the worst first."""
    return {name: sum(one.verdict == name for one in verdicts) for name in VERDICTS}
