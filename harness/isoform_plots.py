"""One picture of an isoform beside its full length: what is kept, three maps, the chain."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy import ndarray

from harness.isoform_pair import IsoformPair
from harness.pictures import BLUE, GREY, ORANGE, save_png, styled

_SHADE = (0.85, 0.92, 0.96)
_NAMES = {BLUE: "blue", ORANGE: "orange", GREY: "grey"}
_LABELS = {"full": "full length", "isoform": "isoform", "cut_out": "cut out of the full length"}
_LOOKS: Mapping[str, Mapping[str, Any]] = {
    "full": {"color": GREY},
    "isoform": {"color": BLUE},
    "cut_out": {"color": ORANGE, "ls": "--"},
}


@styled
def isoform_plot(path: Path, pair: IsoformPair, title: str) -> None:
    """Write the picture of a pair, everything in the numbers of the full length."""
    tracks = _tracks(pair)
    rows: list[Any] = [["alignment"] * 3, ["full", "isoform", "difference"]]
    rows += [[name] * 3 for name in tracks]
    figure = Figure(figsize=(11, 5.6 + 1.7 * len(tracks)), layout="constrained")
    heights = [0.55, 3.4, *(1.2 for _ in tracks)]
    axes = figure.subplot_mosaic(rows, height_ratios=heights)
    figure.suptitle(title)
    _alignment(axes["alignment"], pair)
    _maps(axes, pair)
    for name, lines in tracks.items():
        _track(axes[name], pair, lines, name)
    axes[name].set_xlabel("residue of the full length (shaded: lost; ticks: surroundings are gone)")
    handles = next(iter(axes[name].get_legend_handles_labels() for name in tracks))
    figure.legend(*handles, loc="outside lower center", ncols=3)
    save_png(figure, path)


def _alignment(axes: Axes, pair: IsoformPair) -> None:
    """The full length above, the isoform below; kept segments joined."""
    kept = pair.kept
    for segment in kept.lost:
        axes.barh(1, len(segment), left=segment.start, height=0.5, color=_SHADE, edgecolor=GREY)
    for segment in kept.new:
        axes.barh(0, len(segment), left=segment.start, height=0.5, color=ORANGE)
    for part in np.unique(kept.segment):
        own = kept.segment == part
        above, below = kept.full[own][0], kept.isoform[own][0]
        for height, start in ((1, above), (0, below)):
            axes.barh(height, own.sum(), left=start, height=0.5, color=BLUE)
        ends = [above, above + own.sum(), below + own.sum(), below]
        axes.fill(ends, [0.75, 0.75, 0.25, 0.25], color=BLUE, alpha=0.15, lw=0)
    lengths = (len(kept.places), kept.length)
    names = [f"isoform ({lengths[0]})", f"full length ({lengths[1]})"]
    axes.set_yticks([0, 1], names)
    axes.set(xlim=(-0.5, max(lengths) + 0.5), xlabel="residue (blue: kept, orange: new)")


def _maps(axes: Mapping[str, Axes], pair: IsoformPair) -> None:
    """Scores above the diagonal, contacts below: of both, and what changes from one to other."""
    both = pair.in_full_numbers(np.ones(pair.far.shape, dtype=bool))
    own = pair.in_full_numbers(pair.maps[1])
    before, after = (pair.in_full_numbers(found) for found in pair.contacts)
    contacts = {"full": pair.full.contacts(pair.settings), "isoform": after}
    top = float(np.percentile(np.triu(pair.full.scores, pair.settings.separation), 99.5)) or 1.0
    for name, scores in (("full", pair.full.scores), ("isoform", own)):
        shown = both if name == "isoform" else np.ones_like(both)
        _scores(axes[name], scores, contacts[name], shown, top)
        axes[name].set_title(f"{_LABELS[name]}\nabove: scores; below: contacts")
    _difference(axes["difference"], (own - pair.full.scores) / top, (before, after), both)


def _scores(
    axes: Axes,
    scores: Float[ndarray, "L L"],
    contacts: Bool[ndarray, "L L"],
    shown: Bool[ndarray, "L L"],
    top: float,
) -> None:
    below = np.tri(len(scores), dtype=bool)
    ink = np.where(below, 0.75 * contacts, (scores / top).clip(0, 1))
    colors = np.repeat(1 - ink[..., None], 3, axis=2)
    colors[~shown] = _SHADE
    axes.imshow(colors, interpolation="nearest")


def _difference(
    axes: Axes,
    change: Float[ndarray, "L L"],
    contacts: tuple[Bool[ndarray, "L L"], Bool[ndarray, "L L"]],
    both: Bool[ndarray, "L L"],
) -> None:
    """Change of the scores in units of a strong one; contacts kept, lost and gained."""
    below = np.tri(len(change), dtype=bool)
    paint = np.where(below | ~both, np.nan, change)
    axes.imshow(np.where(both[..., None], 1.0, _SHADE), interpolation="nearest")
    axes.imshow(paint, cmap="RdBu", vmin=-1, vmax=1, interpolation="nearest")
    before, after = (found & below for found in contacts)
    size = 4 + 300 / len(change)
    groups = {"kept": (before & after, GREY), "lost": (before & ~after, ORANGE)}
    groups["gained"] = (after & ~before, BLUE)
    for pairs, color in groups.values():
        i, j = np.nonzero(pairs)
        axes.scatter(j, i, s=size, color=color, marker="s", lw=0)
    kept, lost, gained = (
        f"{name} {pairs.sum()} ({_NAMES[color]})" for name, (pairs, color) in groups.items()
    )
    axes.set_xlabel(f"contacts: {kept},\n{lost}, {gained}")
    axes.set_title("isoform − full length\nabove: scores (blue: stronger); below: contacts")
    axes.set(xlim=(-0.5, len(change) - 0.5), ylim=(len(change) - 0.5, -0.5))


def _tracks(pair: IsoformPair) -> dict[str, Mapping[str, Float[ndarray, " K"]]]:
    """What is drawn along the chain, by axis; curves of the kept residues."""
    if not pair.exposures:
        return {"recovery of a residue's row": {"isoform": pair.recovery_of_rows}}
    tracks = {"accessible area (Å²)": {name: e.area for name, e in pair.exposures.items()}}
    tracks["aggregation propensity"] = {name: e.sap for name, e in pair.exposures.items()}
    return tracks | ({"pLDDT": dict(pair.plddt)} if pair.plddt else {})


def _track(
    axes: Axes, pair: IsoformPair, lines: Mapping[str, Float[ndarray, " K"]], name: str
) -> None:
    for segment in pair.kept.lost:
        axes.axvspan(segment.start - 0.5, segment.end - 0.5, color=_SHADE, lw=0)
    for side, values in lines.items():
        along = np.full(pair.kept.length, np.nan)
        along[pair.kept.full] = values
        axes.plot(along, label=_LABELS[side], lw=1, marker=".", ms=2, **_LOOKS[side])
    bereft, bottom = pair.kept.full[pair.bereft], axes.get_ylim()[0]
    if len(bereft):  # nothing, unclipped, would leave no room for anything else
        axes.plot(bereft, np.full(len(bereft), bottom), "|", color="black", ms=6, clip_on=False)
    axes.set(xlim=(-0.5, pair.kept.length - 0.5), ylabel=name)
