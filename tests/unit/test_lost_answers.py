"""A store that has obeyed, or will, though whoever asked has heard nothing, and asks again."""

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from harness.outbox import waiting
from tests.stores import recorded

pytestmark = [
    pytest.mark.xdist_group("mlflow"),  # the store is built once a process, which takes seconds
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # MLflow leaves connections open,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # and uses SQLAlchemy's old ways
]


@pytest.fixture
def sweep(tracker, tmp_path):
    """The folder of a sweep that is over: its jobs do not mind a server that is away."""
    folder = tmp_path / "sweep"
    folder.mkdir()
    with tracker.run("sweep", folder, parent=None):
        pass
    return folder


def of_job(client):
    return [run for run in recorded(client) if run.info.run_name == "job"]


def test_a_run_that_was_made_three_times_is_there_once(tracker, client, sweep, folder, monkeypatch):
    made = MlflowClient.create_run

    def unheard(*arguments):
        for _ in range(3):  # MLflow itself asks three times
            made(*arguments)
        raise MlflowException("timed out")

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "create_run", unheard)
        with tracker.run("job", folder, sweep) as run:
            run.record({}, {"m": 0.5}, {})
    assert len(of_job(client)) == 3
    tracker.sync(folder)
    (run,) = of_job(client)
    assert (run.info.status, run.data.metrics) == ("FINISHED", {"m": 0.5})


def test_a_run_that_was_made_late_does_not_stay(tracker, client, sweep, folder):
    with tracker.run("job", folder, sweep) as run:
        key = (folder / ".run_key").read_text()
        client.create_run("1", 0, {"run_key": key}, "job")
    (found,) = of_job(client)
    assert (found.info.run_id, found.info.status) == (run.id, "FINISHED")


def test_numbers_that_arrive_late_are_there_once(tracker, client, sweep, folder, monkeypatch):
    late, curve = [], {x: x / 7 for x in range(2500)}
    with monkeypatch.context() as patch:

        def unheard(*arguments, **named):
            late.append((arguments, named))
            raise MlflowException("timed out")

        with tracker.run("job", folder, sweep) as run:
            patch.setattr(MlflowClient, "log_batch", unheard)
            run.record({"p": 1}, {"m": 0.5}, {"t": "x"})
            run.curve("c", curve)
    ((arguments, named),) = late
    tracker.sync(folder)
    client.log_batch(*arguments[1:], **named)
    assert waiting(folder) == []
    history = client.get_metric_history(run.id, "c")
    assert {point.step: point.value for point in history} == curve
    assert len(history) == len(curve)
    assert len(client.get_metric_history(run.id, "m")) == 1


def test_a_tag_may_be_gone_already(tracker, client, sweep, folder, monkeypatch):
    removed = MlflowClient.delete_tag

    def twice(*arguments):
        for _ in range(2):
            removed(*arguments)

    with pytest.raises(ValueError, match="bad"), tracker.run("job", folder, sweep):
        raise ValueError("bad")
    monkeypatch.setattr(MlflowClient, "delete_tag", twice)
    with tracker.run("job", folder, sweep):
        pass
    (found,) = of_job(client)
    assert found.info.status == "FINISHED"
    assert "error" not in found.data.tags
