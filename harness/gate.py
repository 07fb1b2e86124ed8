"""The regression gate: two sides of a comparison, metric by metric."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from harness.comparison import COSTS
from harness.errors import InputError
from harness.sides import Side
from harness.verdicts import EQUIVALENT, IMPROVED, VERDICTS, Paired, Rules, Verdict, judge

JUDGED = (
    *("p_at_L", "p_at_L_ordered", "average_precision", "spearman", "recovered"),
    *("contacts_kept", "p_at_L_isoform", "tm_score"),
)
"""Metrics that are judged unless others are named; higher is better in each."""

LESS_IS_BETTER = ("context", "context_one_sided", "rmsd")


@dataclass(frozen=True)
class Comparison:
    """A candidate beside a reference: a verdict a metric, cost ratios, settings that differ."""

    candidate: Side
    reference: Side
    rules: Rules
    verdicts: Sequence[Verdict]

    @property
    def proteins(self) -> list[str]:
        """Those that both sides have."""
        return [name for name in self.candidate.costs if name in self.reference.costs]

    @property
    def cost_ratios(self) -> dict[str, float]:
        """Cost of the candidate over that of the reference on the same proteins; NaN over 0."""
        own, other = (side.cost(self.proteins) for side in (self.candidate, self.reference))
        return {key: own[key] / other[key] if other[key] else float("nan") for key in COSTS}

    @property
    def overall(self) -> str:
        """The worst verdict; one improvement among equivalent metrics is an improvement."""
        found = [name for name in VERDICTS if any(one.verdict == name for one in self.verdicts)]
        both = found == [EQUIVALENT, IMPROVED]
        return IMPROVED if both else found[0]

    @property
    def differing(self) -> dict[str, tuple[str, str]]:
        """Settings and inputs in which the two differ: of the reference, of the candidate."""
        before, now = (
            dict(side.facts["settings"])
            | {key: side.facts["provenance"].get(key, "") for key in ("weights_sha256", "commit")}
            for side in (self.reference, self.candidate)
        )
        keys = dict.fromkeys((*before, *now))
        pairs = {key: (str(before.get(key, "–")), str(now.get(key, "–"))) for key in keys}
        return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def compare(
    candidate: Side, reference: Side, rules: Rules, metrics: Sequence[str] | None
) -> Comparison:
    """The verdicts on these metrics (none: those of `JUDGED` that both sides have).

    Raises InputError where the numbers of the two mean different things, or have no protein in
    common.
    """
    _check_alike(candidate, reference)
    common = set(candidate.costs) & set(reference.costs)
    if not common:
        raise InputError(
            f"{candidate.source} and {reference.source} have no protein in common "
            f"({len(candidate.costs)} and {len(reference.costs)}); measure both on the same ones"
        )
    tables = _table(candidate), _table(reference)
    judged = [_paired(key, *tables) for key in _chosen(*tables, metrics)]
    return Comparison(candidate, reference, rules, judge(judged, rules))


def _check_alike(candidate: Side, reference: Side) -> None:
    before, now = reference.definitions, candidate.definitions
    unlike = [
        f"{key}: {before.get(key, 'absent')} → {now.get(key, 'absent')}"
        for key in dict.fromkeys((*before, *now))
        if before.get(key) != now.get(key)
    ]
    if unlike:
        raise InputError(
            f"{reference.source} and {candidate.source} cannot be compared, their numbers mean "
            f"different things ({'; '.join(unlike)}); measure both with the same settings"
        )


_Key = tuple[str, str]


def _table(side: Side) -> Mapping[_Key, pd.DataFrame]:
    """Value and weight by protein, of each metric and range."""
    groups = side.values.set_index("protein").groupby(["metric", "range"], sort=False)
    return {(str(metric), str(name)): own for (metric, name), own in groups}


def _chosen(
    candidate: Mapping[_Key, pd.DataFrame],
    reference: Mapping[_Key, pd.DataFrame],
    metrics: Sequence[str] | None,
) -> list[_Key]:
    """What is judged, in the order of the reference; InputError for a metric that is not there."""
    shared = [key for key in reference if key in candidate]
    known = dict.fromkeys(metric for metric, _ in shared)
    backwards = set(metrics or ()).intersection(LESS_IS_BETTER)
    unknown = [name for name in metrics or () if name not in known]
    if backwards or unknown:
        why = "less of it is better" if backwards else "the two sides do not both have it"
        name = sorted(backwards or unknown)[0]
        raise InputError(f"metrics: {name} cannot be judged: {why}. There are {', '.join(known)}")
    chosen = [key for key in shared if key[0] in (JUDGED if metrics is None else metrics)]
    if not chosen:
        raise InputError(f"name what to judge with metrics=[…]; there are {', '.join(known)}")
    return chosen


def _paired(
    key: _Key, candidate: Mapping[_Key, pd.DataFrame], reference: Mapping[_Key, pd.DataFrame]
) -> Paired:
    own, other = candidate[key], reference[key]
    proteins = [name for name in other.index if name in own.index]
    return Paired(
        *key,
        candidate=own.loc[proteins, "value"].to_numpy(float),
        reference=other.loc[proteins, "value"].to_numpy(float),
        weights=own.loc[proteins, "weight"].to_numpy(float),
        proteins=proteins,
        absent=int(other["value"].drop(proteins).notna().sum()),
        added=len(own) - len(proteins),
    )
