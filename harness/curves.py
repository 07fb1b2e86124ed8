"""Pictures along an axis: recovery by flank, one block filling in, the loss of a training."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pandas import DataFrame

from harness.pictures import BLUE, COLORS, DASHES, GREY, save, save_png, styled
from harness.recording import Watched

_PANELS = {"recovered": "share of targets recovered", "correlation": "correlation with full map"}
_MOST_STEPS = 8


@styled
def curve_plot(path: Path, curves: Mapping[str, DataFrame], level: float) -> list[Path]:
    """Write a picture in each form: each metric of each run along the flank, with intervals.

    Lines are means over targets that have so long a flank; they end where fewer than a tenth of
    the targets have. With one run its classes of pairs are drawn too, dashed, without intervals.
    """
    figure = Figure(figsize=(9.6, 4.8), layout="constrained")
    for axes, (metric, axis) in zip(figure.subplots(1, 2), _PANELS.items(), strict=True):
        several = len(curves) > 1
        dashes = cycle(DASHES if several else DASHES[:1])
        for (label, table), color, dash in zip(curves.items(), cycle(COLORS), dashes):
            own = table[table["metric"] == metric]
            names = ["all"] if several else list(dict.fromkeys(own["range"]))
            for name, style in zip(names, cycle((dash, *DASHES[1:])), strict=False):
                line = own[own["range"] == name]
                text = label if name == "all" else name.replace("_", "–")
                _line(axes, line, (color, style), text, band=name == "all")
        axes.axhline(0.5, color=GREY, lw=0.8, ls=":")
        axes.set(xlabel="flank: residues shown on a side, or as many elsewhere", ylabel=axis)
        axes.set(xlim=(0, None), ylim=(min(0, axes.get_ylim()[0]), 1.02))
    lines, texts = figure.axes[0].get_legend_handles_labels()
    figure.legend(lines, texts, loc="outside lower center", fontsize=8, ncols=2)
    figure.suptitle(f"mean over targets, {level:.0%} interval over proteins", fontsize=9)
    return save(figure, path)


@styled
def filling_plot(path: Path, watched: Sequence[Watched], title: str) -> None:
    """Write a picture: a block of the map at some steps, from the fewest residues shown to most."""
    chosen = np.unique(np.linspace(0, len(watched) - 1, _MOST_STEPS).round().astype(int))
    panels = [watched[n] for n in chosen]
    gap = np.full((len(panels[0].scores), 1), np.nan)
    strip = np.hstack([part for one in panels for part in (one.scores, gap)][:-1])
    figure = Figure(figsize=(1.5 + 9.0 * strip.shape[1] / (strip.shape[0] * 8 + 8), 2.4))
    figure.set_layout_engine("constrained")
    axes = figure.subplots()
    picture = axes.imshow(strip, cmap="Greys", vmin=min(0.0, float(panels[-1].scores.min())))
    figure.colorbar(picture, ax=axes, shrink=0.8).ax.tick_params(labelsize=6)
    width = panels[0].scores.shape[1] + 1
    shown = [len(one.protein) - one.protein.n_hidden for one in panels]
    centers = [n * width + width / 2 - 1 for n in range(len(panels))]
    axes.set_xticks(centers, map(str, shown), fontsize=7)
    axes.set_yticks([])
    axes.set_xlabel(f"residues shown, of {len(panels[0].protein)}", fontsize=8)
    axes.set_title(f"{title}\nscores of block {panels[0].block}", fontsize=8)
    save_png(figure, path)


@styled
def loss_plot(
    path: Path,
    curve: Sequence[Mapping[str, float]],
    bounds: Mapping[str, float],
    title: str,
) -> list[Path]:
    """Write a picture in each form: losses by step, the held-out one between its bounds.

    The training loss is at masked, replaced and kept residues with others hidden too, so that it
    has other bounds.
    """
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes, steps = figure.subplots(), [point["step"] for point in curve]
    for name, color in (("held_out", BLUE), ("training_loss", GREY)):
        values = [point[name] for point in curve]
        axes.plot(steps, values, "o-", ms=3, color=color, label=name.replace("_", " "))
    for (name, value), style in zip(bounds.items(), cycle(DASHES[::-1]), strict=False):
        axes.axhline(value, color="black", lw=0.8, ls=style, label=name.replace("_", " "))
    axes.set(xlabel="step", ylabel="cross-entropy of a residue (nats)")
    axes.set_title(title, fontsize=9)
    figure.legend(loc="outside lower center", fontsize=8, ncols=4)
    return save(figure, path)


def _line(axes: Axes, curve: DataFrame, look: tuple[str, str], label: str, band: bool) -> None:
    enough = curve[curve["n"] >= curve["n"].max() / 10]
    color, style = look
    axes.plot(enough["flank"], enough["mean"], color=color, ls=style, label=label)
    if band:
        axes.fill_between(enough["flank"], enough["low"], enough["high"], color=color, alpha=0.2)
