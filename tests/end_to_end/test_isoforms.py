"""Isoforms and predicted structures through the command line, from files to pages."""

import json

import pandas as pd
import pytest

from harness.results import read_rows, read_summary
from tests.builders import pdb_of, put
from tests.folding import choices_for, predicted
from tests.isoforms import FULL, SHORT

TABLE = "isoform,full_length,isoform_sequence,full_length_sequence,variant,source\n"
ROW = f"iso,full,{SHORT},{FULL},without 10 to 17,made up\n"


@pytest.fixture
def pairs(tmp_path):
    """A table of one pair, and predictions of both."""
    put(tmp_path, {"pairs.csv": TABLE + ROW})
    for name, sequence in (("full", FULL), ("iso", SHORT)):
        predicted(tmp_path / "predictions" / f"{name}.pdb", sequence, plddt=75.0)
    return [
        "dataset=isoforms",
        f"dataset.pairs={tmp_path / 'pairs.csv'}",
        "evaluation=isoform",
        "pictures=true",
        "method=structure",
        f"predictions={tmp_path / 'predictions'}",
        "dataset.limit=null",
    ]


@pytest.fixture
def measured(command_line, tmp_path):
    """A function that runs these arguments into one folder, and gives it."""

    def run(*arguments, fails=False):
        done = command_line(*arguments, f"hydra.run.dir={tmp_path / 'run'}")
        assert (done.code != 0) == fails, done.err
        return done.err if fails else tmp_path / "run"

    return run


def test_predictions_of_a_pair_from_files_to_a_page(measured, pairs):
    folder = measured(*pairs)
    rows = read_rows(folder).set_index(["metric", "range"])["value"]
    assert rows["rmsd", "kept"] > 2
    assert rows["plddt_isoform", "kept"] == pytest.approx(75.0)
    assert rows["exposed_area_cut_out", "kept"] > 0
    assert {path.name for path in (folder / "isoforms").iterdir()} == {
        *("index.html", "iso.html", "iso.json", "iso.csv", "iso.png")
    }
    assert pd.read_csv(folder / "isoforms.csv")["variant"].tolist() == ["without 10 to 17"]
    files = json.loads((folder / "proteins.jsonl").read_text())["files"]
    assert set(files) == {"full", "iso"}
    assert read_summary(folder)["facts"]["mean_plddt"]["mean"] == pytest.approx(75.0)


def test_a_run_goes_on_and_refuses_another_prediction(measured, pairs, tmp_path):
    measured(*pairs)
    measured(*pairs)
    predicted(tmp_path / "predictions" / "full.pdb", FULL, plddt=60.0)
    message = measured(*pairs, fails=True)
    assert "full.pdb: changed since iso was measured" in message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda root: (root / "predictions/iso.pdb").unlink(), "has no prediction of iso"),
        (
            lambda root: predicted(root / "predictions/iso.pdb", FULL),
            "predicted structure of another sequence? it has 38 residues, iso has 30",
        ),
        (
            lambda root: put(root, {"pairs.csv": TABLE + ROW.replace(SHORT, "W" * 30)}),
            "iso shares 0 of its 30 residues with full: no isoform of it?",
        ),
        (
            lambda root: put(root, {"pairs.csv": TABLE + ROW.replace(SHORT, SHORT + "1")}),
            "protein iso",
        ),
        (lambda root: put(root, {"pairs.csv": TABLE + ROW.replace(SHORT, FULL)}), "is full itself"),
        (
            lambda root: put(root, {"predictions/iso.pdb": two_chains(root)}),
            "2 protein chains (A, B), and iso has 1",
        ),
        (
            lambda root: put(root, {"predictions/iso.pdb": odd_atom(root)}),
            "iso.pdb: an atom has no radius (Residue 'MET' does not contain an atom named 'QB')",
        ),
    ],
    ids=["missing", "other", "no_isoform", "letter", "same", "chains", "atom"],
)
def test_wrong_input_is_one_message(measured, pairs, tmp_path, change, message):
    change(tmp_path)
    error = measured(*pairs, fails=True)
    assert message in error
    assert error.startswith("error: ")
    assert len(error.strip().splitlines()) == 1


