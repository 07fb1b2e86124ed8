"""Precision against cost: which runs are worth their price, as a table and as a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter, StrMethodFormatter
from matplotlib.transforms import Bbox
from numpy import ndarray

from harness.pictures import BLUE, GREY, ORANGE, in_lines, save, styled
from harness.plots import Mark, error_bars

COSTS = {"seconds_per_protein": "seconds per protein", "flops_per_protein": "FLOPs per protein"}
"""What a front is drawn against. Runs that read no model have no FLOPs, and no part in those."""

_FORMATS = {"seconds_per_protein": StrMethodFormatter("{x:g}"), "flops_per_protein": EngFormatter()}

_PLACES = sorted(
    ((side * x, y) for x in (7, 30, 60, 90) for y in range(-90, 91, 9) for side in (1, -1)),
    key=lambda place: (abs(place[0]) + abs(place[1]), place[0] < 0),
)
"""Where a label begins (x > 0) or ends (x < 0) relative to its point, in points; best first."""


def on_front(cost: Float[ndarray, " n"], precision: Float[ndarray, " n"]) -> Bool[ndarray, " n"]:
    """Which points no other one beats: as precise for less, or more precise for no more.

    Points that are equal in both stand or fall together. NaN in either: not on the front.
    """
    no_dearer = cost <= cost[:, None]  # row i: the points that cost no more than i
    no_worse = precision >= precision[:, None]
    better = (cost < cost[:, None]) | (precision > precision[:, None])
    beaten = (no_dearer & no_worse & better).any(axis=1)
    return ~(beaten | np.isnan(cost) | np.isnan(precision))


def pareto_table(marks: Sequence[Mark]) -> pd.DataFrame:
    """One line a run: precision with its interval, costs, and whether it is on each front."""
    rows = [
        {"run": mark.label, "mean": mark.mean, "low": mark.low, "high": mark.high, **mark.costs}
        for mark in marks
    ]
    table = pd.DataFrame(rows)
    for key in COSTS:
        table[f"on_front_by_{key}"] = on_front(_costs(marks, key), table["mean"].to_numpy(float))
    return table


@styled
def pareto_plot(path: Path, marks: Sequence[Mark], axis: str, level: float) -> list[Path]:
    """Write a picture in each form: precision with its interval against each cost, and the fronts.

    Runs without a cost or a precision are left out of its panel, and a panel without runs is left
    out. `level` is the confidence level of the intervals.
    """
    drawn = {key: shown for key in COSTS if (shown := _measured(marks, key))}
    rows = max(1, len(drawn))
    figure = Figure(figsize=(10, 0.6 + 5 * rows), dpi=120, layout="constrained")
    figure.supylabel(f"{axis}, {level:.0%} interval over proteins (dotted: ceiling)", fontsize=10)
    all_axes = figure.subplots(rows, squeeze=False)[:, 0]
    panels = [
        _Panel(axes, key, shown)
        for axes, (key, shown) in zip(all_axes, drawn.items(), strict=False)
    ]
    for panel in panels:
        panel.draw()
    figure.legend(handles=_legend(), loc="outside lower center", ncols=4, fontsize=8)
    figure.draw_without_rendering()  # from here on every point has its place
    for panel in panels:
        panel.label()
    return save(figure, path)


def _costs(marks: Sequence[Mark], key: str) -> Float[ndarray, " n"]:
    """That cost of each run; NaN where there is none, as a logarithmic axis has no zero."""
    costs = np.array([mark.costs[key] for mark in marks], dtype=float)
    return np.where(costs > 0, costs, np.nan)


def _measured(marks: Sequence[Mark], key: str) -> list[Mark]:
    """The runs that have both that cost and a precision, the cheapest first."""
    known = [mark for mark in marks if mark.costs[key] > 0 and not np.isnan(mark.mean)]
    return sorted(known, key=lambda mark: mark.costs[key])


@dataclass(frozen=True)
class _Panel:
    """Runs against one cost, the cheapest first."""

    axes: Axes
    key: str
    marks: Sequence[Mark]

    def draw(self) -> None:
        """Points with intervals, those on the front filled, and the front; ceilings dotted."""
        for (cost, mean), mark, best in zip(self._points, self.marks, self._best, strict=True):
            color, shape = (BLUE, "o") if mark.n_parameters else (ORANGE, "s")
            errors, face = error_bars([mark]), color if best else "white"
            self.axes.errorbar(
                cost, mean, yerr=errors, fmt=shape, color=color, mfc=face, elinewidth=0.8
            )
        for ceiling in {mark.ceiling for mark in self.marks}:
            self.axes.axhline(ceiling, color=GREY, ls=":")
        self.axes.set(xscale="log", xlabel=COSTS[self.key], ylim=(0, 1.05))
        self.axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        self.axes.xaxis.set_major_formatter(_FORMATS[self.key])
        self.axes.xaxis.set_minor_formatter(NullFormatter())
        self.axes.margins(x=0.15)
        limits = self.axes.get_xlim()
        self.axes.plot(*self._front(limits[1]).T, color="black", lw=0.8, zorder=0)
        self.axes.set_xlim(limits)

    def label(self) -> None:
        """Names beside the points, where nothing drawn and no earlier name is in the way."""
        taken, names = self._covered(), _names(self.marks)
        for n in np.argsort(-self._points[:, 1], kind="stable"):
            point = tuple(self._points[n])
            text = self.axes.annotate(
                names[n], point, (0, 0), textcoords="offset points", va="center", fontsize=7.5
            )
            free = (place for place in _PLACES if self._fits(_moved(text, place), taken))
            place = next(free, _PLACES[0])
            taken.append(_moved(text, place))
            leader = {"arrowstyle": "-", "color": GREY, "lw": 0.6, "shrinkA": 0, "shrinkB": 4}
            self.axes.annotate("", point, place, textcoords="offset points", arrowprops=leader)

    @property
    def _points(self) -> Float[ndarray, "n 2"]:
        """Cost and precision."""
        return np.array([(mark.costs[self.key], mark.mean) for mark in self.marks], dtype=float)

    @property
    def _best(self) -> Bool[ndarray, " n"]:
        return on_front(*self._points.T)

    def _front(self, end: float) -> Float[ndarray, "m 2"]:
        """Corners of a step line up to the cost `end`: the best precision for no more than that."""
        costs, means = np.repeat(self._points[self._best], 2, axis=0).T
        return np.column_stack([np.append(costs[1:], end), means])

    def _covered(self) -> list[Bbox]:
        """What points, intervals and the front cover of the canvas, in pixels."""
        pixels, (below, above) = self.axes.transData.transform, error_bars(self.marks)
        costs, means = self._points.T
        low, high = (pixels(np.column_stack([costs, y])) for y in (means - below, means + above))
        corners = pixels(self._front(self.axes.get_xlim()[1]))
        points = [Bbox.from_extents(*(a - 5), *(b + 5)) for a, b in zip(low, high, strict=True)]
        steps = [Bbox([np.minimum(a, b) - 1, np.maximum(a, b) + 1]) for a, b in pairwise(corners)]
        return points + steps

    def _fits(self, box: Bbox, taken: Sequence[Bbox]) -> bool:
        inside = self.axes.bbox.count_contains(box.corners()) == 4
        return bool(inside) and not any(box.overlaps(other) for other in taken)


def _moved(text: Annotation, place: tuple[int, int]) -> Bbox:
    """What a label covers of the canvas once it is at that place."""
    text.xyann = place
    text.set_horizontalalignment("left" if place[0] > 0 else "right")
    return text.get_window_extent()


def _names(marks: Sequence[Mark]) -> list[str]:
    """What tells the runs apart: without the model when the rest does."""
    series = [mark.series for mark in marks]
    distinct = len(set(series)) == len(series)
    return [in_lines(name) for name in (series if distinct else [mark.label for mark in marks])]


def _legend() -> list[Line2D]:
    """What shapes, fillings and the line mean."""
    points = (
        ("reads a model", "o", BLUE, "white"),
        ("reads no model", "s", ORANGE, "white"),
        ("filled: on the front", "o", "black", "black"),
    )
    entries = [
        Line2D([], [], ls="", label=label, marker=shape, color=color, mfc=face)
        for label, shape, color, face in points
    ]
    return [*entries, Line2D([], [], color="black", lw=0.8, label="best for no more than that")]
