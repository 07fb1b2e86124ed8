"""Several runs in one command: names, comparison, failures."""

import pandas as pd
import pytest

from baselines.random_scores import RandomScores
from harness.results import read_summary
from tests.builders import QUERY, pdb_of, put


@pytest.fixture
def place(tmp_path):
    return tmp_path / "sweep"


@pytest.fixture
def sweep(command_line, place):
    """A function that runs a sweep with these arguments."""
    return lambda *arguments: command_line("-m", f"hydra.sweep.dir={place}", *arguments)


def labels(place):
    return [read_summary(place / n)["run"]["label"] for n in ("0", "1")]


def test_jobs_are_named_by_what_varies_and_compared(sweep, place):
    outcome = sweep("method=separation", "dataset.seed=0,1", "dataset.limit=3")
    assert (outcome.code, outcome.err) == (0, "")
    assert labels(place) == ["separation seed=0", "separation seed=1"]
    differences = pd.read_csv(place / "differences.csv")
    precisions = {"p_at_L", "p_at_L2", "p_at_L5", "p_at_L10"}
    assert set(differences["metric"]) == precisions
    assert len(differences) == 3 * len(precisions)  # ranges of the lattice
    assert (place / "comparison.png").exists()
    assert f"runs:    {place}" in outcome.out


def test_methods_are_compared(sweep, place):
    assert sweep("method=random,separation").code == 0
    assert labels(place) == ["random", "separation"]


def test_depths_are_listed_in_their_order(sweep, place):
    outcome = sweep("method=inverse_covariance", "method.depth=8,null,2,16", "dataset.limit=1")
    assert outcome.code == 0
    listed = list(dict.fromkeys(pd.read_csv(place / "comparison.csv")["run"]))
    assert [name.split("=")[1] for name in listed] == ["2", "8", "16", "null"]


def test_a_named_experiment_names_its_folders(command_line, place):
    outcome = command_line(
        f"hydra.sweep.dir={place}", "experiment=alignment_depths", "method.depth=2,4"
    )
    assert outcome.code == 0, outcome.err
    folders = {path.name for path in place.iterdir() if path.is_dir()}
    assert folders == {"inverse_covariance_depth_2", "inverse_covariance_depth_4"}


def test_precision_is_weighed_against_cost(command_line, place):
    outcome = command_line(
        f"hydra.sweep.dir={place}",
        "experiment=pareto",
        "model=lattice_2x16",
        "method=masked_jacobian,attention,raw_attention,separation",
    )
    assert (outcome.code, outcome.err) == (0, "")
    assert (place / "pareto.png").exists()
    table = pd.read_csv(place / "pareto.csv").set_index("run")
    model = "lattice_2x16"
    readouts = [f"attention {model}", f"masked_jacobian {model}", f"raw_attention {model}"]
    assert list(table.index) == [*readouts, "separation"]
    assert list(table["forward_passes_per_protein"]) == [1, 28, 1, 0]
    assert list(table["flops_per_protein"] > 0) == [True, True, True, False]
    assert "FLOPs/protein" in outcome.out


@pytest.fixture
def folder(tmp_path):
    """Three proteins with alignments, in two tiers."""
    alignment = f">query\n{QUERY}\n>other\n{QUERY.replace('K', 'R')}\n"
    files = {f"{name}/msa.a3m": alignment for name in ("p", "q", "r")}
    files |= {f"{name}/structure.pdb": pdb_of() for name in ("p", "q", "r")}
    return put(tmp_path / "set", files | {"../manifest.csv": "id,chain,tier\np,,A\nq,,B\nr,,A\n"})


