import hashlib
import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from harness.errors import InputError, PrerequisiteError
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
    tracking_in(store).connect()
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


def test_the_description_is_renewed_unless_somebody_changed_it(tracker, client):
    tracker.connect()
    replace(tracker, note="another", view={"b": 2}).connect()
    shown = client.get_experiment("1").tags
    assert shown["mlflow.note.content"] == "another"
    assert json.loads(shown["mlflow.sharedViewState.contacts"]) == {"b": 2}
    client.set_experiment_tag("1", "mlflow.note.content", "my own words")
    replace(tracker, note="a third").connect()
    assert client.get_experiment("1").tags["mlflow.note.content"] == "my own words"


def test_the_data_set_is_an_input_once(tracker, client, folder):
    for _ in range(2):
        with tracker.run("jac", folder, parent="") as run:
            run.dataset("lattice", "v1", 32)
            run.dataset("lattice", "v1", 32)
    (found,) = client.search_runs(["1"], "datasets.name = 'lattice'")
    (own,) = found.inputs.dataset_inputs
    assert (own.dataset.name, own.dataset.digest, own.dataset.profile) == (
        *("lattice", "v1"),
        '{"num_rows": 32}',
    )
    assert [(tag.key, tag.value) for tag in own.tags] == [("mlflow.data.context", "eval")]


def test_a_long_version_of_a_data_set_is_named_by_its_digest(tracker, client, folder):
    with tracker.run("jac", folder, parent="") as run:
        run.dataset("potts", "v" * 50, 2)
    (own,) = recorded(client)[0].inputs.dataset_inputs
    assert own.dataset.digest == hashlib.sha256(b"v" * 50).hexdigest()[:36]


def finished(tracker, folder, name, parent=""):
    """A run with results, and a picture that stays where it is."""
    (folder / "maps").mkdir(parents=True)
    for file in ("summary.json", "rows.csv", "maps/a.png"):
        (folder / file).write_text(name)
    with tracker.run(name, folder, parent) as run:
        run.files([folder / "summary.json", folder / "rows.csv"], "")
        run.files([folder / "maps/a.png"], "maps")
    return run.id


def test_a_run_is_fetched_as_the_folder_it_was(tracker, folder, tmp_path):
    identifier = finished(tracker, folder / "own", "jac")
    (copy,) = tracker.fetch(identifier, tmp_path / "copies")
    assert {path.name for path in copy.iterdir()} == {"summary.json", "rows.csv", ".run_key"}
    assert (copy / "rows.csv").read_text() == "jac"


def test_a_sweep_is_fetched_as_its_finished_jobs(tracker, folder, tmp_path):
    with tracker.run("sweep", folder, parent="") as sweep:
        for name in ("jac", "head"):
            finished(tracker, folder / name, name, sweep.id)
        with tracker.run("empty", tmp_path, sweep.id):
            pass
    copies = tracker.fetch(sweep.id, tmp_path / "copies")
    assert {(copy / "rows.csv").read_text() for copy in copies} == {"jac", "head"}


def test_what_cannot_be_fetched_is_said(tracker, folder, tmp_path):
    with pytest.raises(InputError, match=r"has no run 0123"):
        tracker.fetch("0123", tmp_path)
    with tracker.run("empty", folder, parent="") as run, pytest.raises(InputError, match="results"):
        tracker.fetch(run.id, tmp_path)
    with pytest.raises(PrerequisiteError, match="tracker=none"):
        NoTracker().fetch("0123", tmp_path)


def test_a_run_and_its_fetched_copy_can_be_annotated(tracker, client, folder, tmp_path):
    identifier = finished(tracker, folder / "own", "jac")
    (copy,) = tracker.fetch(identifier, tmp_path / "copies")
    page = tmp_path / "page.html"
    page.write_text("x")
    assert tracker.annotate(folder / "own", {"first": "1"}, [])
    assert tracker.annotate(copy, {"second": "2"}, [page])
    (run,) = recorded(client)
    assert run.data.tags.items() >= {"first": "1", "second": "2"}.items()
    assert "page.html" in {item.path for item in client.list_artifacts(identifier)}
    assert run.info.status == "FINISHED"


def test_a_folder_that_was_not_tracked_is_not_annotated(tracker, client, folder):
    assert not tracker.annotate(folder, {"a": "1"}, [])
    assert not NoTracker().annotate(folder, {"a": "1"}, [])
    (folder / ".run_key").write_text("of a store that is gone")
    assert not tracker.annotate(folder, {"a": "1"}, [])
