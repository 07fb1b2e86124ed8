"""Runs of a sweep that differ in their model only: every number of theirs against its size."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from harness.comparison import ComparedRun, costs
from harness.power_law import FEWEST_SIZES, Growth
from harness.results import find_metric, read_values
from harness.statistics import Bootstrap


@dataclass(frozen=True)
class Line:
    """One metric in one range, of runs by one evaluation, the smallest model first."""

    evaluation: str
    metric: str
    range: str
    runs: Sequence[ComparedRun]
    growth: Growth | None
    """The power law of it; none of fewer than four sizes or two proteins that all runs have."""

    @cached_property
    def points(self) -> pd.DataFrame:
        """A row a run: model, n_parameters, mean over its proteins with interval, n, costs."""
        rows = [
            {"model": run.summary["run"]["model"], "n_parameters": _size(run)}
            | _estimate(run, self.metric, self.range)
            | costs(run)
            for run in self.runs
        ]
        return pd.DataFrame(rows).astype(dict.fromkeys(("mean", "low", "high"), float))

    @property
    def sizes(self) -> Float[ndarray, " s"]:
        """Parameters of the models."""
        return self.points["n_parameters"].to_numpy(float)

    @property
    def measured(self) -> bool:
        """Whether any run has a number."""
        return bool(self.points["mean"].notna().any())

    @property
    def title(self) -> str:
        """Metric and range as tables and pictures name them."""
        metric = self.metric.replace("p_at_L", "P@L").replace("_at_", " at flank ")
        metric = re.sub(r"(spearman|pearson)_(.+)sigma", _of_entries, metric)
        ranged = "" if self.range in ("", "all") else f", {self.range.replace('depth', 'depth ')}"
        return metric.replace("_", " ") + ranged

    @property
    def depth(self) -> int | None:
        """Sequences that the reference was fitted to, where the range says it."""
        digits = self.range.removeprefix("depth")
        return int(digits) if digits.isdecimal() and digits != self.range else None


@dataclass(frozen=True)
class Series:
    """Runs of one method, with one setting and on one data set, of models of several sizes."""

    name: str
    dataset: str
    lines: Sequence[Line]

    def of(self, metric: str) -> list[Line]:
        """The lines of a metric, in the order of their ranges; of the first evaluation with it.

        Those that no run could measure are left out.
        """
        found = [line for line in self.lines if line.metric == metric and line.measured]
        return [line for line in found if line.evaluation == found[0].evaluation]

    @property
    def precision(self) -> list[Line]:
        """P@L in the main range; nothing where it was not measured."""
        return self.of("p_at_L")[:1]

    @property
    def agreement(self) -> list[Line]:
        """Agreement of the strong couplings with the reference's, at each depth of it."""
        return self.of("spearman_2sigma")

    @property
    def recovery(self) -> list[Line]:
        """Correlation of a block with that of the full map, at each flank."""
        found = [line for line in self.lines if line.metric.startswith("correlation_at_")]
        return [line for line in found if line.range == "all" and line.measured]

    @property
    def evaluations(self) -> list[Line]:
        """The first line of each evaluation: whose runs have a cost."""
        return list({line.evaluation: line for line in reversed(self.lines)}.values())[::-1]


def find_series(runs: Sequence[ComparedRun], bootstrap: Bootstrap) -> list[Series]:
    """The series among the runs of a sweep, each of models of two sizes at least."""
    grouped: dict[tuple[str, str], list[ComparedRun]] = defaultdict(list)
    for run in runs:
        if _size(run):
            grouped[_name(run.summary["run"]), run.summary["run"]["dataset"]].append(run)
    found = [Series(*key, list(_lines(own, bootstrap))) for key, own in grouped.items()]
    return [series for series in found if series.lines]


def _lines(runs: Sequence[ComparedRun], bootstrap: Bootstrap) -> Iterator[Line]:
    """Every metric and range of each evaluation that models of several sizes went through."""
    for evaluation in dict.fromkeys(run.summary["run"]["evaluation"] for run in runs):
        own = [run for run in runs if run.summary["run"]["evaluation"] == evaluation]
        own = sorted(own, key=lambda run: (_size(run), run.summary["run"]["model"]))
        if len({_size(run) for run in own}) < 2:
            continue
        tables = [_by_protein(run) for run in own]
        places = [(item["metric"], item["range"]) for run in own for item in run.summary["metrics"]]
        for metric, name in dict.fromkeys(places):
            growth = _growth(own, [table.get((metric, name)) for table in tables], bootstrap)
            yield Line(evaluation, metric, name, own, growth)


def _growth(
    runs: Sequence[ComparedRun], tables: Sequence[pd.DataFrame | None], bootstrap: Bootstrap
) -> Growth | None:
    """The power law over the proteins that every run could measure."""
    sizes = np.array([_size(run) for run in runs])
    known = [table for table in tables if table is not None]
    if len(np.unique(sizes)) < FEWEST_SIZES or len(known) < len(runs):
        return None
    shared = pd.concat(known, axis=1, join="inner").dropna()
    if len(shared) < 2:
        return None
    values, weights = (shared[name].to_numpy(float) for name in ("value", "weight"))
    return Growth(sizes, values, weights, bootstrap)


def _by_protein(run: ComparedRun) -> dict[tuple[str, str], pd.DataFrame]:
    """Value and weight by protein, for each metric and range that proteins have."""
    rows = read_values(run.folder).sort_values("protein").set_index("protein")
    parts = rows.groupby(["metric", "range"], sort=False)
    return {(str(metric), str(name)): own[["value", "weight"]] for (metric, name), own in parts}


def _estimate(run: ComparedRun, metric: str, name: str) -> dict[str, Any]:
    found = find_metric(run.summary, metric, name)
    return {key: found[key] for key in ("mean", "low", "high", "n", "unscored")}


def _size(run: ComparedRun) -> float:
    return float(run.summary["cost"]["n_parameters"])


def _name(names: dict[str, str]) -> str:
    """Method and settings, but for the evaluation that a sweep may vary beside the model."""
    settings = [part for part in names["settings"].split() if not part.startswith("evaluation=")]
    return " ".join([names["method"], *settings])


def _of_entries(found: re.Match[str]) -> str:
    return f"{'ρ' if found[1] == 'spearman' else 'r'} at {found[2]} σ"
