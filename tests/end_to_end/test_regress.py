"""python -m harness.regress, as its users type it."""

from pathlib import Path

import pytest

SMALL = ("dataset.limit=8", "dataset.depth=16", "pictures=false", "tracker=none")


@pytest.fixture
def gate(in_process, tmp_path):
    """The same in this process, which is quicker."""
    from harness.regress import main

    return lambda *arguments: in_process(main, [*arguments, f"outputs={tmp_path}/out"])


@pytest.fixture
def runs(command_line, tmp_path):
    """Two finished runs of different methods."""
    for method in ("separation", "random"):
        place = f"hydra.run.dir={tmp_path / method}"
        assert command_line(f"method={method}", *SMALL, place).code == 0
    return [str(tmp_path / method) for method in ("separation", "random")]


def written(done):
    """The folder where a gate wrote."""
    (line,) = [line for line in done.out.splitlines() if line.startswith("summary: ")]
    return Path(line.removeprefix("summary: ")).parent


def test_the_same_code_gives_the_numbers_that_were_frozen(regress, lattices):
    stricter = "fail_on=[regressed,inconclusive]"
    done = regress("reference=lattice/separation", lattices, "tracker=none", stricter)
    assert done.returncode == 0, done.stderr
    assert "separation against separation: equivalent" in done.stdout
    assert "measuring: python -m harness model=lattice_3x64 " in done.stdout


def test_a_method_and_its_reference_are_measured_where_they_are_missing(regress):
    arguments = ["method=inverse_covariance", "method.ridge=2", "reference=separation", *SMALL]
    done = regress(*arguments)
    assert done.returncode == 0, done.stderr
    measured = [line for line in done.stdout.splitlines() if line.startswith("measuring")]
    assert ["method.ridge" in line for line in measured] == [False, True]
    assert "inverse_covariance ridge=2 against separation: " in done.stdout
    assert "n = 8" in done.stdout


def test_finished_runs_are_compared_without_measuring(gate, runs):
    names = [f"candidate={runs[0]}", f"reference={runs[1]}", "tracker=none"]
    done = gate(*names, "metrics=[p_at_L]", "fail_on=[]")
    assert (done.code, done.err) == (0, "")
    assert "measuring" not in done.out
    files = {path.name for path in written(done).iterdir()}
    assert files >= {"summary.md", "verdicts.csv", "junit.xml"}


def test_what_fails_can_be_chosen(gate, runs):
    names = [f"candidate={runs[0]}", f"reference={runs[1]}", "tracker=none"]
    assert gate(*names, "fail_on=[inconclusive]").code == 1
    unknown = gate(*names, "fail_on=[worse]")
    assert unknown.code == 1
    assert "fail_on: worse is none of regressed, inconclusive, equivalent" in unknown.err


def test_a_run_is_frozen_and_compared_with(gate, runs, tmp_path):
    file = tmp_path / "mine.json"
    assert gate(f"candidate={runs[0]}", f"freeze={file}", "tracker=none").code == 0
    done = gate(f"candidate={runs[0]}", f"reference={file}", "tracker=none")
    assert done.code == 0
    assert "separation against separation: equivalent" in done.out


def test_sweeps_are_compared_run_by_run(gate, command_line, tmp_path):
    for name, methods in (("one", "separation,random"), ("two", "random,mutual_information")):
        place = f"hydra.sweep.dir={tmp_path / name}"
        assert command_line("-m", f"method={methods}", *SMALL, place).code == 0
    names = [f"candidate={tmp_path / 'one'}", f"reference={tmp_path / 'two'}", "tracker=none"]
    done = gate(*names)
    assert done.code == 0, done.err
    assert "random against random: equivalent" in done.out
    assert "only in one: mutual_information, separation" in done.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name a reference"),
        (["reference=lattice/nothing"], "there are domains/"),
        (["reference=../../secret"], "is no name of a frozen reference"),
        (["reference=" + "0" * 32], "with tracker=none no run can be looked up"),
        (["candidate=.", "reference=lattice/random"], "no finished run in it"),
        (["-m", "method=random,separation"], "sweep with python -m harness, then name both"),
        (["reference=lattice/random", "tolerance=-1"], "must not be negative"),
        (["candidate=x", "method=random", "reference=y"], "are two candidates; name one"),
        (["candidate=x", "freeze=z", "reference=y"], "writes a reference and reference=… reads"),
        (["reference=random", "dataset.limit=0", "method=random"], "that run failed"),
    ],
)
def test_what_cannot_be_compared_is_said(gate, arguments, said):
    done = gate("tracker=none", *arguments)
    assert done.code == 1
    assert said in done.err


def test_unlike_runs_are_refused(gate, command_line, runs, tmp_path):
    place = f"hydra.run.dir={tmp_path / 'ca'}"
    assert command_line("method=random", "contact=ca8", *SMALL, place).code == 0
    done = gate(f"candidate={tmp_path / 'ca'}", f"reference={runs[1]}", "tracker=none")
    assert done.code == 1
    assert "(contact: CB < 8 Å → CA < 8 Å)" in done.err


@pytest.mark.xdist_group("mlflow")
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_tracked_runs_are_found_by_id_and_tagged(regress, command_line, tmp_path, monkeypatch):
    from mlflow import MlflowClient

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    store = tmp_path / "out" / "mlflow"
    tracker = f"tracker.store={store}"
    for method in ("separation", "random"):
        place = f"hydra.run.dir={tmp_path / method}"
        assert (
            command_line(f"method={method}", *SMALL[:3], "tracker=mlflow", tracker, place).code == 0
        )
    client = MlflowClient(f"sqlite:///{store}/mlflow.db")
    ids = {run.data.params["method"]: run.info.run_id for run in client.search_runs(["1"])}
    done = regress(f"candidate={ids['separation']}", f"reference={ids['random']}")
    assert (done.returncode, done.stderr) == (0, "")  # nor does MLflow draw a bar
    run = client.get_run(ids["separation"])
    assert run.data.tags["verdict"] == "inconclusive"
    assert run.data.tags["verdict/p_at_L/min3"].startswith("inconclusive: ")
    assert "summary.md" in {item.path for item in client.list_artifacts(ids["separation"])}
    assert run.info.status == "FINISHED"
    missing = regress(f"candidate={'0' * 32}", f"reference={ids['random']}")
    assert missing.returncode == 1
    assert "has no run 000" in missing.stderr
