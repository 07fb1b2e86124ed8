"""How numbers grow with the parameters of a model: tables and a picture at the end of a sweep."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from harness.comparison import ComparedRun
from harness.model_series import Line, Series, find_series
from harness.power_law import ALPHAS, FEWEST_SIZES
from harness.scaling_plots import scaling_plot
from harness.statistics import Bootstrap

_ABSENT = "–"
_COSTS = {"seconds": "seconds_per_protein", "FLOPs": "flops_per_protein"}
_COSTS |= {"forward passes": "forward_passes_per_protein"}
_METHODS = (
    "Fits: y(N) = c − A (N / N₀)^(−α), N₀ the smallest model, A ≥ 0, α between "
    f"{ALPHAS[0]:g} and {ALPHAS[-1]:g}; c is the plateau. Least squares over the means, every "
    "model counting the same, over the proteins that all models have. Each resample draws the same "
    "proteins for all models and is fitted anew, so that intervals are over proteins; they hold no "
    "doubt about the form of the curve. A plateau is not reported where α ends at the edge of its "
    "range, or nothing grows, in the fit or in more than a tenth of the resamples; nor where the "
    "curve passes outside the interval of a mean. An interval of α that ends where its range does "
    "is open there."
)


def write_scaling(sweep: Path, runs: Sequence[ComparedRun], bootstrap: Bootstrap) -> list[Path]:
    """Write scaling.csv, scaling_fits.csv, scaling.md and the picture scaling; their paths.

    None where no runs differ in the size of their model only.
    """
    found = find_series(runs, bootstrap)
    if not found:
        return []
    named = [sweep / f"scaling{end}" for end in (".csv", "_fits.csv", ".md")]
    points, fits, text = named
    _points(found).to_csv(points, index=False)
    _fits(found).to_csv(fits, index=False)
    text.write_text(_report(found, bootstrap), encoding="utf-8")
    return [*named, *scaling_plot(sweep / "scaling.png", found, bootstrap.level)]


def _points(found: Sequence[Series]) -> pd.DataFrame:
    """A row a metric, range and model."""
    rows = [
        _place(series, line) | point
        for series in found
        for line in series.lines
        for point in line.points.to_dict("records")
    ]
    return pd.DataFrame(rows)


def _fits(found: Sequence[Series]) -> pd.DataFrame:
    """A row a metric and range: the power law with its intervals, or why there is none."""
    rows = [
        _place(series, line) | _law(line) | {"determined": not reason, "note": reason}
        for series in found
        for line in series.lines
        for reason in [_why_not(line)]
    ]
    return pd.DataFrame(rows)


def _place(series: Series, line: Line) -> dict[str, str]:
    names = {"series": series.name, "dataset": series.dataset, "evaluation": line.evaluation}
    return names | {"metric": line.metric, "range": line.range}


def _law(line: Line) -> dict[str, float]:
    growth, nothing = line.growth, (np.nan,) * 3
    found: dict[str, float] = {"n_sizes": len(np.unique(line.sizes))}
    found["n_proteins"] = len(growth.values) if growth else np.nan
    for name in ("plateau", "span", "alpha"):
        values = growth.estimate(name) if growth else nothing
        found |= dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))
    found["at_edge"] = growth.at_edge if growth else np.nan
    found["largest_residual"] = growth.largest_residual if growth else np.nan
    return found


def _why_not(line: Line) -> str:
    """Why the plateau is not reported; empty where it is."""
    growth, sizes = line.growth, len(np.unique(line.sizes))
    if sizes < FEWEST_SIZES:
        return f"no fit: {sizes} sizes, and it takes {FEWEST_SIZES}"
    if growth is None:
        return "no fit: no two proteins have values in every run"
    if not growth.grows:
        return "does not grow: no rising curve fits better than a constant"
    if growth.at_edge_too_often:
        return (
            f"plateau not determined: in {growth.at_edge:.0%} of resamples no α inside the range "
            "fits best"
        )
    if growth.misses:
        return (
            f"no saturating power law: the best one misses the intervals of {growth.misses} of "
            f"{len(line.sizes)} means (largest distance from a mean: {growth.largest_residual:.3f})"
        )
    return ""


def _report(found: Sequence[Series], bootstrap: Bootstrap) -> str:
    """A table ready for a paper for each series, and its fits in words."""
    resamples = f"percentiles of {bootstrap.resamples:,} bootstrap resamples"
    blocks = ["# Scaling", f"Means over proteins [{bootstrap.level:.0%} interval: {resamples}]."]
    for series in found:
        columns, first = _columns(series), series.lines[0]
        blocks.append(f"## {series.name}, {series.dataset}")
        blocks.append(_markdown(columns, first))
        blocks.append(f"Costs are of one protein by evaluation={first.evaluation}, on average.")
        blocks.append("\n".join(f"- {line.title}: {_in_words(line)}" for line in columns))
    return "\n\n".join([*blocks, _METHODS]) + "\n"


def _columns(series: Series) -> list[Line]:
    """P@L, agreement at each depth, and recovery at the flank in the middle."""
    middle = len(series.recovery) // 2
    return [*series.precision, *series.agreement, *series.recovery[middle : middle + 1]]


def _markdown(columns: Sequence[Line], first: Line) -> str:
    """A row a model, the smallest first; costs are those of the runs of the first line."""
    cells = {line.title: _cells(line, _interval) for line in columns}
    for title, key in _COSTS.items():
        cells[title] = _cells(first, partial(_three_digits, key))
    models = sorted(set().union(*cells.values()))
    rows = [["model", "parameters", *cells], ["---"] * (2 + len(cells))]
    for size, model in models:
        found = [column.get((size, model), _ABSENT) for column in cells.values()]
        rows.append([f"`{model}`", f"{size:,.0f}", *found])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cells(line: Line, text: Callable[[Any], str]) -> dict[tuple[float, str], str]:
    """By size and name of the model."""
    rows = line.points.to_dict("records")
    return {(row["n_parameters"], row["model"]): text(row) for row in rows}


def _interval(row: Mapping[str, Any]) -> str:
    return _ABSENT if np.isnan(row["mean"]) else _bracketed(row["mean"], row["low"], row["high"])


def _three_digits(key: str, row: Mapping[str, Any]) -> str:
    return f"{row[key]:.3g}"


def _bracketed(value: float, low: float, high: float) -> str:
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _in_words(line: Line) -> str:
    reason = _why_not(line)
    if reason or line.growth is None:
        return reason
    plateau, alpha = (_bracketed(*line.growth.estimate(name)) for name in ("plateau", "alpha"))
    return f"plateau {plateau}, α {alpha}; {len(line.growth.values)} proteins"
