"""What the browser shows of runs and sweeps."""

import shutil
from pathlib import Path

import pytest
import yaml

from harness.configuration import CONFIG_FOLDER
from tests.stores import tracking_in

pytestmark = [
    pytest.mark.xdist_group("mlflow"),  # the store is built once a process, which takes seconds
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # MLflow leaves connections open,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # and uses SQLAlchemy's old ways
]


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A store with its experiment and nothing else."""
    store = tmp_path_factory.mktemp("template")
    tracking_in(store).connect()
    return store / "mlflow.db"


@pytest.fixture
def tracked(command_line, tmp_path, template, monkeypatch):
    """A function that runs the command line with a tracker."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    store = tmp_path / "outputs" / "mlflow"
    store.mkdir(parents=True)
    shutil.copy(template, store)
    return lambda *arguments: command_line(*arguments, "tracker=mlflow")


@pytest.fixture
def recorded(tracked, tmp_path):
    """A function that gives all runs by name."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{tmp_path}/outputs/mlflow/mlflow.db")
    return lambda: {run.info.run_name: run for run in client.search_runs(["1"])}


@pytest.fixture
def synced(in_process, tmp_path):
    """A function that runs `python -m harness.sync` with these arguments."""
    from harness.sync import main

    return lambda *arguments: in_process(main, [f"outputs={tmp_path / 'outputs'}", *arguments])


def artifacts(run):
    folder = Path(run.info.artifact_uri.removeprefix("file://"))
    return {path.name for path in folder.iterdir()}


def test_a_run_is_recorded_with_everything_that_identifies_it(tracked, recorded):
    outcome = tracked("pictures=true", "method=inverse_covariance", "method.depth=4")
    assert (outcome.code, outcome.err) == (0, "")
    (run,) = recorded().values()
    assert (run.info.run_name, run.info.status) == ("depth=4 inverse_covariance", "FINISHED")
    expected = {"method": "inverse_covariance", "dataset": "lattice", "method.depth": "4"}
    assert run.data.params.items() >= expected.items()
    assert {"commit", "dataset_version", "package.numpy"} <= run.data.tags.keys()
    names = {"p_at_L/min3", "p_at_L10/min12", "average_precision/min6", "ceiling_at_L/min3"}
    assert run.data.metrics.keys() >= names | {"cost/seconds", "sequence_length"}
    files = {"rows.csv", "proteins.jsonl", "summary.json", "config.yaml"}
    assert artifacts(run) == files | {"rows.json", "maps", "pairs"}


def test_a_rerun_continues_the_same_run(tracked, recorded, tmp_path):
    place = f"hydra.run.dir={tmp_path / 'run'}"
    assert tracked(place).code == 0
    (first,) = recorded().values()
    assert tracked(place, "statistics.seed=1").code == 0
    (again,) = recorded().values()
    assert again.info.run_id == first.info.run_id
    assert again.data.tags["statistics.seed"] == "1"


def test_another_run_in_the_folder_leaves_the_record_alone(tracked, recorded, tmp_path):
    place = f"hydra.run.dir={tmp_path / 'run'}"
    assert tracked(place).code == 0
    assert tracked(place, "method=separation").code == 1
    (run,) = recorded().values()
    assert (run.info.run_name, run.info.status) == ("random", "FINISHED")
    assert "error" not in run.data.tags


def test_a_run_that_fails_is_recorded_with_its_configuration_and_error(tracked, recorded):
    outcome = tracked("method=inverse_covariance", "method.ridge=-1")
    assert outcome.code == 1
    (run,) = recorded().values()
    assert run.info.status == "FAILED"
    assert run.data.params["method.ridge"] == "-1"
    assert "ridge is -1; it must be positive" in run.data.tags["error"]


def test_a_sweep_is_a_run_that_holds_its_jobs(tracked, recorded, tmp_path):
    place = f"hydra.sweep.dir={tmp_path / 'sizes'}"
    outcome = tracked("-m", place, "method=random,separation")
    assert (outcome.code, outcome.err) == (0, "")
    runs = recorded()
    assert set(runs) == {"sizes", "random", "separation"}
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    for name in ("random", "separation"):
        assert runs[name].data.tags["mlflow.parentRunId"] == runs["sizes"].info.run_id
    files = {"comparison.csv", "differences.csv", "pareto.csv", "plan.csv"}
    pictures = ("comparison", "pareto")
    files |= {f"{name}.{form}" for name in pictures for form in ("png", "svg", "pdf")}
    assert artifacts(runs["sizes"]) == files | {"report.html"}


def test_a_sweep_over_shards_shows_the_run_that_they_come_to(tracked, recorded, tmp_path):
    place = f"hydra.sweep.dir={tmp_path / 'cut'}"
    outcome = tracked("-m", place, "dataset.shard=1/2,2/2", "method=separation")
    assert (outcome.code, outcome.err) == (0, "")
    runs = recorded()
    merged, whole = runs["separation"], runs["cut"]
    assert set(runs) == {"cut", "separation", "shard=1/2 separation", "shard=2/2 separation"}
    assert runs["shard=2/2 separation"].data.tags["shard"] == "2/2"
    assert runs["shard=2/2 separation"].data.params["dataset.shard"] == "2/2"
    assert "shard" not in merged.data.tags.keys() | merged.data.params.keys()
    assert merged.data.tags["mlflow.parentRunId"] == whole.info.run_id
    assert merged.data.metrics["cost/n_proteins"] == 2
    assert whole.data.metrics == merged.data.metrics


def test_the_view_that_opens_shows_neither_sweeps_nor_shards(tracked, recorded, tmp_path):
    from mlflow import MlflowClient

    assert tracked("-m", "dataset.shard=1/2,2/2", "method=separation").code == 0
    assert tracked("method=random").code == 0
    view = yaml.safe_load(
        (Path(CONFIG_FOLDER) / "tracker" / "mlflow.yaml").read_text(encoding="utf-8")
    )["view"]
    client = MlflowClient(f"sqlite:///{tmp_path}/outputs/mlflow/mlflow.db")
    shown = client.search_runs(["1"], view["searchFilter"])
    assert {run.info.run_name for run in shown} == {"separation", "random"}
    assert len(recorded()) == 5


def test_a_sweep_with_a_failed_job_is_closed_as_failed(tracked, recorded, tmp_path):
    place = f"hydra.sweep.dir={tmp_path / 'depths'}"
    outcome = tracked("-m", place, "method=inverse_covariance", "method.depth=2,junk")
    assert outcome.code == 1
    states = {name: run.info.status for name, run in recorded().items()}
    assert states == {
        "depths": "FAILED",
        "depth=2 inverse_covariance": "FINISHED",
        "depth=junk inverse_covariance": "FAILED",
    }
    assert "1 job failed" in recorded()["depths"].data.tags["error"]


def test_a_run_does_not_need_a_server_that_goes_away(
    tracked, recorded, synced, tmp_path, monkeypatch
):
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    def away(*_):
        raise MlflowException("connection refused")

    place = f"hydra.run.dir={tmp_path / 'run'}"
    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "log_table", away)
        outcome = tracked(place, "tracker.patience=0")
    assert outcome.code == 0
    assert "python -m harness.sync sends what waits" in outcome.out
    assert (tmp_path / "run" / "summary.json").exists()
    assert recorded()["random"].info.status == "RUNNING"
    assert synced(f"folder={tmp_path}").code == 0
    assert recorded()["random"].info.status == "FINISHED"
    assert "rows.json" in artifacts(recorded()["random"])
    assert "nothing waits to be sent" in synced(f"folder={tmp_path}").out


def test_a_deferred_sweep_is_sent_later_with_its_jobs(tracked, recorded, synced, tmp_path):
    place = f"hydra.sweep.dir={tmp_path / 'later'}"
    assert tracked("-m", place, "method=random,separation", "tracker.defer=true").code == 0
    assert recorded() == {}
    assert synced(f"folder={tmp_path}").code == 0
    runs = recorded()
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    parent = runs["later"].info.run_id
    assert {runs[name].data.tags["mlflow.parentRunId"] for name in ("random", "separation")} == {
        parent
    }
    assert "report.html" in artifacts(runs["later"])
    metrics = runs["random"].data.metrics
    assert tracked("-m", place, "method=random,separation").code == 0  # all is there: once
    assert recorded().keys() == runs.keys()
    assert recorded()["random"].data.metrics.keys() == metrics.keys()


def test_a_run_of_another_experiment_is_not_sent_to_this_one(tracked, synced, tmp_path):
    assert tracked(f"hydra.run.dir={tmp_path / 'run'}", "tracker.defer=true").code == 0
    outcome = synced(f"folder={tmp_path}", "tracker.experiment=other")
    assert outcome.code == 1
    assert "add tracker.experiment=contacts" in outcome.err
    assert synced("folder=/absent").code == 1


def test_a_server_that_is_away_is_one_message_before_anything_is_measured(tracked, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    for arguments in ((), ("-m", "method=random,separation")):
        outcome = tracked(*arguments)
        assert outcome.code == 1
        assert "error: MLflow at http://127.0.0.1:9 does not take the run" in outcome.err
        assert "Traceback" not in outcome.out + outcome.err


def test_a_curve_is_a_metric_with_steps_and_is_drawn_once(tracked, recorded, tmp_path):
    blocks = ("evaluation.targets.size=9", "evaluation.targets.margin=3", "evaluation.at=[0]")
    place = ("evaluation.targets.threshold=null", f"hydra.run.dir={tmp_path / 'run'}")
    chosen = ("evaluation=recovery", "masking=flank", "method=contact_head", "model=lattice_2x16")
    for _ in range(2):
        assert tracked(*chosen, *blocks, *place).code == 0
    (run,) = recorded().values()
    assert run.data.metrics["half_recovered_flank/all"] >= 0
    assert {"curves.csv", "targets.csv", "values.csv", "curves.png"} <= artifacts(run)

    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{tmp_path}/outputs/mlflow/mlflow.db")
    history = client.get_metric_history(run.info.run_id, "curve/recovered/all")
    assert [point.step for point in history] == list(range(len(history)))
    assert len(history) > 4


@pytest.mark.parametrize("evaluation", ["agreement", "homologs"])
def test_couplings_are_recorded_where_metrics_have_no_range(recorded, tracked, evaluation):
    chosen = ("method=categorical_jacobian", "model=lattice_2x16", "model.device=cpu")
    outcome = tracked(f"evaluation={evaluation}", *chosen, "dataset.limit=1", "dataset.depth=64")
    assert outcome.code == 0, outcome.err
    (run,) = recorded().values()
    assert {"agreement": "top_overlap", "homologs": "spearman/all"}[evaluation] in run.data.metrics
