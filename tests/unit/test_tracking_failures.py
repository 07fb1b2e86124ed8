"""Stores and servers that are broken, away, going away, or wanted by four at once."""

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from harness.errors import PrerequisiteError
from harness.outbox import OUTBOX, waiting
from tests.stores import tracking_in

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # MLflow leaves connections open,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # and uses SQLAlchemy's old ways
]


@pytest.fixture
def tracker(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    store = str(tmp_path / "mlflow")
    return tracking_in(store)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


def test_a_store_that_is_no_database_is_explained(tracker, folder):
    Path(tracker.store).mkdir()
    Path(tracker.store, "mlflow.db").write_bytes(b"no database at all" * 100)
    with (
        pytest.raises(PrerequisiteError, match=r"MLflow at sqlite.*not a database.*tracker=none"),
        tracker.run("jac", folder, parent=None),
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
        tracker.run("jac", folder, parent=None),
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
def test_a_run_goes_on_without_a_server_that_goes_away(tracker, folder, monkeypatch, caplog):
    with serving() as uri:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        context = tracker.run("jac", folder, parent=None)
        run = context.__enter__()
    run.record({}, {"m": 1.0}, {})
    assert context.__exit__(None, None, None) is False
    assert "python -m harness.sync sends what waits" in caplog.text
    assert waiting(folder) == [folder]
    lines = map(json.loads, (folder / OUTBOX).read_text().splitlines())
    assert [line["call"] for line in lines] == ["record", "end"]


@pytest.mark.usefixtures("no_retries")
def test_a_job_of_a_sweep_begins_without_the_server(tracker, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with tracker.run("jac", folder, parent=tmp_path) as run:
        assert run.id == ""
    assert waiting(tmp_path) == [folder]


@pytest.mark.usefixtures("no_retries")
def test_what_a_server_will_never_take_is_an_error(tracker, folder):
    with pytest.raises(PrerequisiteError, match=r"m!"), tracker.run("j", folder, None) as run:
        run.record({}, {"m!": 1.0}, {})


FOUR_AT_ONCE = """
import os, sys
from harness import mlflow_store, tracking
mlflow_store.mlflow_library()
children = []
for _ in range(4):
    child = os.fork()
    if child == 0:
        tracking.MlflowTracker("contacts", sys.argv[1], "", {}, 0, False).connect()
        os._exit(0)
    children.append(child)
print([os.waitpid(child, 0)[1] for child in children])
"""


def test_four_processes_may_start_on_a_store_that_is_not_there(tmp_path):
    command = [sys.executable, "-c", FOUR_AT_ONCE, str(tmp_path / "store")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "[0, 0, 0, 0]\n", done.stderr
    assert done.stderr == ""  # nor does the migration chatter


KILLED_WHILE_IT_MAKES_A_STORE = """
import os, signal, sys
from sqlalchemy import Engine, event
from harness import tracking

@event.listens_for(Engine, "before_cursor_execute")
def kill(connection, cursor, statement, *_):
    if "DROP TABLE tags" in statement:  # a migration has copied them already
        os.kill(os.getpid(), signal.SIGKILL)

tracking.MlflowTracker("contacts", sys.argv[1], "", {}, 0, False).connect()
"""


def test_a_store_that_was_half_made_is_made_anew(tracker, folder):
    command = [sys.executable, "-c", KILLED_WHILE_IT_MAKES_A_STORE, tracker.store]
    killed = subprocess.run(command, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    with tracker.run("jac", folder, parent=None):
        pass
    assert waiting(folder) == []
    assert [path.name for path in Path(tracker.store).glob("*mlflow.db*")] == ["mlflow.db"]
