import json
import math
import shutil
import subprocess
import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pandas as pd
import pytest

from harness.errors import PrerequisiteError
from harness.protocols import TrackedRun, Tracker
from harness.tracking import MlflowTracker, NoTracker

pytestmark = [
    pytest.mark.xdist_group("mlflow"),  # the store is built once a process, which takes seconds
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # MLflow leaves connections open,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # and uses SQLAlchemy's old ways
]


def tracking_in(store):
    return MlflowTracker(experiment="contacts", store=str(store), note="a note", view={"a": 1})


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A store with its experiment and nothing else."""
    store = tmp_path_factory.mktemp("template")
    tracking_in(store).prepare()
    return store / "mlflow.db"


@pytest.fixture
def tracker(tmp_path, template, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    store = tmp_path / "mlflow"
    store.mkdir()
    shutil.copy(template, store)
    return tracking_in(store)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


@pytest.fixture
def client(tracker):
    from mlflow import MlflowClient

    return MlflowClient(f"sqlite:///{tracker.store}/mlflow.db")


def recorded(client):
    return client.search_runs(["1"], order_by=["attributes.start_time"])


def test_a_run_holds_what_it_was_given(tracker, client, folder):
    with tracker.run("jac 8M", folder, parent="") as run:
        run.record({"method": "jac", "depth": None}, {"p_at_L/long": 0.5}, {"commit": "abc"})
    (found,) = recorded(client)
    assert (found.info.run_name, found.info.status) == ("jac 8M", "FINISHED")
    assert found.data.params == {"method": "jac", "depth": "None"}
    assert found.data.metrics == {"p_at_L/long": 0.5}
    assert found.data.tags["commit"] == found.data.tags["mlflow.source.git.commit"] == "abc"


def test_what_could_not_be_measured_is_left_out_of_charts(tracker, client, folder):
    with tracker.run("jac", folder, parent="") as run:
        run.record({}, {"p_at_L/long": math.nan, "p_at_L/min3": 0.5}, {})
    assert recorded(client)[0].data.metrics == {"p_at_L/min3": 0.5}


def test_runs_of_one_method_have_one_color(tracker, client, tmp_path):
    for n, method in enumerate(("jac", "jac", "random")):
        (tmp_path / str(n)).mkdir()
        with tracker.run(method, tmp_path / str(n), parent="") as run:
            run.record({"method": method}, {}, {})
    first, second, other = [run.data.tags["mlflow.runColor"] for run in recorded(client)]
    assert first == second != other
    assert len(first) == 7


def test_files_and_tables_become_artifacts_below_the_store(tracker, client, folder, template):
    (folder / "map.png").write_bytes(b"png")
    with tracker.run("jac", folder, parent="") as run:
        run.files([folder / "map.png"], "maps")
        run.table("rows.json", pd.DataFrame({"protein": ["a"], "value": [math.nan]}))
    (found,) = recorded(client)
    paths = {item.path for item in client.list_artifacts(found.info.run_id)}
    assert paths == {"maps", "rows.json"}
    assert found.info.artifact_uri.startswith(f"file://{template.parent}/artifacts")


def test_a_continued_run_is_the_same_run_with_nothing_twice(tracker, client, folder):
    for value in (0.5, 0.5):
        with tracker.run("jac", folder, parent="") as run:
            run.record({"seed": 1}, {"m": value}, {"commit": "abc"})
            run.table("rows.json", pd.DataFrame({"protein": ["a"]}))
    (found,) = recorded(client)
    assert len(client.get_metric_history(found.info.run_id, "m")) == 1
    artifacts = Path(found.info.artifact_uri.removeprefix("file://"))
    table = json.loads((artifacts / "rows.json").read_text())
    assert table == {"columns": ["protein"], "data": [["a"]]}


def test_a_run_that_was_killed_is_continued(tracker, client, folder):
    killed = tracker.run("jac", folder, parent="")
    first = killed.__enter__()  # and never left
    with tracker.run("jac", folder, parent="") as run:
        assert run.id == first.id
    assert [found.info.status for found in recorded(client)] == ["FINISHED"]


@pytest.mark.parametrize("error", [ValueError("bad"), KeyboardInterrupt(), SystemExit(1)])
def test_a_failed_run_says_why(tracker, client, folder, error):
    with pytest.raises(type(error)), tracker.run("jac", folder, parent=""):
        raise error
    (found,) = recorded(client)
    assert found.info.status == "FAILED"
    assert found.data.tags["error"] == f"{type(error).__name__}: {error}"
    assert "Failed" in found.data.tags["mlflow.note.content"]


def test_a_run_that_failed_and_then_succeeded_is_clean(tracker, client, folder):
    with pytest.raises(ValueError, match="bad"), tracker.run("jac", folder, parent=""):
        raise ValueError("bad")
    with tracker.run("jac", folder, parent=""):
        pass
    (found,) = recorded(client)
    assert found.info.status == "FINISHED"
    assert not {"error", "mlflow.note.content"} & found.data.tags.keys()


def test_a_run_deleted_in_the_browser_is_recorded_anew(tracker, client, folder):
    with tracker.run("jac", folder, parent="") as run:
        pass
    client.delete_run(run.id)
    with tracker.run("jac", folder, parent="") as again:
        assert again.id != run.id
    assert [found.info.run_id for found in recorded(client)] == [again.id]


def test_a_job_belongs_to_the_run_of_its_sweep(tracker, client, tmp_path):
    for name in ("sweep", "job"):
        (tmp_path / name).mkdir()
    with tracker.run("sizes", tmp_path / "sweep", parent="") as sweep:
        with tracker.run("jac", tmp_path / "job", parent=sweep.id):
            pass
        assert client.get_run(sweep.id).info.status == "RUNNING"
    job = next(run for run in recorded(client) if run.info.run_name == "jac")
    assert job.data.tags["mlflow.parentRunId"] == sweep.id


def test_the_experiment_is_explained_in_the_browser(client):
    experiment = client.get_experiment_by_name("contacts")
    assert experiment.tags["mlflow.note.content"] == "a note"
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"
    assert experiment.tags["mlflow.sharedViewState.contacts"] == '{"a": 1}'


def test_a_store_that_is_no_database_is_explained(tracker, folder):
    with open(f"{tracker.store}/mlflow.db", "wb") as stream:
        stream.write(b"no database at all" * 100)
    with (
        pytest.raises(PrerequisiteError, match=r"MLflow at sqlite.*not a database.*tracker=none"),
        tracker.run("jac", folder, parent=""),
    ):
        pass


@pytest.fixture
def no_retries(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


@pytest.mark.usefixtures("no_retries")
def test_a_server_that_is_away_is_explained(tracker, folder, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with (
        pytest.raises(PrerequisiteError, match=r"127.0.0.1:9 does not .*refused.*Start the server"),
        tracker.run("jac", folder, parent=""),
    ):
        pass


class MiniatureServer(BaseHTTPRequestHandler):
    """Answers what is asked of an MLflow server until a run has begun."""

    def do_GET(self):
        self.answer({"experiment": {"experiment_id": "1", "name": "contacts"}})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer({"run": {"info": {"run_id": "r", "run_uuid": "r", "status": "RUNNING"}}})

    def answer(self, content):
        text = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


@contextmanager
def serving():
    server = ThreadingHTTPServer(("127.0.0.1", 0), MiniatureServer)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.usefixtures("no_retries")
def test_a_server_that_goes_away_during_a_run_is_explained(tracker, folder, monkeypatch):
    with serving() as uri:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        context = tracker.run("jac", folder, parent="")
        run = context.__enter__()
    with pytest.raises(PrerequisiteError, match=r"Results already in the run folder are safe") as e:
        run.record({}, {"m": 1.0}, {})
    assert context.__exit__(PrerequisiteError, e.value, e.tb) is False


FOUR_AT_ONCE = """
import os, sys
from harness import tracking
tracking._mlflow()
children = []
for _ in range(4):
    child = os.fork()
    if child == 0:
        tracking.MlflowTracker("contacts", sys.argv[1], "", {}).prepare()
        os._exit(0)
    children.append(child)
print([os.waitpid(child, 0)[1] for child in children])
"""


def test_four_processes_may_start_on_a_store_that_is_not_there(tmp_path):
    command = [sys.executable, "-c", FOUR_AT_ONCE, str(tmp_path / "store")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "[0, 0, 0, 0]\n", done.stderr
    assert done.stderr == ""  # nor does the migration chatter


def test_no_tracker_records_nothing(tmp_path):
    with NoTracker().run("jac", tmp_path, parent="") as run:
        run.record({"a": 1}, {"b": 2.0}, {})
        run.table("rows.json", pd.DataFrame())
        run.files([tmp_path / "absent"], "")
    assert list(tmp_path.iterdir()) == []
    assert run.id == ""


def test_both_are_trackers(tracker, folder):
    assert all(isinstance(each, Tracker) for each in (tracker, NoTracker()))
    with tracker.run("jac", folder, parent="") as run:
        assert isinstance(run, TrackedRun)
