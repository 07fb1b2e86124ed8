"""Agreement and homologs through the command line: what they write, sweeps of them, bad input."""

import json

import numpy as np
import pandas as pd
import pytest

JACOBIAN = ("method=categorical_jacobian", "model=lattice_2x16", "model.device=cpu")
AGREEMENT = ("evaluation=agreement", *JACOBIAN, "dataset.depth=256")
HOMOLOGS = ("evaluation=homologs", *JACOBIAN, "dataset.depth=256", "evaluation.draws=1")


def means(run):
    summary = json.loads((run / "summary.json").read_text())
    return {(item["metric"], item["range"]): item["mean"] for item in summary["metrics"]}


def test_a_run_keeps_maps_scores_and_the_couplings_of_pairs(command_line, tmp_path):
    run = tmp_path / "run"
    kept = ("pictures=true", "save_scores=true", "evaluation.pairs=[[12,20]]")
    depths = "evaluation.depths=[16,256]"
    outcome = command_line(*AGREEMENT, f"hydra.run.dir={run}", *kept, depths)
    assert (outcome.code, outcome.err) == (0, "")
    proteins = ["family00_00", "family01_00"]
    maps = {path.name for path in (run / "maps").iterdir()}
    assert maps == {f"{name}{end}.png" for name in proteins for end in ("", "_couplings")}
    assert np.load(run / "scores" / "family00_00.npz")["scores"].shape == (27, 27)
    found = means(run)
    assert found["spearman_1sigma", "depth16"] < found["spearman_1sigma", "depth256"]
    rows = pd.read_csv(run / "rows.csv").set_index(["protein", "metric", "range"])
    assert rows.loc[("family00_00", "spearman_0sigma", "depth16"), "depth"] == 16


def test_precision_beside_it_is_that_of_a_run_of_its_own(command_line, tmp_path):
    runs = [tmp_path / name for name in ("agreement", "precision")]
    for run, evaluation in zip(runs, (AGREEMENT[:1], ()), strict=True):
        given = (*evaluation, *AGREEMENT[1:], "dataset.limit=1")
        assert command_line(*given, f"hydra.run.dir={run}").code == 0
    one, other = map(means, runs)
    for name in ("min3", "min6", "min12"):
        for metric in ("p_at_L", "ceiling_at_L"):
            assert one[metric, name] == other[metric, name]


def test_a_sweep_compares_agreement_protein_by_protein(command_line, tmp_path):
    place = f"hydra.sweep.dir={tmp_path}"
    models = "model=lattice_2x16,lattice_2x32"
    outcome = command_line("-m", *AGREEMENT[:2], models, *AGREEMENT[3:], place)
    assert outcome.code == 0
    table = pd.read_csv(tmp_path / "differences.csv")
    assert {"p_at_L", "spearman_1sigma", "map_correlation", "top_overlap"} <= set(table["metric"])
    assert (tmp_path / "comparison.png").exists()


def test_homologs_are_summed_up_by_protein_and_bin(command_line, tmp_path):
    place = f"hydra.sweep.dir={tmp_path}"
    models = "model=lattice_2x16,lattice_2x32"
    assert command_line("-m", *HOMOLOGS[:2], models, *HOMOLOGS[3:], place).code == 0
    run = tmp_path / "0"
    found = means(run)
    assert found["spearman", "identity_20_30"] > 0.3
    values, drawn = pd.read_csv(run / "values.csv"), pd.read_csv(run / "targets.csv")
    assert not values.duplicated(["protein", "metric", "range"]).any()
    assert set(drawn["protein"]) == set(values["protein"]) == {"family00_00", "family01_00"}
    assert not (run / "curves.png").exists()
    assert "spearman" in set(pd.read_csv(tmp_path / "differences.csv")["metric"])


@pytest.mark.parametrize("evaluation", ["agreement", "homologs"])
def test_a_method_without_couplings_is_an_error_of_one_line(command_line, evaluation):
    outcome = command_line(f"evaluation={evaluation}", "method=random")
    assert outcome.code == 1
    assert outcome.err.startswith("error: RandomScores gives contact scores without couplings")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("evaluation.reference.depth=0",), "depth is 0"),
        (("evaluation.reference.ridge=big",), "ridge is big; it must be float"),
        (("evaluation.depths=5",), "depths is 5; it must be"),
        (
            ("evaluation.depths=[5]", "evaluation/reference=categorical_jacobian"),
            "leave depths=null",
        ),
        (("masking=flank",), "made for evaluation=recovery"),
    ],
    ids=lambda value: str(value[0]) if isinstance(value, tuple) else "",
)
def test_a_wrong_value_is_an_error_of_one_line(command_line, given, message):
    outcome = command_line(*AGREEMENT, *given)
    assert outcome.code == 1
    assert outcome.err.startswith("error: ")
    assert message in outcome.err
    assert outcome.err.count("\n") == 1
