"""python -m harness.report: a sweep, a run, or what MLflow has of them, as one page."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reports import Written, write_pairs, write_run

PROJECT = Path(__file__).parent.parent.parent
SMALL = ("dataset.limit=2", "dataset.depth=16", "statistics.resamples=50")


def program(module, *arguments):
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)


def report(*arguments):
    return program("harness.report", *arguments)


def inside(path):
    """The data of a report."""
    (text,) = re.findall(r'id="data">(.*?)</script>', path.read_text(encoding="utf-8"))
    return json.loads(text)


@pytest.fixture
def sweep(tmp_path):
    for n, method in enumerate(("one", "two")):
        folder = write_run(tmp_path / "mine" / str(n), Written(method, values={"a": 0.5, "b": 1.0}))
        write_pairs(folder, ["a", "b"], seed=n)
    return tmp_path / "mine"


def test_a_sweep_becomes_a_page_in_its_folder(sweep):
    done = report(f"sweep={sweep}", "tracker=none")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{sweep / 'report.html'} (0.1 MB)\n"
    data = inside(sweep / "report.html")
    assert (data["name"], [run["label"] for run in data["runs"]]) == ("mine", ["one", "two"])
    assert list(data["maps"]["proteins"]) == ["b", "a"]  # the best first


def test_a_single_run_becomes_a_page_wherever_it_is_wanted(sweep, tmp_path):
    page = tmp_path / "new" / "page.html"
    done = report(f"sweep={sweep / '1'}", "tracker=none", f"output={page}")
    assert done.returncode == 0, done.stderr
    assert [run["label"] for run in inside(page)["runs"]] == ["two"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "error: name what to show: sweep=FOLDER, or sweep=ID of a run in MLflow"),
        (["sweep={here}/no"], "/no: no such folder, and its name is no id of an MLflow run"),
        (["sweep={here}"], ": no finished run in it; give the folder of a sweep or of a run"),
        (["sweep={here}/mine", "maps_mb=0.0001"], "not one contact map fits into 0.0001 MB"),
        (["sweep=" + 32 * "a"], "with tracker=none no run can be looked up"),
    ],
)
def test_what_cannot_be_shown_is_one_message(sweep, arguments, message):
    given = [argument.format(here=sweep.parent) for argument in arguments]
    done = report(*given, "tracker=none")
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.xdist_group("mlflow")
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # MLflow leaves connections open,
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # and uses SQLAlchemy's old ways
def test_a_sweep_in_mlflow_shows_its_page_and_becomes_one_again(tmp_path):
    place, outputs = f"hydra.sweep.dir={tmp_path / 'mine'}", f"outputs={tmp_path}"
    done = program("harness", "-m", place, outputs, "method=random,separation", *SMALL)
    assert done.returncode == 0, done.stderr
    assert f"report:  {tmp_path / 'mine' / 'report.html'}\n" in done.stdout

    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow/mlflow.db")
    (run,) = client.search_runs(["1"], "attributes.run_name = 'mine'")
    logged = Path(run.info.artifact_uri.removeprefix("file://")) / "report.html"
    written = inside(logged)
    logged.unlink()
    done = report(f"sweep={run.info.run_id}", outputs, "statistics.resamples=50")
    page = tmp_path / "reports" / f"{run.info.run_id}.html"
    assert done.stdout.startswith(f"{page} (")
    assert done.stdout.endswith(" MB, logged)\n")
    again = inside(page)
    assert again["runs"] == written["runs"]
    assert again["maps"] == written["maps"]
    assert logged.read_bytes() == page.read_bytes()
