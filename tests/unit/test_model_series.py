import numpy as np
import pytest

from harness.comparison import finished_runs
from harness.model_series import find_series
from tests.sized_runs import BOOTSTRAP, finish, precisions

SIZES = (1000, 4000, 16000, 64000)
NAN = float("nan")


def series(folder):
    return find_series(finished_runs(folder), BOOTSTRAP)


def grow(folder, sizes=SIZES, **options):
    """Runs of these sizes whose P@L is a power law, one folder each."""
    for size in sizes:
        mean = 0.8 - 0.6 * (size / 1000) ** -0.5
        finish(folder / str(size), size, precisions(mean, mean + 0.1, mean - 0.1), **options)


def test_runs_of_one_method_are_a_series_the_smallest_model_first(tmp_path):
    grow(tmp_path, (16000, 1000, 64000, 4000))
    (found,) = series(tmp_path)
    (line,) = found.lines
    assert (found.name, found.dataset, line.title) == ("jacobian", "lattice", "P@L, min3")
    assert line.sizes.tolist() == list(SIZES)
    assert line.points["model"].tolist() == [f"m{size}" for size in SIZES]
    assert line.points["mean"].to_numpy() == pytest.approx([0.2, 0.5, 0.65, 0.725])
    assert line.points["seconds_per_protein"].tolist() == [0.5, 2, 8, 32]
    assert line.points["forward_passes_per_protein"].tolist() == [4] * 4
    assert line.growth.estimate("plateau")[0] == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize("sizes", [(), (1000,), (1000, 1000)], ids=["none", "one", "the same"])
def test_runs_of_one_size_are_none(tmp_path, sizes):
    for n, size in enumerate(sizes):
        finish(tmp_path / str(n), size, precisions(0.5, 0.6))
    finish(tmp_path / "baseline", 0, precisions(0.5, 0.6))
    assert series(tmp_path) == []


@pytest.mark.parametrize("n", [2, 3])
def test_two_and_three_sizes_are_not_fitted(tmp_path, n):
    grow(tmp_path, SIZES[:n])
    ((line,),) = (found.lines for found in series(tmp_path))
    assert line.growth is None
    assert len(line.points) == n


def test_settings_make_a_series_and_evaluations_do_not(tmp_path):
    for evaluation in ("agreement", "recovery"):
        for seed in (0, 1):
            place = tmp_path / f"{evaluation}{seed}_"
            settings = f"evaluation={evaluation} seed={seed}"
            for size in (1000, 4000):
                values = precisions(0.5, 0.6)
                finish(place.with_name(place.name + str(size)), size, values, evaluation, settings)
    found = series(tmp_path)
    assert [one.name for one in found] == ["jacobian seed=0", "jacobian seed=1"]
    assert [line.evaluation for line in found[0].lines] == ["agreement", "recovery"]
    assert [line.evaluation for line in found[0].precision] == ["agreement"]
    assert len(found[0].evaluations) == 2


def test_a_curve_stands_on_the_proteins_that_every_run_could_measure(tmp_path):
    for n, size in enumerate(SIZES):
        values = [0.1 * n, 0.2 * n, 0.3 * n, 0.9]
        values[3] = NAN if n == 1 else values[3]  # d: not measured
        finish(tmp_path / str(n), size, precisions(*values[: 3 if n == 2 else 4]))  # or not there
    ((line,),) = (found.lines for found in series(tmp_path))
    assert line.points["n"].tolist() == [4, 3, 3, 4]
    assert line.points["unscored"].tolist() == [0, 1, 0, 0]
    expected = [[0.1 * n * times for n in range(4)] for times in (1, 2, 3)]
    assert line.growth.values == pytest.approx(np.array(expected))


def test_without_shared_proteins_there_is_no_curve(tmp_path):
    for n, size in enumerate(SIZES):
        finish(tmp_path / str(n), size, {("p_at_L", "min3"): {"a": 0.5, f"own{n}": 0.5}})
    ((line,),) = (found.lines for found in series(tmp_path))
    assert line.growth is None


def test_a_metric_that_one_run_does_not_have_is_shown_where_it_is(tmp_path):
    for size in SIZES:
        other = {("spearman_2sigma", "depth64"): {"a": 0.5, "b": 0.6}} if size > 1000 else {}
        finish(tmp_path / str(size), size, precisions(0.5, 0.6) | other)
    (found,) = series(tmp_path)
    (line,) = found.agreement
    assert (line.title, line.depth, line.growth) == ("ρ at 2 σ, depth 64", 64, None)
    assert np.isnan(line.points["mean"].iloc[0])
    assert line.points["mean"].iloc[1] == 0.55


@pytest.mark.parametrize(
    ("metric", "name", "title", "depth"),
    [
        ("p_at_L5", "long", "P@L5, long", None),
        ("pearson_0.5sigma", "", "r at 0.5 σ", None),
        ("correlation_at_8", "all", "correlation at flank 8", None),
        ("top_overlap", "depth1024", "top overlap, depth 1024", 1024),
    ],
)
def test_lines_are_named_as_a_paper_would(tmp_path, metric, name, title, depth):
    for size in (1, 2):
        finish(tmp_path / str(size), size, {(metric, name): {"a": 0.5}})
    ((line,),) = (found.lines for found in series(tmp_path))
    assert (line.title, line.depth) == (title, depth)
