"""What a run leaves behind, and what a second one in the same folder adds: nothing."""

import json

import numpy as np
import pytest

from harness.results import read_rows

METRICS = (
    *("p_at_L", "p_at_L2", "p_at_L5", "p_at_L10", "ceiling_at_L"),
    *("r_precision", "average_precision", "mean_precision_deciles"),
)


@pytest.fixture
def place(tmp_path):
    return tmp_path / "run"


@pytest.fixture
def finished(command_line, place):
    """A run with everything it can keep."""
    outcome = command_line(f"hydra.run.dir={place}", "save_scores=true", "pictures=true")
    assert outcome.code == 0, outcome.err
    return outcome


@pytest.mark.usefixtures("finished")
def test_rows_have_the_promised_columns(place):
    rows = read_rows(place)
    columns = ("protein", "method", "model", "metric", "range", "value")
    assert tuple(rows) == (*columns, "n_true", "n_valid", "visible")
    assert (rows["visible"] == 27).all()
    assert tuple(dict.fromkeys(rows["metric"])) == METRICS
    assert tuple(dict.fromkeys(rows["range"])) == ("min3", "min6", "min12")
    assert set(rows["protein"]) == {"family00_00", "family01_00"}
    assert (set(rows["method"]), set(rows["model"])) == ({"random"}, {""})
    assert rows["value"].between(0, 1).all()


@pytest.mark.usefixtures("finished")
def test_the_summary_is_that_of_the_rows(place):
    summary = json.loads((place / "summary.json").read_text())
    means = read_rows(place).groupby(["metric", "range"])["value"].mean()
    for estimate in summary["metrics"]:
        assert estimate["mean"] == pytest.approx(means[estimate["metric"], estimate["range"]])
        assert estimate["low"] <= estimate["mean"] <= estimate["high"]
        assert (estimate["n"], estimate["unscored"]) == (2, 0)
    assert len(summary["metrics"]) == len(METRICS) * 3
    assert summary["cost"]["n_proteins"] == 2
    assert summary["provenance"]["dataset_version"].startswith("lattice-")


@pytest.mark.usefixtures("finished")
def test_scores_and_pictures_are_kept_for_every_protein(place):
    for protein in ("family00_00", "family01_00"):
        with np.load(place / "scores" / f"{protein}.npz") as archive:
            scores = archive["scores"]
        assert scores.shape == (27, 27)
        np.testing.assert_array_equal(scores, scores.T)
        assert (place / "maps" / f"{protein}.png").exists()


def test_the_terminal_shows_the_result_and_where_it_is(finished, place):
    assert "P@L min3" in finished.out
    assert f"run:     {place}" in finished.out
    assert finished.err == ""


@pytest.mark.usefixtures("finished")
def test_a_rerun_changes_nothing(command_line, place):
    kept = ["rows.csv", "proteins.jsonl", "config.yaml", "scores/family00_00.npz"]
    before = [(place / name).read_bytes() for name in kept]
    metrics = json.loads((place / "summary.json").read_text())["metrics"]
    again = command_line(f"hydra.run.dir={place}", "save_scores=true", "pictures=true")
    assert again.code == 0
    assert [(place / name).read_bytes() for name in kept] == before
    assert json.loads((place / "summary.json").read_text())["metrics"] == metrics


@pytest.mark.usefixtures("finished")
def test_the_outputs_folder_may_move(command_line, place, tmp_path):
    again = command_line(
        *(f"hydra.run.dir={place}", "save_scores=true", "pictures=true"),
        f"dataset.cache={tmp_path / 'elsewhere'}",
    )
    assert again.code == 0, again.err


def test_a_run_of_a_model_says_what_it_cost(command_line, place):
    model = ("method=categorical_jacobian", "model=lattice_2x16", "model.device=cpu")
    assert command_line(f"hydra.run.dir={place}", *model).code == 0
    summary = json.loads((place / "summary.json").read_text())
    assert summary["run"]["model"] == "lattice_2x16"
    cost = summary["cost"]
    assert cost["forward_passes"] == 2 * (19 * 27 + 1)
    assert cost["tokens"] == cost["forward_passes"] * (27 + 2)
    assert cost["flops"] == 2 * cost["flops_per_protein"] > cost["n_parameters"] * cost["tokens"]
    assert cost["peak_device_bytes"] == 0
    assert cost["n_parameters"] > 1000
    digests = summary["provenance"]["weights_sha256"].split("+")  # of weights, of contact head
    assert [len(digest) for digest in digests] == [64, 64]
    assert set(read_rows(place)["model"]) == {"lattice_2x16"}


def test_the_published_metric_can_be_measured(command_line):
    outcome = command_line("evaluation=zhang2024")
    assert outcome.code == 0
    assert "p_at_L_ordered long" in outcome.out


def test_a_second_process_in_a_folder_is_refused_and_the_first_undisturbed(command_line, place):
    from harness.claims import exclusive

    place.mkdir()
    with exclusive(place):
        outcome = command_line(f"hydra.run.dir={place}")
    assert outcome.code == 1
    assert "another process is writing here" in outcome.err
    assert not (place / "rows.csv").exists()
    assert command_line(f"hydra.run.dir={place}").code == 0


def test_a_quiet_run_prints_its_folder_and_nothing_else(command_line, tmp_path):
    run = command_line("quiet=true", f"hydra.run.dir={tmp_path / 'run'}")
    assert (run.code, run.out, run.err) == (0, f"{tmp_path / 'run'}\n", "")
    again = command_line(f"hydra.run.dir={tmp_path / 'run'}")  # quiet is no part of what a run is
    assert again.code == 0
    assert "P@L" in again.out
