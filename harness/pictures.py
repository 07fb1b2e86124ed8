"""One style for all pictures, and how they are written: PNG, SVG and PDF beside each other."""

import logging
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from textwrap import fill
from typing import Any

import matplotlib
from matplotlib.figure import Figure

matplotlib.use("Agg")
logging.getLogger("fontTools").setLevel(logging.WARNING)  # tells of every font in every PDF

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#999999"
COLORS = (BLUE, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Colors that stay apart for color-blind readers (Okabe & Ito, 2008)."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
"""Shapes that stay apart in grey; one more than colors, so that pairs repeat late."""
DASHES = ("-", "--", "-.", ":")

STYLE: dict[Any, Any] = {
    "axes.labelsize": 9,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 9,
    "errorbar.capsize": 2,
    "figure.titlesize": 9,
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same everywhere
    "font.size": 8,
    "hatch.linewidth": 0.6,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "lines.markersize": 4.5,
    "pdf.fonttype": 42,  # text that journals and editors can read, not outlines
    "svg.fonttype": "none",
    "svg.hashsalt": "contact-harness",  # the same numbers give the same file
}
styled = matplotlib.rc_context(STYLE)
"""Decorator of functions that draw."""

FORMS: dict[str, dict[str, Any]] = {
    ".png": {"metadata": {"Software": None}},
    ".svg": {"metadata": {"Date": None, "Creator": None}},
    ".pdf": {"metadata": {"CreationDate": None, "Creator": None, "Producer": None}},
}
"""What pictures are written as: nothing in them says when."""


def save(figure: Figure, path: Path) -> list[Path]:
    """Write the figure as path.png, path.svg and path.pdf; their paths."""
    path.parent.mkdir(parents=True, exist_ok=True)
    paths = [path.with_suffix(suffix) for suffix in FORMS]
    for own, options in zip(paths, FORMS.values(), strict=True):
        figure.savefig(own, dpi=150, **options)
    return paths


def save_png(figure: Figure, path: Path) -> None:
    """Write a picture of one protein: there may be hundreds, and maps are pixels in any form."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, **FORMS[".png"])


def looks() -> Iterator[dict[str, Any]]:
    """Color and marker of one series after another, without end."""
    for color, marker in zip(cycle(COLORS), cycle(MARKERS), strict=False):
        yield {"color": color, "marker": marker}


def in_lines(label: str) -> str:
    """The label, broken where it is longer than 40 letters: else no room is left for the rest."""
    return fill(label, 40, break_long_words=False)
