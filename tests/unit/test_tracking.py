import hashlib
import json
import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from harness.protocols import TrackedRun, Tracker
from harness.tracking import NoTracker
from tests.stores import recorded

pytestmark = [
    pytest.mark.xdist_group("mlflow"),  # the store is built once a process, which takes seconds
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # MLflow leaves connections open,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # and uses SQLAlchemy's old ways
]


def test_a_run_holds_what_it_was_given(tracker, client, folder):
    with tracker.run("jac 8M", folder, parent=None) as run:
        run.record({"method": "jac", "depth": None}, {"p_at_L/long": 0.5}, {"commit": "abc"})
    (found,) = recorded(client)
    assert (found.info.run_name, found.info.status) == ("jac 8M", "FINISHED")
    assert found.data.params == {"method": "jac", "depth": "None"}
    assert found.data.metrics == {"p_at_L/long": 0.5}
    assert found.data.tags["commit"] == found.data.tags["mlflow.source.git.commit"] == "abc"


def test_what_could_not_be_measured_is_left_out_of_charts(tracker, client, folder):
    with tracker.run("jac", folder, parent=None) as run:
        run.record({}, {"p_at_L/long": math.nan, "p_at_L/min3": 0.5}, {})
    assert recorded(client)[0].data.metrics == {"p_at_L/min3": 0.5}


def test_runs_of_one_method_have_one_color(tracker, client, tmp_path):
    for n, method in enumerate(("jac", "jac", "random")):
        (tmp_path / str(n)).mkdir()
        with tracker.run(method, tmp_path / str(n), parent=None) as run:
            run.record({"method": method}, {}, {})
    first, second, other = [run.data.tags["mlflow.runColor"] for run in recorded(client)]
    assert first == second != other
    assert len(first) == 7


def test_files_and_tables_become_artifacts_below_the_store(tracker, client, folder, template):
    (folder / "map.png").write_bytes(b"png")
    with tracker.run("jac", folder, parent=None) as run:
        run.files([folder / "map.png"], "maps")
        run.table("rows.json", pd.DataFrame({"protein": ["a"], "value": [math.nan]}))
    (found,) = recorded(client)
    paths = {item.path for item in client.list_artifacts(found.info.run_id)}
    assert paths == {"maps", "rows.json"}
    assert found.info.artifact_uri.startswith(f"file://{template.parent}/artifacts")


def test_a_continued_run_is_the_same_run_with_nothing_twice(tracker, client, folder):
    for value in (0.5, 0.5):
        with tracker.run("jac", folder, parent=None) as run:
            run.record({"seed": 1}, {"m": value}, {"commit": "abc"})
            run.table("rows.json", pd.DataFrame({"protein": ["a"]}))
    (found,) = recorded(client)
    assert len(client.get_metric_history(found.info.run_id, "m")) == 1
    artifacts = Path(found.info.artifact_uri.removeprefix("file://"))
    table = json.loads((artifacts / "rows.json").read_text())
    assert table == {"columns": ["protein"], "data": [["a"]]}


def test_a_run_that_was_killed_is_continued(tracker, client, folder):
    killed = tracker.run("jac", folder, parent=None)
    first = killed.__enter__()  # and never left
    with tracker.run("jac", folder, parent=None) as run:
        assert run.id == first.id
    assert [found.info.status for found in recorded(client)] == ["FINISHED"]


@pytest.mark.parametrize("error", [ValueError("bad"), KeyboardInterrupt(), SystemExit(1)])
def test_a_failed_run_says_why(tracker, client, folder, error):
    with pytest.raises(type(error)), tracker.run("jac", folder, parent=None):
        raise error
    (found,) = recorded(client)
    assert found.info.status == "FAILED"
    assert found.data.tags["error"] == f"{type(error).__name__}: {error}"
    assert "Failed" in found.data.tags["mlflow.note.content"]


def test_a_run_that_failed_and_then_succeeded_is_clean(tracker, client, folder):
    with pytest.raises(ValueError, match="bad"), tracker.run("jac", folder, parent=None):
        raise ValueError("bad")
    with tracker.run("jac", folder, parent=None):
        pass
    (found,) = recorded(client)
    assert found.info.status == "FINISHED"
    assert not {"error", "mlflow.note.content"} & found.data.tags.keys()


def test_a_run_deleted_in_the_browser_is_recorded_anew(tracker, client, folder):
    with tracker.run("jac", folder, parent=None) as run:
        pass
    client.delete_run(run.id)
    with tracker.run("jac", folder, parent=None) as again:
        assert again.id != run.id
    assert [found.info.run_id for found in recorded(client)] == [again.id]


def test_a_job_belongs_to_the_run_of_its_sweep(tracker, client, tmp_path):
    for name in ("sweep", "job"):
        (tmp_path / name).mkdir()
    with tracker.run("sizes", tmp_path / "sweep", parent=None) as sweep:
        with tracker.run("jac", tmp_path / "job", parent=tmp_path / "sweep"):
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
    with NoTracker().run("jac", tmp_path, parent=None) as run:
        run.record({"a": 1}, {"b": 2.0}, {})
        run.table("rows.json", pd.DataFrame())
        run.files([tmp_path / "absent"], "")
    assert list(tmp_path.iterdir()) == []
    assert run.id == ""


def test_both_are_trackers(tracker, folder):
    assert all(isinstance(each, Tracker) for each in (tracker, NoTracker()))
    with tracker.run("jac", folder, parent=None) as run:
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
        with tracker.run("jac", folder, parent=None) as run:
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
    with tracker.run("jac", folder, parent=None) as run:
        run.dataset("potts", "v" * 50, 2)
    (own,) = recorded(client)[0].inputs.dataset_inputs
    assert own.dataset.digest == hashlib.sha256(b"v" * 50).hexdigest()[:36]
