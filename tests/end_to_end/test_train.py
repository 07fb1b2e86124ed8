"""python -m harness.train: from a data set to a checkpoint that the harness measures."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from harness.results import read_rows, read_summary
from tests.stores import tracking_in

PROJECT = Path(__file__).parent.parent.parent
SMALL = (
    *("architecture=2x16", "corpus.training=40", "corpus.held_out=4", "statistics.resamples=50"),
    *("trainer.recipe.steps=12", "trainer.report_every=4", "trainer.recipe.batch_size=16"),
)
POTTS = (
    *("dataset=potts", "dataset.side=2", "dataset.families=2", "dataset.measured=2"),
    *("dataset.sweeps=5", "evaluation=stored_couplings", "method.center=amino_acids"),
)


@pytest.fixture
def train(tmp_path):
    """A function that starts the program, with the arguments of a small training."""

    def start(*arguments, program=("-m", "harness.train")):
        command = [sys.executable, *program, f"outputs={tmp_path}", *SMALL, *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, cwd=PROJECT, **pipes)

    return start


def finish(process):
    out, err = process.communicate()
    assert process.returncode == 0, out + err
    return out


def weights(path):
    return torch.load(path, weights_only=False)["model"]


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # MLflow leaves connections open,
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # and uses SQLAlchemy's old ways
def test_a_training_is_measured_tracked_and_described(train, tmp_path):
    finish(train(*POTTS, "name=mine"))
    folder = tmp_path / "training" / "mine"
    facts = json.loads((folder / "training.json").read_text())
    assert [point["step"] for point in facts["curve"]] == [4, 8, 12]
    assert set(facts["bounds"]) == {"site_independent", "exact"}
    assert "trained on potts families" in (folder / "mine.md").read_text()
    assert (folder / "training.png").stat().st_size > 0
    assert set(read_rows(folder)["families"]) == {2}
    assert read_summary(folder)["run"]["model"] == "mine"

    client, experiment = tracking_in(tmp_path / "mlflow").connect()
    (run,) = client.search_runs([experiment])
    assert run.info.status == "FINISHED"
    assert run.data.metrics["training/tokens"] == facts["cost"]["tokens"]
    history = client.get_metric_history(run.info.run_id, "training/held_out")
    assert [point.step for point in history] == [4, 8, 12]
    assert {"training/training_loss", "training/exact"} <= set(run.data.metrics)
    assert "training.png" in {item.path for item in client.list_artifacts(run.info.run_id)}


def test_a_killed_training_ends_with_the_weights_of_one_left_alone(train, tmp_path):
    longer = ("tracker=none", "trainer.recipe.steps=300", "trainer.save_every=20", "name=a")
    alone, killed = (f"hydra.run.dir={tmp_path / name}" for name in ("alone", "killed"))
    finish(train(*POTTS, *longer, alone))
    process, state = train(*POTTS, *longer, killed), tmp_path / "killed" / "a.training"
    while process.poll() is None and not state.exists():
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (tmp_path / "killed" / "training.json").exists()
    finish(train(*POTTS, *longer, killed))
    first, second = (weights(tmp_path / name / "a.pt") for name in ("alone", "killed"))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not state.exists()
    curves = [
        json.loads((tmp_path / name / "training.json").read_text())["curve"]
        for name in ("alone", "killed")
    ]
    assert curves[0] == curves[1]


def test_two_processes_train_the_network_of_one(train, tmp_path):
    """Gradients are summed in another order: equal to rounding, in half precision."""
    one, two = (f"hydra.run.dir={tmp_path / name}" for name in ("one", "two"))
    both = (*POTTS, "tracker=none", "name=a")
    finish(train(*both, one))
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    finish(train(*both, two, program=(*launcher, "-m", "harness.train")))
    first, second = (weights(tmp_path / name / "a.pt") for name in ("one", "two"))
    for name in first:
        assert torch.allclose(first[name].float(), second[name].float(), atol=2e-3), name
    assert len(read_rows(tmp_path / "two")) == len(read_rows(tmp_path / "one"))


def test_a_sweep_over_sizes_and_families_ends_with_its_capacity(train, tmp_path):
    sweep = ("experiment=capacity", "architecture=2x16,2x32", "dataset.families=1,2")
    shape = ("dataset.side=2", "dataset.sweeps=5", f"hydra.sweep.dir={tmp_path / 'sweep'}")
    finish(train(*sweep, *shape, "dataset.sequences=1", "tracker=none"))
    names = {path.name for path in (tmp_path / "sweep").iterdir()}
    assert {"2x16_1", "2x16_2", "2x32_1", "2x32_2", "capacity.csv", "capacity.png"} <= names
    assert "potts_2x16" in (tmp_path / "sweep" / "capacity.md").read_text()


def test_families_of_ones_own_are_trained_on_and_the_model_can_be_chosen(
    train, command_line, tmp_path
):
    query = "ACDEFGHIKLMNPQRS"
    for name in ("p", "q"):
        (tmp_path / "mine" / name).mkdir(parents=True)
        rows = [query, *(query[:-2] + a + b for a in "ACDE" for b in "FGHI")]
        text = "".join(f">r{n}\n{row}\n" for n, row in enumerate(rows))
        (tmp_path / "mine" / name / "msa.a3m").write_text(text)
    data = ("dataset=folder", f"dataset.path={tmp_path / 'mine'}")
    finish(train(*data, "tracker=none", "name=mine"))
    checkpoint = tmp_path / "training" / "mine" / "mine.pt"
    local = ("model=esm2_local", f"model.path={checkpoint}", "method=categorical_jacobian")
    outcome = command_line(*data, *local)
    assert outcome.code == 0, outcome.err


def test_a_data_set_without_sequences_to_train_on_is_refused(train):
    process = train("dataset=cameo_pta25", "tracker=none", "name=x")
    _, err = process.communicate()
    assert process.returncode == 1
    assert "has no sequences to train on; use dataset=lattice, potts or folder" in err
    assert "Traceback" not in err
