from itertools import pairwise

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from harness.pictures import COLORS, MARKERS, STYLE, looks, save, save_png, styled


@styled
def drawn():
    figure = Figure(figsize=(2, 2))
    axes = figure.subplots()
    axes.plot([1, 2], [3, 4], label="a line")
    axes.set_title("a title")
    axes.legend()
    return figure


@styled
def written(folder):
    return save(drawn(), folder / "new" / "picture.png")


def test_a_picture_is_written_in_three_forms(tmp_path):
    png, svg, pdf = written(tmp_path)
    assert [path.name for path in (png, svg, pdf)] == [
        f"picture.{x}" for x in ("png", "svg", "pdf")
    ]
    assert png.read_bytes().startswith(b"\x89PNG")
    assert "a title" in svg.read_text()  # as text, which can be searched and edited
    assert pdf.read_bytes().startswith(b"%PDF")


def test_the_same_numbers_give_the_same_files(tmp_path):
    for first, second in zip(written(tmp_path / "a"), written(tmp_path / "b"), strict=True):
        assert first.read_bytes() == second.read_bytes()


def test_the_style_ends_with_the_picture():
    before = matplotlib.rcParams["axes.spines.top"]
    figure = drawn()
    assert not figure.axes[0].spines["top"].get_visible()
    assert matplotlib.rcParams["axes.spines.top"] == before != STYLE["axes.spines.top"]


def test_a_picture_of_a_protein_is_one_file(tmp_path):
    save_png(drawn(), tmp_path / "maps" / "a.png")
    assert [path.name for path in (tmp_path / "maps").iterdir()] == ["a.png"]


def test_series_differ_without_color():
    first = [look["marker"] for look, _ in zip(looks(), range(len(COLORS)), strict=False)]
    assert len(set(first)) == len(COLORS)
    pairs = [(look["color"], look["marker"]) for look, _ in zip(looks(), range(42), strict=False)]
    assert len(set(pairs)) == len(COLORS) * len(MARKERS)


@pytest.mark.parametrize(("first", "second"), list(pairwise(COLORS)))
def test_neighboring_colors_differ_for_everybody(first, second):
    """Distance in RGB as the common red-green blindnesses have it (Viénot, Brettel & Mollon, 1999).

    Their simulation of deuteranopia and protanopia on linear RGB; 0.1 of the cube's edge apart.
    """
    simulations = (
        np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]]),
        np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]]),
    )
    linear = [np.array(to_rgb(color)) ** 2.2 for color in (first, second)]
    for seen in simulations:
        a, b = (np.clip(seen @ color, 0, 1) ** (1 / 2.2) for color in linear)
        assert np.linalg.norm(a - b) > 0.1
