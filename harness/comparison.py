"""The runs of a sweep side by side: one table, paired differences, one picture."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd

from harness.curves import curve_plot
from harness.errors import InputError
from harness.journal import read_journal
from harness.pareto import pareto_plot, pareto_table
from harness.plots import Mark, comparison_plot
from harness.results import (
    CURVES,
    SUMMARY,
    VALUES,
    fact_means,
    find_metric,
    grouped,
    headline,
    read_summary,
    read_values,
)
from harness.statistics import Bootstrap

COMPARED = ("p_at_L", "spearman", "pearson", "map_", "top_overlap", "contacts_kept", "tm_score")
"""Beginnings of metrics of which runs are compared protein by protein."""

COSTS = ("seconds", "flops", "forward_passes")
"""Totals of a run's cost of which pictures show the share of one protein."""


@dataclass(frozen=True)
class ComparedRun:
    """A finished run folder, its summary, and what tells it from the others."""

    folder: Path
    summary: dict[str, Any]
    label: str


@dataclass(frozen=True, eq=False)
class ComparedRuns:
    """Runs side by side, and how their intervals are made."""

    runs: Sequence[ComparedRun]
    bootstrap: Bootstrap

    @cached_property
    def differences(self) -> pd.DataFrame:
        """Precision of every later run minus every earlier one, over proteins that both have.

        Agreement of couplings too, where it was measured. Where there is neither, the headline
        metric; where proteins have values of many rows, every metric, weighted as in the later run.
        Each for all proteins, then for each group.
        """
        metrics = _precisions(self.runs)
        parts = {run.label: _by_group(run.folder, metrics) for run in self.runs}
        rows = []
        for first, second in combinations(self.runs, 2):
            head = {"run": second.label, "minus": first.label}
            for line in _paired(parts[second.label], parts[first.label], self.bootstrap):
                rows.append(head | line)
        return pd.DataFrame(rows)


def runs_in(folder: Path) -> list[ComparedRun]:
    """The finished runs in a sweep folder, or the run that the folder is; InputError for none."""
    if (folder / SUMMARY).exists():
        summary = read_summary(folder)
        return [ComparedRun(folder, summary, str(summary["run"]["label"]))]
    runs = finished_runs(folder)
    if not runs:
        raise InputError(
            f"{folder}: no finished run in it; give the folder of a sweep or of a run, and run the "
            "same command again where it has not finished (shards: python -m harness.merge)"
        )
    return runs


def finished_runs(sweep: Path) -> list[ComparedRun]:
    """The finished runs directly under a sweep folder: language models by size, then the others.

    Shards are no runs; what they are merged into is one.
    Labels are those of the tracker; runs of the same label get the name of their folder as well.
    """
    every = {path.parent: read_summary(path.parent) for path in sweep.glob(f"*/{SUMMARY}")}
    summaries = {path: own for path, own in every.items() if not own["run"].get("shard")}
    labels = {folder: str(summary["run"]["label"]) for folder, summary in summaries.items()}
    times = Counter(labels.values())
    runs = [
        ComparedRun(
            folder, summaries[folder], label if times[label] == 1 else f"{label} ({folder.name})"
        )
        for folder, label in labels.items()
    ]
    return sorted(runs, key=_order)


def costs(run: ComparedRun) -> dict[str, float]:
    """What one protein cost, on average."""
    cost = run.summary["cost"]
    return {f"{key}_per_protein": cost[key] / cost["n_proteins"] for key in COSTS}


def write_comparison(sweep: Path, compared: ComparedRuns) -> list[Path]:
    """Write comparison.csv, differences.csv and the picture comparison; their paths.

    When the runs differ in cost, pareto.csv and its picture as well; where they have curves,
    curves.csv and its picture. Pictures leave out runs whose evaluation has not the metric of the
    others.
    """
    runs, bootstrap = compared.runs, compared.bootstrap
    table, paired = sweep / "comparison.csv", sweep / "differences.csv"
    _table(runs).to_csv(table, index=False)
    compared.differences.to_csv(paired, index=False)
    metric, (name, *_) = headline([run.summary for run in runs])
    axis = f"{'P@L' if metric == 'p_at_L' else metric}, {name}"
    drawn = [run for run in runs if _looked_for(run, metric, name)] or runs
    marks = [_mark(run, metric, name) for run in drawn]
    files = [table, paired]
    files += comparison_plot(sweep / "comparison.png", marks, axis, bootstrap.level)
    files += _curves(sweep, runs, bootstrap)
    if all(mark.costs == marks[0].costs for mark in marks):
        return files
    fronts = sweep / "pareto.csv"
    pareto_table(marks).assign(metric=metric, range=name).to_csv(fronts, index=False)
    return [*files, fronts, *pareto_plot(sweep / "pareto.png", marks, axis, bootstrap.level)]


