import numpy as np
import pandas as pd
import pytest

from harness.comparison import ComparedRuns, finished_runs, write_comparison
from harness.scaling import write_scaling
from tests.sized_runs import BOOTSTRAP, finish, precisions

SIZES = (1000, 4000, 16000, 64000)
FORMS = [f"scaling.{form}" for form in ("png", "svg", "pdf")]
NAMES = ["scaling.csv", "scaling_fits.csv", "scaling.md", *FORMS]


def grow(folder, sizes, means, evaluation="agreement", other=()):
    for size, mean in zip(sizes, means, strict=True):
        values = precisions(mean, mean + 0.1, mean - 0.1) | dict(other)
        finish(folder / f"{evaluation}{size}", size, values, evaluation)


def written(folder):
    paths = write_scaling(folder, finished_runs(folder), BOOTSTRAP)
    assert [path.name for path in paths] == NAMES
    points, fits = (pd.read_csv(path, keep_default_na=False, na_values=[""]) for path in paths[:2])
    return points, fits, paths[2].read_text()


def law(sizes):
    return 0.8 - 0.6 * (np.array(sizes) / 1000) ** -0.5


def test_tables_hold_points_and_the_fit(tmp_path):
    grow(tmp_path, SIZES, law(SIZES))
    points, fits, text = written(tmp_path)
    assert points["n_parameters"].tolist() == list(SIZES)
    assert points["mean"].to_numpy() == pytest.approx(law(SIZES))
    assert (points["low"] < points["mean"]).all()
    assert points["flops_per_protein"].tolist() == [2 * size for size in SIZES]
    (fit,) = fits.to_dict("records")
    assert fit["determined"]
    assert [fit["plateau"], fit["span"]] == pytest.approx([0.8, 0.6], abs=0.01)
    assert fit["alpha"] == pytest.approx(0.5, rel=0.02)
    assert (fit["n_sizes"], fit["n_proteins"], fit["at_edge"]) == (4, 3, 0)
    assert "| `m64000` | 64,000 | 0.725 [0.625, 0.825] | 32 | 1.28e+05 | 4 |" in text
    assert f"- P@L, min3: plateau {fit['plateau']:.3f} [" in text


@pytest.mark.parametrize(
    ("means", "note"),
    [
        ([0.5] * 4, "does not grow: no rising curve fits better than a constant"),
        ([0.6, 0.5, 0.4, 0.3], "does not grow: no rising curve fits better than a constant"),
        ([0.2, 0.5, 0.5, 0.5], "plateau not determined: in 100% of resamples"),
        ([0.2, 0.5], "no fit: 2 sizes, and it takes 4"),
        ([0.2, 0.5, 0.6], "no fit: 3 sizes, and it takes 4"),
    ],
    ids=["flat", "decreasing", "a step", "two", "three"],
)
def test_a_plateau_that_is_not_known_is_no_number(tmp_path, means, note):
    grow(tmp_path, SIZES[: len(means)], means)
    _, fits, text = written(tmp_path)
    (fit,) = fits.to_dict("records")
    assert not fit["determined"]
    assert np.isnan([fit["plateau"], fit["alpha"], fit["plateau_low"]]).all()
    assert fit["note"].startswith(note)
    assert f"- P@L, min3: {note}" in text


def test_a_curve_that_does_not_follow_the_means_is_said_to(tmp_path):
    for size, mean in zip((7e3, 3e4, 2e5, 8e5), (0.12, 0.31, 0.63, 0.7), strict=True):
        values = precisions(mean, mean + 0.01, mean - 0.01)
        finish(tmp_path / str(int(size)), int(size), values)
    _, fits, text = written(tmp_path)
    assert "no saturating power law: the best one misses the intervals of" in text
    assert fits["largest_residual"].item() > 0.03
    assert fits["plateau"].isna().all()


def test_columns_are_precision_agreement_at_each_depth_and_recovery_in_the_middle(tmp_path):
    depths = {("spearman_2sigma", f"depth{n}"): {"a": 0.5, "b": 0.6} for n in (64, 1024)}
    grow(tmp_path, SIZES[:2], law(SIZES[:2]), "agreement", depths)
    flanks = {(f"correlation_at_{n}", "all"): {"a": 0.5, "b": 0.6} for n in (0, 4, 8)}
    for size in SIZES[:2]:
        finish(tmp_path / f"recovery{size}", size, flanks, "recovery")
    _, _, text = written(tmp_path)
    columns = ["P@L, min3", "ρ at 2 σ, depth 64", "ρ at 2 σ, depth 1024", "correlation at flank 4"]
    head = " | ".join(["| model", "parameters", *columns, "seconds", "FLOPs", "forward passes |"])
    assert head in text
    assert "Costs are of one protein by evaluation=agreement, on average." in text


def test_a_model_without_a_number_has_a_dash(tmp_path):
    grow(tmp_path, SIZES[:2], [float("nan"), 0.5])
    assert "| `m1000` | 1,000 | – | 0.5 | 2e+03 | 4 |" in written(tmp_path)[2]


def test_nothing_is_written_for_one_size(tmp_path):
    grow(tmp_path, SIZES[:1], [0.5])
    assert write_scaling(tmp_path, finished_runs(tmp_path), BOOTSTRAP) == []
    assert not list(tmp_path.glob("scaling*"))


def test_a_sweep_of_two_evaluations_draws_precision_of_the_runs_that_have_it(tmp_path):
    grow(tmp_path, SIZES[:2], law(SIZES[:2]))
    for size in SIZES[:2]:
        finish(tmp_path / f"r{size}", size, {("recovered", "all"): {"a": 0.5}}, "recovery")
    write_comparison(tmp_path, ComparedRuns(finished_runs(tmp_path), BOOTSTRAP))
    weighed = pd.read_csv(tmp_path / "pareto.csv")
    assert weighed["run"].str.split("(").str[1].tolist() == ["agreement1000)", "agreement4000)"]
    assert set(pd.read_csv(tmp_path / "comparison.csv")["metric"]) == {"p_at_L", "recovered"}
    differences = pd.read_csv(tmp_path / "differences.csv")
    assert differences["metric"].tolist() == ["p_at_L"]
    assert (tmp_path / "comparison.png").exists()
