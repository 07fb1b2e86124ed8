"""Runs that MLflow has, as folders again; and what is added to them later."""

import pytest

from harness.errors import InputError, PrerequisiteError
from harness.mlflow_store import store_client
from harness.tracking import NoTracker
from tests.stores import recorded

pytestmark = [
    pytest.mark.xdist_group("mlflow"),  # the store is built once a process, which takes seconds
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # MLflow leaves connections open,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # and uses SQLAlchemy's old ways
]


def finished(tracker, folder, name, parent=None):
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


def test_a_sweep_is_fetched_as_its_finished_jobs(tracker, client, folder, tmp_path):
    with tracker.run("sweep", folder, parent=None) as sweep:
        for name in ("jac", "head"):
            finished(tracker, folder / name, name, folder)
        with tracker.run("empty", tmp_path, folder):
            pass
        shard = finished(tracker, folder / "shard", "jac shard=1/1", folder)
    client.set_tag(shard, "shard", "1/1")
    copies = tracker.fetch(sweep.id, tmp_path / "copies")
    assert {(copy / "rows.csv").read_text() for copy in copies} == {"jac", "head"}


def test_what_cannot_be_fetched_is_said(tracker, folder, tmp_path):
    with pytest.raises(InputError, match=r"has no run 0123"):
        tracker.fetch("0123", tmp_path)
    with (
        tracker.run("empty", folder, parent=None) as run,
        pytest.raises(InputError, match="results"),
    ):
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


def test_a_store_anywhere_is_made_whole_or_not_at_all(tmp_path, monkeypatch):
    """A kill while MLflow makes its tables would leave a database that it never takes again."""

    def killed(*_):
        raise KeyboardInterrupt

    def store(name):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / name}")
        return tmp_path / name

    file = store("any.db")
    with monkeypatch.context() as context:
        context.setattr("mlflow.MlflowClient.search_experiments", killed)
        with pytest.raises(KeyboardInterrupt), store_client(tmp_path):
            pass
    assert not file.exists()
    file = store("other.db")
    (tmp_path / ".other.db.partial").write_bytes(b"half made")
    with store_client(tmp_path) as client:
        assert client.search_experiments()
    assert file.exists()