def test_linear_models_are_compared_by_tier(command_line, place, folder):
    outcome = command_line(
        *(f"hydra.sweep.dir={place}", "experiment=coevolution", "dataset=folder"),
        *(f"dataset.path={folder}", "dataset.groups=manifest.csv", "dataset.limit=null"),
        "method=inverse_covariance,separation",
    )
    assert (outcome.code, outcome.err) == (0, "")
    folders = {path.name for path in place.iterdir() if path.is_dir()}
    assert folders == {"inverse_covariance", "separation"}
    assert not (place / "separation" / "maps").exists()
    for name in ("comparison.csv", "differences.csv"):
        table = pd.read_csv(place / name, keep_default_na=False)
        chosen = table[(table["metric"] == "p_at_L5") & (table["range"] == "min6")]
        assert dict(zip(chosen["group"], chosen["n"], strict=True)) == {"": 3, "A": 2, "B": 1}
    facts = pd.read_csv(place / "comparison.csv").groupby("run")["facts/n_rows"].unique()
    assert facts["inverse_covariance"].tolist() == [2]
    assert pd.isna(facts["separation"]).all()
    starts = [line.split()[0] for line in outcome.out.splitlines() if line.strip()]
    assert sorted(start for start in starts if start in folders) == sorted(folders)


def test_linear_models_are_compared_by_depth(command_line, place, folder):
    outcome = command_line(
        *(f"hydra.sweep.dir={place}", "experiment=coevolution_depths", "dataset=folder"),
        *(f"dataset.path={folder}", "method=inverse_covariance", "method.depth=1,null"),
    )
    assert (outcome.code, outcome.err) == (0, "")
    folders = {path.name for path in place.iterdir() if path.is_dir()}
    assert folders == {"inverse_covariance_depth_1", "inverse_covariance_depth_None"}
    assert set(pd.read_csv(place / "comparison.csv", keep_default_na=False)["group"]) == {""}


def test_a_bad_job_lets_the_others_go_on(sweep, place):
    outcome = sweep("method=inverse_covariance", "method.depth=2,junk,4")
    assert outcome.code == 1
    assert "1 job failed" in outcome.err
    assert "1: baselines.inverse_covariance.InverseCovariance: depth is junk" in outcome.err
    assert (place / "2" / "summary.json").exists()
    assert "Traceback" not in outcome.out + outcome.err
    assert "depth is junk" in (place / "1" / "unfinished.txt").read_text()


def test_an_unexpected_error_in_one_job_lets_the_others_go_on(sweep, place, monkeypatch):
    def broken(self, protein):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(RandomScores, "__call__", broken)
    outcome = sweep("method=random,separation")
    assert outcome.code == 1
    assert outcome.err.endswith("  0: ZeroDivisionError: a bug\n")
    assert "Traceback" in outcome.out  # of the log
    assert "Traceback" in (place / "0" / "unfinished.txt").read_text()
    assert "Traceback" in (place / "0" / "harness.log").read_text()
    assert (place / "1" / "summary.json").exists()


def test_a_failed_sweep_is_completed_by_the_same_command(sweep, place, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(RandomScores, "__call__", lambda self, protein: 1 / 0)
        assert sweep("method=random,separation").code == 1
    rows = (place / "1" / "rows.csv").read_bytes()
    assert sweep("method=random,separation").code == 0
    assert (place / "1" / "rows.csv").read_bytes() == rows
    assert not (place / "0" / "unfinished.txt").exists()


def test_an_interrupted_sweep_says_how_to_go_on(sweep, place, monkeypatch):
    def interrupted(self, protein):
        raise KeyboardInterrupt

    monkeypatch.setattr(RandomScores, "__call__", interrupted)
    outcome = sweep("method=random,separation")
    assert outcome.code == 130
    assert outcome.err == "interrupted: the same command with the same folder goes on\n"
    assert not (place / "1").exists()


def test_a_choice_that_does_not_exist_is_refused_before_the_first_job(sweep, place):
    outcome = sweep("method=random,no_such_method")
    assert outcome.code == 1
    assert "Could not find 'method/no_such_method'" in outcome.err
    assert not (place / "0").exists()