def _curves(sweep: Path, runs: Sequence[ComparedRun], bootstrap: Bootstrap) -> list[Path]:
    """Write the curves of all runs that have some, as a table and a picture; their paths."""
    curves = {run.label: run.folder / CURVES for run in runs if (run.folder / CURVES).exists()}
    tables = {label: pd.read_csv(path) for label, path in curves.items()}
    if not any(len(table) for table in tables.values()):
        return []
    together = pd.concat([own.assign(run=label) for label, own in tables.items()])
    together.to_csv(sweep / CURVES, index=False)
    return [sweep / CURVES, *curve_plot(sweep / "curves.png", tables, bootstrap.level)]


def _table(runs: Sequence[ComparedRun]) -> pd.DataFrame:
    """Every metric of every run and of each group in it (empty: of all), with cost and facts."""
    rows = [
        {"run": run.label, "group": group, **estimate, **part["cost"], **fact_means(part)}
        for run in runs
        for group, part in {"": run.summary, **run.summary.get("groups", {})}.items()
        for estimate in part["metrics"]
    ]
    return pd.DataFrame(rows)


def _paired(
    later: Mapping[str, pd.DataFrame], earlier: Mapping[str, pd.DataFrame], bootstrap: Bootstrap
) -> Iterator[dict[str, Any]]:
    """The difference of two runs: for each group that both have, by metric and range."""
    for group in [name for name in later if name in earlier]:
        a, b = later[group].align(earlier[group], join="inner")
        for pair in [column[1:] for column in a.columns if column[0] == "value"]:
            values = a["value"][pair].to_numpy(), b["value"][pair].to_numpy()
            estimate = bootstrap.difference(*values, a["weight"][pair].to_numpy())
            place = dict(zip(("metric", "range"), pair, strict=True))
            yield {"group": group, **place, **asdict(estimate)}


def _precisions(runs: Sequence[ComparedRun]) -> list[str]:
    """P@L/d and agreement where a run has them, else every metric that proteins have."""
    summaries = [run.summary for run in runs]
    names = dict.fromkeys(item["metric"] for one in summaries for item in one["metrics"])
    if any((run.folder / VALUES).exists() for run in runs):
        return list(names)
    return [name for name in names if name.startswith(COMPARED)] or [headline(summaries)[0]]


def _by_group(folder: Path, metrics: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Values and weights of these metrics by protein (rows), metric and range (columns).

    Those of all proteins are under an empty name.
    """
    rows = read_values(folder)
    chosen = rows[rows["metric"].isin(metrics)]
    wide = chosen.pivot(index="protein", columns=["metric", "range"], values=["value", "weight"])
    order = dict.fromkeys(zip(chosen["metric"], chosen["range"], strict=True))
    wide = wide[[(kind, *pair) for kind in ("value", "weight") for pair in order]]
    groups = grouped(read_journal(folder)).items()
    return {"": wide} | {name: wide[wide.index.isin(proteins)] for name, proteins in groups}


def _looked_for(run: ComparedRun, metric: str, name: str) -> bool:
    """Whether the evaluation of a run has this metric, even where it could not be measured."""
    found = find_metric(run.summary, metric, name)
    return bool(found["n"] or found["unscored"])


def _mark(run: ComparedRun, metric: str, name: str) -> Mark:
    precision = find_metric(run.summary, metric, name)
    ceiling = find_metric(run.summary, "ceiling_at_L", name)
    mean, low, high, top = (
        float("nan") if value is None else float(value)
        for value in (precision["mean"], precision["low"], precision["high"], ceiling["mean"])
    )
    names, size = run.summary["run"], float(run.summary["cost"]["n_parameters"])
    series = f"{names['method']} {names['settings']}".strip()
    return Mark(run.label, series, mean, low, high, top, size, costs(run))


def _order(run: ComparedRun) -> tuple[Any, ...]:
    parameters = float(run.summary["cost"]["n_parameters"])
    return (parameters == 0, run.summary["run"]["method"], parameters, _natural(run.label))


def _natural(text: str) -> list[tuple[bool, float, str]]:
    """A sorting key that takes numbers in a text as numbers: depth=64 before depth=256."""
    parts = re.split(r"(\d+(?:\.\d+)?(?:e[-+]?\d+)?)", text)  # odd places are the numbers
    return [(n % 2 == 0, float(part) if n % 2 else 0, part) for n, part in enumerate(parts)]
