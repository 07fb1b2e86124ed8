"""Contact recovery through the command line: what it writes, that it goes on, and bad input."""

import json

import pandas as pd
import pytest

RECOVERY = ("evaluation=recovery", "method=contact_head", "model=lattice_2x16", "model.device=cpu")
BLOCKS = ("evaluation.targets.size=9", "evaluation.targets.margin=3", "evaluation.at=[0,4]")
SMALL = (*RECOVERY, *BLOCKS, "evaluation.targets.threshold=null", "masking=flank")


def listed(tmp_path, content):
    path = tmp_path / "targets.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return ("evaluation/targets=listed", f"evaluation.targets.path={path}")


def test_a_run_writes_rows_curves_targets_and_pictures(command_line, tmp_path):
    run = tmp_path / "run"
    place = f"hydra.run.dir={run}"
    outcome = command_line(*SMALL, place, "pictures=true")
    assert (outcome.code, outcome.err) == (0, "")
    rows, targets = pd.read_csv(run / "rows.csv"), pd.read_csv(run / "targets.csv")
    assert set(rows["metric"]) >= {"recovery", "correlation"}
    assert len(targets) == 6
    assert (targets.groupby("protein").size() == 3).all()
    curves = pd.read_csv(run / "curves.csv").set_index(["metric", "flank"])
    assert curves.loc[("recovered", 0), "n"] == 6
    names = {item["metric"] for item in json.loads((run / "summary.json").read_text())["metrics"]}
    assert names >= {"recovered", "recovered_at_4", "correlation_at_0", "half_recovered_flank"}
    pictures = [path.name for path in (run / "maps").iterdir()]
    assert len([name for name in pictures if name.endswith("_filling.png")]) == 2
    assert (run / "curves.png").exists()
    before = {path.name: path.read_bytes() for path in run.glob("*.csv")}
    assert command_line(*SMALL, place, "pictures=true").code == 0
    assert before == {path.name: path.read_bytes() for path in run.glob("*.csv")}


def test_a_sweep_of_maskings_is_compared(command_line, tmp_path):
    sweep = tmp_path / "sweep"
    both = [item for item in SMALL if not item.startswith("masking")]
    outcome = command_line("-m", *both, "masking=flank,random", f"hydra.sweep.dir={sweep}")
    assert outcome.code == 0, outcome.err
    differences = pd.read_csv(sweep / "differences.csv")
    assert {"recovered", "correlation_at_4"} <= set(differences["metric"])
    own = differences[differences["metric"] == "recovered_at_0"]
    assert own["mean"].tolist() == [0]  # nothing but the block is shown
    assert (sweep / "curves.png").exists()


@pytest.mark.parametrize("hiding", [("hiding=deleted",), ("hiding=deleted", "hiding.gap=0")])
def test_what_is_hidden_can_be_left_out(command_line, tmp_path, hiding):
    outcomes = []
    for n, settings in enumerate([(), hiding, ("model.ends=masked",)]):
        assert command_line(*SMALL, *settings, f"hydra.run.dir={tmp_path / str(n)}").code == 0
        outcomes.append(pd.read_csv(tmp_path / str(n) / "rows.csv")["value"])
    assert all((outcomes[0] - other).abs().max() > 1e-3 for other in outcomes[1:])


def test_the_jacobian_is_read_out_of_masked_input(command_line, tmp_path):
    settings = [item for item in SMALL if not item.startswith("method")]
    place = f"hydra.run.dir={tmp_path / 'run'}"
    once = ("method=categorical_jacobian", "evaluation.targets.most=1", "dataset.limit=1")
    assert command_line(*settings, *once, place).code == 0
    assert len(pd.read_csv(tmp_path / "run" / "targets.csv")) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"family00_00": [[20, 29, 20, 29]]}, "block 20:29 lies beyond the end of family00_00"),
        ({"family00_00": [[5, 3, 5, 3]]}, "family00_00: [5, 3, 5, 3]: a segment of residues 5 to"),
        ({"1ABCA": [[1, 5, 1, 5]]}, "lists 1 proteins (the first: 1ABCA), none of which is in the"),
    ],
)
def test_targets_that_are_not_there_are_refused(command_line, tmp_path, content, message):
    outcome = command_line(*RECOVERY, "masking=flank", *listed(tmp_path, content))
    assert outcome.code == 1
    assert message in outcome.err
    assert "Traceback" not in outcome.err


def test_listed_proteins_that_are_missing_are_named(command_line, tmp_path):
    content = {"family00_00": [[3, 9, 12, 18]], "1ABCA": [[1, 5, 1, 5]]}
    outcome = command_line(*RECOVERY, "masking=flank", *listed(tmp_path, content))
    assert outcome.code == 0
    assert "1 listed proteins are not in this data set: 1ABCA" in outcome.out


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ((*RECOVERY, "masking=none"), "use masking=flank, flank_left, flank_right, random or"),
        (("masking=flank",), "use it with evaluation=recovery"),
        ((*RECOVERY, "masking=flank"), "no protein has anything to look at"),  # 22 of 27 residues
        ((*SMALL, "evaluation/targets=listed"), "evaluation.targets."),
        ((*RECOVERY, "masking=flank", "evaluation/targets=sse_pair"), "no secondary structure"),
        (("masking=fraction", "masking.hidden=2"), "hidden is 2"),
        ((*SMALL, "hiding=deleted", "hiding.gap=-1"), "gap is -1"),
        ((*SMALL, "model.ends=open"), "ends is 'open'; allowed are kept, masked, absent"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(command_line, settings, message):
    outcome = command_line(*settings)
    assert outcome.code == 1
    assert message in outcome.err
    assert "Traceback" not in outcome.err


def test_with_everything_hidden_a_map_is_still_scored(command_line, tmp_path):
    place = f"hydra.run.dir={tmp_path / 'run'}"
    hidden = ("masking=fraction", "masking.hidden=1", "model.ends=masked")
    assert command_line(*RECOVERY[1:], *hidden, place).code == 0
    rows = pd.read_csv(tmp_path / "run" / "rows.csv")
    assert (rows["visible"] == 0).all()
    assert rows["value"].notna().all()
