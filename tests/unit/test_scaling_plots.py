import numpy as np
import pytest
from matplotlib.figure import Figure

from harness.comparison import finished_runs
from harness.model_series import find_series
from harness.scaling_plots import scaling_plot
from tests.sized_runs import BOOTSTRAP, finish, precisions

SIZES = (1000, 4000, 16000, 64000)


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """A function that draws the runs of a folder and gives the panels."""
    figures, save = [], Figure.savefig

    def saved(figure, path, **options):
        figures.append(figure)
        save(figure, path, **options)

    def draw():
        series = find_series(finished_runs(tmp_path), BOOTSTRAP)
        paths = scaling_plot(tmp_path / "new" / "scaling.png", series, 0.95)
        assert paths[0].read_bytes().startswith(b"\x89PNG")
        assert "<svg" in paths[1].read_text()
        return figures[-1].axes

    monkeypatch.setattr(Figure, "savefig", saved)
    return draw


def grow(folder, more=(), settings=""):
    for size in SIZES:
        mean = 0.8 - 0.6 * (size / 1000) ** -0.5
        values = precisions(mean, mean + 0.1, mean - 0.1) | dict(more)
        finish(folder / f"{settings}{size}", size, values, settings=settings)


def axis_labels(panels):
    return [axes.get_ylabel() for axes in panels]


def named(axes):
    return axes.get_legend_handles_labels()[1]


COSTS = ["seconds per protein", "FLOPs per protein"]


def test_there_is_a_panel_for_what_was_measured(tmp_path, drawn):
    grow(tmp_path)
    panels = drawn()
    assert axis_labels(panels) == ["P@L, min3", *COSTS]
    assert {axes.get_xscale() for axes in panels} == {"log"}
    assert {axes.get_xlabel() for axes in panels} == {"parameters"}
    assert panels[1].get_yscale() == "log"


def test_the_power_law_is_drawn_through_the_points_with_its_band(tmp_path, drawn):
    grow(tmp_path)
    precision = drawn()[0]
    curve = next(line for line in precision.lines if len(line.get_xdata()) == 60)
    assert curve.get_ydata()[[0, -1]] == pytest.approx([0.2, 0.725], abs=0.005)
    assert len(precision.collections) == 2  # bars and band


def test_without_one_the_points_are_joined(tmp_path, drawn):
    for size in SIZES:
        finish(tmp_path / str(size), size, precisions(0.5, 0.6))
    precision = drawn()[0]
    assert precision.lines[0].get_linestyle() == "--"
    assert len(precision.collections) == 1


def test_agreement_has_a_line_for_each_depth_and_each_model(tmp_path, drawn):
    pairs = ("a", "b")
    depths = {("spearman_2sigma", f"depth{n}"): dict.fromkeys(pairs, 0.5) for n in (64, 1024)}
    depths |= {
        ("reference_p_at_L", f"depth{n}"): dict.fromkeys(pairs, n / 2048) for n in (64, 1024)
    }
    grow(tmp_path, depths)
    precision, by_size, by_depth, *costs = drawn()
    assert axis_labels(costs) == COSTS
    assert named(by_size) == ["depth 64", "depth 1024"]
    assert named(by_depth) == [*(f"m{size}" for size in SIZES), "reference's own P@L"]
    assert by_depth.lines[0].get_xdata().tolist() == [64, 1024]
    assert {text.get_text() for text in precision.texts} == {
        "reference depth 64",
        "reference depth 1024",
    }


def test_one_depth_has_no_panel_of_depths(tmp_path, drawn):
    grow(tmp_path, {("spearman_2sigma", ""): {"a": 0.5, "b": 0.5}})
    panels = drawn()
    assert len(panels) == 4
    assert named(panels[1]) == []


def test_recovery_has_a_line_for_each_flank(tmp_path, drawn):
    flanks = {(f"correlation_at_{n}", "all"): {"a": 0.5, "b": np.nan} for n in (0, 8)}
    grow(tmp_path, flanks)
    panels = drawn()
    assert named(panels[1]) == ["flank 0", "flank 8"]


def test_every_series_has_panels_of_its_own(tmp_path, drawn):
    grow(tmp_path, settings="seed=0")
    grow(tmp_path, settings="seed=1")
    assert axis_labels(drawn()) == ["P@L, min3", *COSTS] * 2


def test_what_nobody_could_measure_has_no_panel(tmp_path, drawn):
    for size in SIZES:
        finish(tmp_path / str(size), size, precisions(np.nan, np.nan))
    assert axis_labels(drawn()) == COSTS
