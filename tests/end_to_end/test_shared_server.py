"""One MLflow server on PostgreSQL, as many machines share it: written by many, gone, and back."""

import os
import subprocess
import sys
import time

import pytest

from benchmarks.postgresql import ABSENT, programs, shared_server
from harness.journal import read_journal
from harness.outbox import waiting
from tests.end_to_end.conftest import PROJECT

WRITERS, RUNS, METRICS = 4, 3, 20

pytestmark = [
    pytest.mark.xdist_group("server"),  # it takes half a minute to come up
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # MLflow leaves connections open
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The server; tests that need it are skipped without PostgreSQL, unless this is the CI."""
    if programs() is None:
        say = pytest.fail if "CI" in os.environ else pytest.skip
        say(ABSENT)
    with shared_server(tmp_path_factory.mktemp("server"), workers=1) as running:
        yield running


@pytest.fixture
def client(server, monkeypatch):
    from mlflow import MlflowClient

    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.address)
    return MlflowClient(server.address)


def of_experiment(client, name):
    """Its runs by name; exactly one experiment has that name."""
    (found,) = [each for each in client.search_experiments() if each.name == name]
    runs = client.search_runs([found.experiment_id])
    assert len({run.info.run_name for run in runs}) == len(runs)
    return {run.info.run_name: run for run in runs}


def test_many_processes_write_at_once_and_nothing_is_lost(client, tmp_path):
    command = [sys.executable, "-m", "benchmarks.writing", str(tmp_path), "many", f"{RUNS}"]
    writers = [
        subprocess.Popen([*command, f"{METRICS}", f"{n}"], cwd=PROJECT, stderr=subprocess.PIPE)
        for n in range(WRITERS)
    ]
    for writer in writers:
        _, err = writer.communicate(timeout=300)
        assert (writer.returncode, err) == (0, b"")
    runs = of_experiment(client, "many")
    assert len(runs) == WRITERS * RUNS
    for run in runs.values():
        assert run.info.status == "FINISHED"
        assert run.data.metrics == {f"m/{k}": k / 7 for k in range(METRICS)}
        assert run.info.artifact_uri.startswith("mlflow-artifacts:/")
        files = {item.path for item in client.list_artifacts(run.info.run_id)}
        assert files == {"rows.json", "note.txt"}
    assert waiting(tmp_path) == []


@pytest.fixture
def sweep(start, lattices, tmp_path, client):
    """A function that starts a small sweep there, as an experiment of its own."""

    def launch(name):
        place = (f"hydra.sweep.dir={tmp_path / name}", f"tracker.experiment={name}")
        work = ("method=categorical_jacobian", "dataset.depth=16", "pictures=false")
        models = "model=lattice_2x16,lattice_4x128,lattice_2x32"
        return start("-m", models, *place, *work, f"outputs={tmp_path}", lattices)

    return launch


def ended_well(process):
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, out + err


def test_a_sweep_is_recorded_with_its_artifacts(sweep, client):
    ended_well(sweep("plain"))
    runs = of_experiment(client, "plain")
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    assert len(runs) == 4
    parent = runs["plain"]
    assert "report.html" in {item.path for item in client.list_artifacts(parent.info.run_id)}


def test_a_sweep_does_not_mind_a_server_that_goes_away_and_comes_back(
    sweep, client, server, tmp_path, monkeypatch
):
    ended_well(sweep("undisturbed"))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    process = sweep("disturbed")
    while process.poll() is None and not read_journal(tmp_path / "disturbed" / "1"):
        time.sleep(0.05)
    server.stop()
    while process.poll() is None and not read_journal(tmp_path / "disturbed" / "2"):
        time.sleep(0.05)
    assert process.poll() is None
    server.start()
    ended_well(process)
    assert waiting(tmp_path) == []
    before, after = (of_experiment(client, name) for name in ("undisturbed", "disturbed"))
    after["undisturbed"] = after.pop("disturbed")  # the sweep's own run
    assert {name: facts(run, client) for name, run in after.items()} == {
        name: facts(run, client) for name, run in before.items()
    }


def facts(run, client):
    """What must not depend on how the server felt."""
    data, identifier = run.data, run.info.run_id
    measured = {k: v for k, v in data.metrics.items() if "seconds" not in k and "memory" not in k}
    files = {item.path for item in client.list_artifacts(identifier)}
    times = {len(client.get_metric_history(identifier, name)) for name in data.metrics}
    return run.info.status, measured, data.params, files, times