def odd_atom(root):
    return predicted(root / "a.pdb", SHORT).read_text().replace("CB  MET A   1", "QB  MET A   1")


def two_chains(root):
    one = predicted(root / "a.pdb", SHORT).read_text().removesuffix("END\n")
    return one + predicted(root / "b.pdb", SHORT, chain="B").read_text()


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["evaluation=isoform"], "is no isoform of anything: use dataset=isoforms"),
        (["method=structure"], "predictions is not set: add predictions=DIR"),
        (["dataset=isoforms", "dataset.limit=null"], "dataset.pairs is not set"),
        (
            ["method=folded", "model=lattice_2x16"],
            "needs a model that PredictsStructure",
        ),
    ],
)
def test_what_does_not_go_together(command_line, overrides, message):
    outcome = command_line(*overrides)
    assert outcome.code == 1
    assert message in outcome.err


def test_a_structure_is_one_more_method_of_a_comparison(command_line, tmp_path):
    """Predictions that are the true structures reach the ceiling of every range."""
    put(tmp_path, {"set/a/structure.pdb": pdb_of(FULL)})
    predicted(tmp_path / "predictions" / "a.pdb", FULL)
    sweep = tmp_path / "sweep"
    done = command_line(
        *("-m", "dataset=folder", f"dataset.path={tmp_path / 'set'}", "dataset.limit=null"),
        *(f"predictions={tmp_path / 'predictions'}", f"hydra.sweep.dir={sweep}"),
        "method=structure,separation",
    )
    assert done.code == 0, done.err
    table = pd.read_csv(sweep / "comparison.csv").set_index(["run", "metric", "range"])["mean"]
    assert table["structure", "p_at_L", "min6"] == table["structure", "ceiling_at_L", "min6"]
    assert ("separation", "p_at_L", "min6") in table.index


def test_a_model_folds_both_and_the_language_model_path_needs_none(measured, pairs):
    folder = measured(*pairs[:4], "pictures=false", "method=folded", *choices_for("folded"))
    rows = read_rows(folder)
    assert {"rmsd", "recovery", "exposed_area"} <= set(rows["metric"])
    assert read_summary(folder)["cost"]["forward_passes"] == 2


def test_hidden_residues_that_are_closed_up_are_an_isoform(command_line, lattices, tmp_path):
    """Two ways to one sequence: deleted by the data set, or by what the model reads."""
    done = command_line(
        *("dataset=deletions", "evaluation=isoform_short", "evaluation.masked=true"),
        *("hiding=deleted", "hiding.gap=0", "method=contact_head", "model=lattice_3x64"),
        *("dataset.limit=4", lattices.replace("dataset.", "dataset.whole.")),
        f"hydra.run.dir={tmp_path / 'run'}",
    )
    assert done.code == 0, done.err
    rows = read_rows(tmp_path / "run").set_index(["protein", "metric", "range"])["value"]
    own = rows.xs("recovery", level="metric").sort_index()
    hidden = rows.xs("recovery_masked", level="metric").sort_index()
    assert own.notna().sum() >= 12
    pd.testing.assert_series_equal(own, hidden, rtol=1e-4, check_names=False)


def test_lattice_isoforms_through_a_language_model(command_line, lattices, tmp_path):
    done = command_line(
        *("dataset=deletions", "evaluation=isoform_short", "evaluation.masked=true"),
        *("method=contact_head", "model=lattice_3x64", f"hydra.run.dir={tmp_path / 'run'}"),
        *("dataset.limit=6", lattices.replace("dataset.", "dataset.whole.")),
    )
    assert done.code == 0, done.err
    found = {
        (item["metric"], item["range"]): item for item in read_summary(tmp_path / "run")["metrics"]
    }
    hidden, deleted = found["correlation_masked", "kept"], found["correlation", "kept"]
    assert hidden["low"] > deleted["high"]
    assert found["p_at_L_change", "min3"]["high"] < 0
