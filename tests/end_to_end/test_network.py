"""Nothing is asked of any server, the loopback included, unless the command line asks for it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
MODULE = "sitecustomize.py"  # Python reads it whenever it starts, in workers too
GUARD = """
import os, socket, sys

ASKING = ("socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg")

def guard(event, arguments):
    inet = event == "socket.connect" and arguments[0].family != socket.AF_UNIX
    if inet or event in ASKING:
        with open(os.environ["ATTEMPTS"], "a") as stream:
            stream.write(f"{event} {arguments[-1] if inet else arguments[0]}\\n")
        raise PermissionError(f"no network here: {event}")

sys.addaudithook(guard)
"""
SWITCHES = ("CI", "PYTEST_CURRENT_TEST", "MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK")
SWITCHES += ("MLFLOW_TRACKING_URI",)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp("network")
    (place / MODULE).write_text(GUARD)
    return place


@pytest.fixture
def guarded(place):
    """A function that runs a module and gives the attempts to reach a server, and its exit code."""

    def run(module, *arguments, **chosen):
        attempts = place / "attempts"
        attempts.write_text("")
        environment = {name: text for name, text in os.environ.items() if name not in SWITCHES}
        environment |= {"ATTEMPTS": str(attempts), **chosen}
        environment["PYTHONPATH"] = f"{PROJECT}{os.pathsep}{place}"
        command = [sys.executable, "-m", module, *arguments]
        done = subprocess.run(
            command, cwd=place, env=environment, capture_output=True, text=True, check=False
        )
        return attempts.read_text(), done.returncode, done.stderr

    return run


def test_a_run_asks_nobody(guarded):
    chosen = ("model=lattice_2x16", "dataset.limit=1", "dataset.depth=16", "tracker=mlflow")
    attempts, code, err = guarded("harness", *chosen)
    assert (attempts, code) == ("", 0), err


def test_a_sweep_in_several_processes_and_its_report_ask_nobody(guarded):
    chosen = ("hydra.sweep.dir=outputs/sweep", "dataset.limit=1", "dataset.depth=16")
    launcher = ("hydra/launcher=cores", "hydra.launcher.n_jobs=2")
    attempts, code, err = guarded("harness", "-m", "method=random,separation", *launcher, *chosen)
    assert (attempts, code) == ("", 0), err
    attempts, code, err = guarded("harness.report", "sweep=outputs/sweep")
    assert (attempts, code) == ("", 0), err


def test_a_tracking_server_that_is_asked_for_is_talked_to(guarded):
    chosen = ("method=random", "dataset.limit=1", "dataset.depth=16")
    server = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    attempts, code, _ = guarded("harness", *chosen, **server)
    assert "127.0.0.1" in attempts
    assert code == 1
