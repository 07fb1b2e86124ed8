"""The runs of a sweep side by side: one table, every paired difference, one picture."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd

from harness.plots import Bar, comparison_plot
from harness.results import SUMMARY, find_metric, read_rows, read_summary
from harness.statistics import Bootstrap


@dataclass(frozen=True)
class ComparedRun:
    """A finished run folder and its summary."""

    folder: Path
    summary: dict[str, Any]

    @property
    def label(self) -> str:
        """Method, model and settings, as in the tracker."""
        return str(self.summary["run"]["label"])


def finished_runs(sweep: Path) -> list[ComparedRun]:
    """The finished runs directly under a sweep folder: language models by size, then the others."""
    folders = [path.parent for path in sweep.glob(f"*/{SUMMARY}")]
    runs = [ComparedRun(folder, read_summary(folder)) for folder in folders]
    return sorted(runs, key=_order)


def write_comparison(sweep: Path, runs: Sequence[ComparedRun], bootstrap: Bootstrap) -> list[Path]:
    """Write comparison.csv, differences.csv and comparison.png; their paths."""
    table, differences = sweep / "comparison.csv", sweep / "differences.csv"
    picture = sweep / "comparison.png"
    _table(runs).to_csv(table, index=False)
    _differences(runs, bootstrap).to_csv(differences, index=False)
    name = _headline(runs)
    comparison_plot(picture, [_bar(run, name) for run in runs], f"P@L, {name}")
    return [table, differences, picture]


def _table(runs: Sequence[ComparedRun]) -> pd.DataFrame:
    """Every metric of every run, with the cost of the run."""
    rows = [
        {"run": run.label, **estimate, **run.summary["cost"]}
        for run in runs
        for estimate in run.summary["metrics"]
    ]
    return pd.DataFrame(rows)


def _differences(runs: Sequence[ComparedRun], bootstrap: Bootstrap) -> pd.DataFrame:
    """P@L of every later run minus every earlier one, over the proteins that both measured."""
    values = {run.label: _precision(run.folder) for run in runs}
    rows = []
    for first, second in combinations(runs, 2):
        a, b = values[second.label].align(values[first.label], join="inner")
        for name in a.columns.intersection(b.columns):
            estimate = bootstrap.difference(a[name].to_numpy(), b[name].to_numpy())
            head = {"run": second.label, "minus": first.label, "metric": "p_at_L", "range": name}
            rows.append({**head, **asdict(estimate)})
    return pd.DataFrame(rows)


def _precision(folder: Path) -> pd.DataFrame:
    """P@L by protein (rows) and range (columns)."""
    rows = read_rows(folder)
    chosen = rows[rows["metric"] == "p_at_L"]
    return chosen.pivot(index="protein", columns="range", values="value")


def _bar(run: ComparedRun, name: str) -> Bar:
    precision = find_metric(run.summary, "p_at_L", name)
    ceiling = find_metric(run.summary, "ceiling_at_L", name)
    mean, low, high, top = (
        float("nan") if value is None else float(value)
        for value in (precision["mean"], precision["low"], precision["high"], ceiling["mean"])
    )
    return Bar(run.label, mean, low, high, top, float(run.summary["cost"]["n_parameters"]))


def _headline(runs: Sequence[ComparedRun]) -> str:
    return str(runs[0].summary["run"]["ranges"][0])


def _order(run: ComparedRun) -> tuple[bool, str, float, str]:
    parameters = float(run.summary["cost"]["n_parameters"])
    return (parameters == 0, run.summary["run"]["method"], parameters, run.label)
