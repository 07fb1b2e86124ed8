"""Pictures: one contact map a protein, one comparison a sweep."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy import ndarray

from harness.metrics import RANGES, ContactDefinition, RankedPairs, rank_pairs, separations
from harness.pictures import BLUE, GREY, ORANGE, in_lines, looks, save, save_png, styled
from harness.sample import Sample


@dataclass(frozen=True)
class MapStyle:
    """What a contact map marks: contacts by this definition, top L pairs of this range."""

    contact: ContactDefinition
    within: str


@styled
def contact_map(
    path: Path, sample: Sample, scores: Float[ndarray, "L L"], title: str, style: MapStyle
) -> None:
    """Write a picture: truth below the diagonal, scores above, the top L pairs marked."""
    within, breaks = RANGES[style.within], sample.protein.breaks
    pairs = rank_pairs(scores, sample.distances, within, style.contact.cutoff, breaks)
    figure = Figure(figsize=(5.2, 5.4), layout="constrained")
    axes = figure.subplots()
    _scores(axes, scores, pairs)
    _truth(axes, sample, style)
    _top_pairs(axes, pairs)
    edges = (-0.5, len(scores) - 0.5)
    axes.plot(edges, edges, color=GREY, lw=0.8)
    for at in breaks:
        axes.axhline(at - 0.5, color=GREY, lw=0.8, ls="--")
        axes.axvline(at - 0.5, color=GREY, lw=0.8, ls="--")
    axes.set(xlim=edges, ylim=edges[::-1], xlabel="residue", ylabel="residue")
    legend = f"above: scores; below: contacts < {style.contact.cutoff:g} Å"
    axes.set_title(f"{title}\n{legend}", fontsize=9)
    where = f"top L pairs, {within}"
    figure.legend(title=where, loc="outside lower center", ncols=2, fontsize=8, title_fontsize=8)
    save_png(figure, path)


@dataclass(frozen=True)
class Mark:
    """One job of a sweep in a picture: its name, its mean with interval, ceiling, and costs.

    Marks of one series differ in their model only. `costs` are for one protein, on average.
    """

    label: str
    series: str
    mean: float
    low: float
    high: float
    ceiling: float
    n_parameters: float
    costs: Mapping[str, float]


def error_bars(marks: Sequence[Mark]) -> Float[ndarray, "2 n"]:
    """How far each interval reaches below and above its mean; 0 where it does not."""
    reach = [[mark.mean - mark.low for mark in marks], [mark.high - mark.mean for mark in marks]]
    return np.nan_to_num(reach).clip(0)


@styled
def comparison_plot(path: Path, marks: Sequence[Mark], axis: str, level: float) -> list[Path]:
    """Write a picture in each form: jobs of a sweep with intervals; models also by their size.

    `level` is the confidence level of the intervals.
    """
    sized = sorted(
        (mark for mark in marks if mark.n_parameters > 0), key=lambda mark: mark.n_parameters
    )
    panels = 2 if len({mark.n_parameters for mark in sized}) > 1 else 1
    height = 1.6 + 0.34 * len(marks)
    figure = Figure(figsize=(5.5 * panels, max(3.2, height)), layout="constrained")
    first, *rest = np.atleast_1d(figure.subplots(1, panels))
    _bars(first, marks, f"{axis}, {level:.0%} interval over proteins\n(dotted: ceiling)")
    for axes in rest:
        _scaling(axes, sized, [mark for mark in marks if mark.n_parameters == 0], axis)
    return save(figure, path)


def _scores(axes: Axes, scores: Float[ndarray, "L L"], pairs: RankedPairs) -> None:
    """Scores above the diagonal; the grey scale spans those of the range."""
    upper = np.where(np.tri(len(scores), dtype=bool), np.nan, scores)
    lowest, highest = np.percentile(pairs.score, [50, 99.5]) if pairs.n_valid else (0.0, 1.0)
    axes.imshow(upper, cmap="Greys", vmin=lowest, vmax=max(highest, lowest + 1e-12))


def _top_pairs(axes: Axes, pairs: RankedPairs) -> None:
    """Marks on the top L pairs: true and false."""
    i, j, hit = (values[: pairs.top(1)] for values in (pairs.i, pairs.j, pairs.contact))
    size = 12 + 900 / pairs.length
    axes.scatter(j[hit], i[hit], s=size, c=BLUE, label=f"contact ({hit.sum()})")
    missed = f"no contact ({(~hit).sum()})"
    axes.scatter(j[~hit], i[~hit], s=size, c=ORANGE, marker="x", label=missed)


def _truth(axes: Axes, sample: Sample, style: MapStyle) -> None:
    """Contacts below the diagonal, pale where the range leaves them out; unresolved shaded."""
    distances = sample.distances
    below, touching = np.tri(len(distances), k=-1, dtype=bool), distances < style.contact.cutoff
    separation = separations(len(distances), sample.protein.breaks).T
    colors = np.zeros((*distances.shape, 4))
    colors[below & touching] = (0.85, 0.85, 0.85, 1)
    colors[below & touching & RANGES[style.within].contains(separation)] = (0.25, 0.25, 0.25, 1)
    colors[below & np.isnan(distances)] = (0.0, 0.45, 0.7, 0.12)
    axes.imshow(colors, interpolation="nearest")


def _bars(axes: Axes, marks: Sequence[Mark], axis: str) -> None:
    places = np.arange(len(marks))[::-1]
    means = np.array([mark.mean for mark in marks])
    for color, hatch, sized in ((BLUE, "", True), (ORANGE, "///", False)):
        own = [bool(mark.n_parameters) == sized for mark in marks]
        look: dict[str, Any] = {"color": color, "hatch": hatch, "edgecolor": "white"}
        axes.barh(places[own], means[own], height=0.7, **look)
    axes.errorbar(means, places, xerr=error_bars(marks), fmt="none", ecolor="black")
    axes.vlines([mark.ceiling for mark in marks], places - 0.4, places + 0.4, color=GREY, ls=":")
    labels = [in_lines(mark.label) for mark in marks]
    axes.set_yticks(places, labels, fontsize=6 if any("\n" in label for label in labels) else 8)
    axes.set(xlabel=axis, xlim=(0, 1.02))


def _scaling(axes: Axes, models: Sequence[Mark], baselines: Sequence[Mark], axis: str) -> None:
    series = {name: [mark for mark in models if mark.series == name] for name in _series(models)}
    for (name, marks), look in zip(series.items(), looks(), strict=False):
        x, y = [mark.n_parameters for mark in marks], [mark.mean for mark in marks]
        axes.errorbar(x, y, yerr=error_bars(marks), label=name, **look)
    axes.legend(fontsize=8, loc="best")
    left = min(mark.n_parameters for mark in models)
    for mark in baselines:
        axes.axhline(mark.mean, color=ORANGE, lw=0.8)
        axes.annotate(mark.label, (left, mark.mean), fontsize=7, color=ORANGE, va="bottom")
    axes.set(xscale="log", xlabel="parameters", ylabel=axis, ylim=(0, 1.02))


def _series(marks: Sequence[Mark]) -> list[str]:
    return list(dict.fromkeys(mark.series for mark in marks))
