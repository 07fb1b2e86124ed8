from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from harness.pareto import on_front, pareto_plot, pareto_table
from harness.plots import Mark

NAN = float("nan")


def mark(name, mean, seconds=1.0, flops=0.0, model=""):
    costs = {"seconds_per_protein": seconds, "flops_per_protein": flops}
    label = f"{name} {model}".strip()
    return Mark(label, name, mean, mean - 0.05, mean + 0.05, 0.9, 8e6 * bool(flops), costs)


@pytest.mark.parametrize(
    ("cost", "precision", "expected"),
    [
        ([1, 2, 3], [0.1, 0.2, 0.3], [True, True, True]),
        ([1, 2, 3], [0.3, 0.2, 0.1], [True, False, False]),
        ([3, 1, 2], [0.3, 0.2, 0.1], [True, True, False]),
        ([1, 1], [0.1, 0.2], [False, True]),
        ([1, 2], [0.2, 0.2], [True, False]),
        ([1, 1, 2], [0.2, 0.2, 0.1], [True, True, False]),
        ([5], [0.0], [True]),
        ([], [], []),
        ([0, 1, 2], [0.2, 0.1, 0.3], [True, False, True]),
        ([1, 2, 3], [NAN, 0.2, 0.1], [False, True, False]),
        ([NAN, 2], [0.9, 0.2], [False, True]),
        ([NAN, NAN], [NAN, NAN], [False, False]),
    ],
    ids=[
        "more for more",
        "dearer and worse",
        "any order",
        "same cost",
        "same precision",
        "equal in both",
        "one",
        "none",
        "free",
        "no precision",
        "no cost",
        "nothing known",
    ],
)
def test_the_front_holds_what_nothing_beats(cost, precision, expected):
    front = on_front(np.array(cost, dtype=float), np.array(precision, dtype=float))
    assert front.tolist() == expected


RUNS = [
    mark("jacobian", 0.7, 1.0, 5e9, "8M"),
    mark("attention", 0.4, 0.01, 5e7, "8M"),
    mark("slow", 0.3, 2.0, 5e8, "8M"),
    mark("linear", 0.8, 0.1),
]


def test_the_table_has_a_front_for_each_cost():
    table = pareto_table(RUNS).set_index("run")
    assert list(table.loc["linear"][["mean", "low", "high"]]) == pytest.approx([0.8, 0.75, 0.85])
    assert list(table["seconds_per_protein"]) == [1.0, 0.01, 2.0, 0.1]
    assert list(table["on_front_by_seconds_per_protein"]) == [False, True, False, True]
    assert list(table["on_front_by_flops_per_protein"]) == [True, True, False, False]


def test_what_needs_no_model_is_on_no_front_by_operations():
    assert not pareto_table([mark("linear", 0.8)])["on_front_by_flops_per_protein"].any()


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """A function that draws these runs and gives the panels, which are written to a file, too."""
    figures, save = [], Figure.savefig

    def saved(figure, path, **options):
        figures.append(figure)
        save(figure, path, **options)

    def draw(marks):
        pareto_plot(tmp_path / "new" / "pareto.png", marks, "P@L, min3", 0.95)
        assert (tmp_path / "new" / "pareto.png").stat().st_size > 1000
        return figures[-1].axes

    monkeypatch.setattr(Figure, "savefig", saved)
    return draw


def names(axes):
    return [text for text in axes.texts if isinstance(text, Annotation) and text.get_text()]


def named(axes):
    return {text.get_text() for text in names(axes)}


def test_each_cost_has_a_panel_with_the_runs_that_have_it(drawn):
    seconds, flops = drawn(RUNS)
    assert named(seconds) == {"jacobian", "attention", "slow", "linear"}
    assert named(flops) == {"jacobian", "attention", "slow"}
    assert (seconds.get_xlabel(), flops.get_xlabel()) == (
        "seconds per protein",
        "FLOPs per protein",
    )
    assert (seconds.get_xscale(), flops.get_xscale()) == ("log", "log")


def test_without_a_model_there_is_no_panel_of_operations(drawn):
    (axes,) = drawn([mark("linear", 0.8), mark("random", 0.1, 0.5)])
    assert named(axes) == {"linear", "random"}


def test_models_are_named_where_only_they_tell_runs_apart(drawn):
    runs = [mark("jacobian", 0.7, 1, 5e9, "8M"), mark("jacobian", 0.8, 4, 2e10, "35M")]
    assert named(drawn(runs)[0]) == {"jacobian 8M", "jacobian 35M"}


def test_a_run_that_was_not_measured_is_left_out(drawn):
    assert named(drawn([*RUNS, mark("failed", NAN)])[0]) == {run.series for run in RUNS}


@pytest.mark.parametrize(
    "marks", [[mark("one", 0.5)], [mark("none", NAN)], [mark("a", 0.5), mark("b", 0.5)]]
)
def test_few_runs_are_drawn_all_the_same(drawn, marks):
    (axes,) = drawn(marks)
    assert len(names(axes)) == sum(not np.isnan(mark.mean) for mark in marks)


def test_odd_intervals_and_ceilings_are_drawn_all_the_same(drawn):
    odd = replace(RUNS[-1], series="odd", low=0.85, high=NAN, ceiling=NAN)
    assert named(drawn([odd, RUNS[-1]])[0]) == {"odd", "linear"}


def test_names_keep_clear_of_each_other_and_inside_their_panel(drawn):
    crowd = [
        mark(f"a_method_of_some_name_{n}", 0.5 + 0.01 * n, 1 + 0.05 * n, 1e9) for n in range(8)
    ]
    for axes in drawn([*crowd, mark("far", 0.1, 100, 1e12)]):
        boxes = [text.get_window_extent() for text in names(axes)]
        assert len(boxes) == 9
        assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
        assert all(axes.bbox.containsx(box.x0) and axes.bbox.containsx(box.x1) for box in boxes)


def test_the_front_is_a_line_that_rises_from_run_to_run(drawn):
    line = drawn(RUNS)[0].lines[-1]
    x, y = line.get_data()
    assert list(x[:3]) == [0.01, 0.1, 0.1]
    assert list(y) == [0.4, 0.4, 0.8, 0.8]
