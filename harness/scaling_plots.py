"""Pictures of scaling: what is read from a model, and what that costs, against its parameters."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from numpy import ndarray
from pandas import DataFrame

from harness.model_series import Line, Series
from harness.pictures import BLUE, ORANGE, looks, save, styled

_COLUMNS = 3
_COSTS = {"seconds_per_protein": "seconds per protein", "flops_per_protein": "FLOPs per protein"}


@styled
def scaling_plot(path: Path, found: Sequence[Series], level: float) -> list[Path]:
    """Write a picture in each form: the panels of every series that have data.

    Fitted power laws are drawn where they are determined, with the band of their interval; else
    the points are joined by a dashed line. `level` is the confidence level of the intervals.
    """
    panels = [_panels(series) for series in found]
    rows = [-(-len(own) // _COLUMNS) for own in panels]
    columns = min(_COLUMNS, max(map(len, panels)))
    size = (0.4 + 4.6 * columns, 0.6 + 4.2 * sum(rows))
    figure = Figure(figsize=size, layout="constrained")
    figure.suptitle(
        f"mean over proteins, {level:.0%} interval; fitted power laws with their band "
        "(dashed: none reported)",
        fontsize=9,
    )
    parts = figure.subfigures(len(found), 1, squeeze=False, height_ratios=rows)[:, 0]
    for series, part, own, n in zip(found, parts, panels, rows, strict=True):
        if len(found) > 1:
            part.suptitle(f"{series.name}, {series.dataset}", fontsize=9)
        _draw(part, own, (n, columns))
    return save(figure, path)


_Panel = Callable[[Axes], None]


def _draw(part: SubFigure, panels: Sequence[_Panel], shape: tuple[int, int]) -> None:
    all_axes = part.subplots(*shape, squeeze=False).ravel()
    for axes, panel in zip(all_axes, panels, strict=False):
        panel(axes)
        names = axes.get_legend_handles_labels()[1]
        columns = 2 if len(names) < 5 else 3
        if names:
            below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.16), "ncols": columns}
            axes.legend(**below, fontsize=7)
    for axes in all_axes[len(panels) :]:
        axes.remove()


def _panels(series: Series) -> list[_Panel]:
    """What there is to draw of a series."""
    depths = [line for line in series.agreement if line.depth]
    drawn = [
        (_precision, bool(series.precision)),
        (_agreement, bool(series.agreement)),
        (_by_depth, len(depths) > 1),
        (_recovery, bool(series.recovery)),
    ]
    panels: list[_Panel] = [partial(draw, series) for draw, there in drawn if there]
    for cost in _COSTS:
        lines = [line for line in series.evaluations if (line.points[cost] > 0).all()]
        panels += [partial(_cost, cost, lines)] if lines else []
    return panels


def _precision(series: Series, axes: Axes) -> None:
    (line,) = series.precision
    _line(axes, line, {"color": BLUE, "marker": "o"}, label="")
    for reference in series.of("reference_p_at_L"):
        level, name = reference.points["mean"].iloc[0], reference.range.replace("depth", "depth ")
        axes.axhline(level, color=ORANGE, lw=0.8)
        text = f"reference {name}".strip()
        axes.annotate(text, (line.sizes[0], level), fontsize=7, color=ORANGE, va="bottom")
    _against_size(axes, line.title)


def _agreement(series: Series, axes: Axes) -> None:
    for line, look in zip(series.agreement, looks(), strict=False):
        _line(axes, line, look, label=f"depth {line.depth}" if line.depth else "")
    _against_size(axes, "Spearman's ρ with the reference, 2 σ")


def _by_depth(series: Series, axes: Axes) -> None:
    lines = [line for line in series.agreement if line.depth]
    references = [line for line in series.of("reference_p_at_L") if line.depth]
    for n, look in zip(range(len(lines[0].runs)), looks(), strict=False):
        points = [line.points.iloc[n] for line in lines]
        _bars(axes, _depths(lines), DataFrame(points), look, str(points[0]["model"]))
    own = DataFrame([line.points.iloc[0] for line in references])
    if len(own):
        look = {"color": ORANGE, "marker": "*", "linestyle": "--"}
        _bars(axes, _depths(references), own, look, "reference's own P@L")
    axes.set(xscale="log", ylim=_reach(axes), ylabel="Spearman's ρ at 2 σ, and P@L")
    axes.set_xlabel("sequences that the reference is fitted to")


def _recovery(series: Series, axes: Axes) -> None:
    for line, look in zip(series.recovery, looks(), strict=False):
        _line(axes, line, look, label=line.title.removeprefix("correlation at "))
    _against_size(axes, "correlation of a block with the full map")


def _cost(cost: str, lines: Sequence[Line], axes: Axes) -> None:
    for line, look in zip(lines, looks(), strict=False):
        axes.plot(line.sizes, line.points[cost], label=line.evaluation, **look)
    axes.set(xscale="log", yscale="log", xlabel="parameters", ylabel=_COSTS[cost])


def _line(axes: Axes, line: Line, look: Mapping[str, Any], label: str) -> None:
    """Points with intervals, and the power law through them where it is determined."""
    growth = line.growth
    determined = growth is not None and growth.determined
    joined = {"linestyle": "none" if determined else "--"}
    _bars(axes, line.sizes, line.points, {**look, **joined}, label)
    if growth is not None and determined:
        sizes = np.geomspace(line.sizes[0], line.sizes[-1], 60)
        fitted, low, high = growth.band(sizes)
        axes.plot(sizes, fitted, color=look["color"], lw=1)
        axes.fill_between(sizes, low, high, color=look["color"], alpha=0.15, lw=0)


def _bars(
    axes: Axes, x: Float[ndarray, " s"], points: DataFrame, look: Mapping[str, Any], label: str
) -> None:
    """Means with their intervals at x."""
    reach = [points["mean"] - points["low"], points["high"] - points["mean"]]
    errors = np.nan_to_num(np.array(reach, dtype=float)).clip(0)
    axes.errorbar(
        x,
        points["mean"].to_numpy(float),
        yerr=errors,
        label=label or None,
        linewidth=0.8,
        **look,
    )


def _depths(lines: Sequence[Line]) -> Float[ndarray, " d"]:
    return np.array([line.depth for line in lines], dtype=float)


def _against_size(axes: Axes, axis: str) -> None:
    axes.set(xscale="log", ylim=_reach(axes), xlabel="parameters", ylabel=axis)


def _reach(axes: Axes) -> tuple[float, float]:
    """From 0, or below where something is, to 1."""
    return min(0.0, axes.get_ylim()[0]), 1.02
