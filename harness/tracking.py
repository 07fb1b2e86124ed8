"""The only door to MLflow; and a tracker that records nothing.

Everything an MLflow run shows is in the run folder first, with a key by which a rerun continues it.
"""

import colorsys
import hashlib
import json
import logging
import math
import os
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from filelock import FileLock
from pandas import DataFrame

from harness.errors import PrerequisiteError
from harness.protocols import TrackedRun

if TYPE_CHECKING:
    from mlflow import MlflowClient

_KEY = ".run_key"
_LONGEST = 5000
"""Characters that every MLflow store takes as the value of a parameter or a tag."""

_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "15",
}
"""Environment of MLflow unless the user chose otherwise: no telemetry, errors within a minute."""

log = logging.getLogger("harness")


@dataclass(frozen=True)
class NoTracker:
    """Records nothing: everything is in the run folder all the same."""

    @contextmanager
    def run(self, name: str, folder: Path, parent: str) -> Iterator[TrackedRun]:
        """A run that forgets everything."""
        yield _ForgetfulRun()


@dataclass(frozen=True)
class MlflowTracker:
    """Runs in an MLflow experiment.

    The server is `MLFLOW_TRACKING_URI` when that is set, else a SQLite file and an artifact
    folder under `store`. `note` describes the experiment in the UI, `view` its columns and charts.
    """

    experiment: str
    store: str
    note: str
    view: Mapping[str, Any]

    @contextmanager
    def run(self, name: str, folder: Path, parent: str) -> Iterator[TrackedRun]:
        """A run that ends FINISHED, or FAILED with the text of the error."""
        with _explaining(self._uri):
            client, experiment = self.connect()
            run = _MlflowRun(client, self._uri, _begin(client, experiment, name, folder, parent))
        try:
            yield run
        except BaseException as error:
            run.fail(error)
            raise
        with _explaining(self._uri):
            client.set_terminated(run.id, "FINISHED")

    @property
    def _uri(self) -> str:
        local = f"sqlite:///{Path(self.store).resolve() / 'mlflow.db'}"
        return os.environ.get("MLFLOW_TRACKING_URI") or local

    def connect(self) -> tuple["MlflowClient", str]:
        """A client and the id of the experiment, created when it is not there yet.

        One process at a time: MLflow's SQLite store breaks when two create it at once.
        """
        store = Path(self.store).resolve()
        store.mkdir(parents=True, exist_ok=True)
        with FileLock(store / ".mlflow.lock"):
            if self._uri.endswith(f"{store}/mlflow.db") and not (store / "mlflow.db").exists():
                log.info("creating %s (once, takes some seconds)", store / "mlflow.db")
            client = _mlflow().MlflowClient(self._uri)
            found = client.get_experiment_by_name(self.experiment)
            if found is not None:
                return client, found.experiment_id
            # a server chooses its own place; MLflow's own choice for a database is ./mlruns
            remote = self._uri.startswith(("http", "databricks"))
            artifacts = None if remote else (store / "artifacts").as_uri()
            kind = {"mlflow.experimentKind": "custom_model_development"}
            view = {"mlflow.sharedViewState.contacts": json.dumps(self.view)}
            tags = {"mlflow.note.content": self.note, **kind, **view}
            return client, client.create_experiment(self.experiment, artifacts, tags)


@dataclass(frozen=True)
class _MlflowRun:
    client: "MlflowClient"
    uri: str
    id: str

    def record(
        self,
        parameters: Mapping[str, object],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
    ) -> None:
        """Send what the run does not have yet; charts stumble over NaN, so it is left out."""
        entities, now = _mlflow().entities, int(time.time() * 1000)
        tags = {**tags, **_presentation(parameters, tags)}
        with _explaining(self.uri):
            known = self.client.get_run(self.id).data
            self.client.log_batch(
                self.id,
                metrics=[
                    entities.Metric(key, float(value), now, 0)
                    for key, value in metrics.items()
                    if not math.isnan(value) and known.metrics.get(key) != value
                ],
                params=[
                    entities.Param(key, str(value)[:_LONGEST])
                    for key, value in parameters.items()
                    if key not in known.params
                ],
                tags=[entities.RunTag(key, text[:_LONGEST]) for key, text in tags.items()],
            )

    def curve(self, name: str, points: Mapping[int, float]) -> None:
        """Log the points that are not there yet: MLflow would draw a second curve over them."""
        entities, now = _mlflow().entities, int(time.time() * 1000)
        with _explaining(self.uri):
            known = {point.step for point in self.client.get_metric_history(self.id, name)}
            new = [x for x, y in points.items() if x not in known and not math.isnan(y)][:1000]
            self.client.log_batch(self.id, [entities.Metric(name, points[x], now, x) for x in new])

    def table(self, name: str, frame: DataFrame) -> None:
        """Log the table once: MLflow would append to one that is there."""
        with _explaining(self.uri):
            if name not in {item.path for item in self.client.list_artifacts(self.id)}:
                self.client.log_table(self.id, frame, name)

    def files(self, paths: Sequence[Path], under: str) -> None:
        """Copy the files into the artifact folder `under` (the top one if empty)."""
        with _explaining(self.uri):
            for path in paths:
                self.client.log_artifact(self.id, str(path), under or None)

    def fail(self, error: BaseException) -> None:
        """Mark the run FAILED, as far as the server still listens."""
        text = f"{type(error).__name__}: {error}"[: _LONGEST - 20]
        with suppress(PrerequisiteError), _explaining(self.uri):
            self.client.set_tag(self.id, "error", text)
            self.client.set_tag(self.id, "mlflow.note.content", f"**Failed.** {text}")
            self.client.set_terminated(self.id, "FAILED")


@dataclass(frozen=True)
class _ForgetfulRun:
    id: str = ""

    def record(
        self,
        parameters: Mapping[str, object],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
    ) -> None:
        """Forget."""

    def table(self, name: str, frame: DataFrame) -> None:
        """Forget."""

    def curve(self, name: str, points: Mapping[int, float]) -> None:
        """Forget."""

    def files(self, paths: Sequence[Path], under: str) -> None:
        """Forget."""


def _begin(client: "MlflowClient", experiment: str, name: str, folder: Path, parent: str) -> str:
    """Id of the folder's run, reopened or new."""
    memory = folder / _KEY
    if not memory.exists():  # before the run: a kill in between must not leave a run without key
        memory.write_text(uuid.uuid4().hex, encoding="ascii")
    key = memory.read_text(encoding="ascii")
    for run in client.search_runs([experiment], f"tags.run_key = '{key}'", max_results=1):
        client.update_run(run.info.run_id, status="RUNNING")
        for tag in {"error", "mlflow.note.content"} & run.data.tags.keys():
            client.delete_tag(run.info.run_id, tag)
        return str(run.info.run_id)
    tags = {"run_key": key} | ({"mlflow.parentRunId": parent} if parent else {})
    return str(client.create_run(experiment, run_name=name, tags=tags).info.run_id)


def _presentation(parameters: Mapping[str, object], tags: Mapping[str, str]) -> dict[str, str]:
    """What MLflow's own UI looks for: a color by method, the commit."""
    shown = {}
    if "method" in parameters:
        hue = hashlib.sha256(str(parameters["method"]).encode()).digest()[0] / 256
        color = colorsys.hsv_to_rgb(hue, 0.8, 0.75)
        shown["mlflow.runColor"] = "#" + "".join(f"{round(255 * part):02X}" for part in color)
    if "commit" in tags:
        shown["mlflow.source.git.commit"] = tags["commit"]
    return shown


@contextmanager
def _explaining(uri: str) -> Iterator[None]:
    """Turn what MLflow raises into a message that says what to do."""
    mlflow = _mlflow()
    from sqlalchemy.exc import SQLAlchemyError  # MLflow lets some through

    try:
        yield
    except (mlflow.exceptions.MlflowException, SQLAlchemyError, OSError) as error:
        cause: BaseException = error
        while inner := cause.__cause__ or cause.__context__:
            cause = inner
        reason = str(cause).partition("\n")[0][:300]
        advice = "Start the server" if uri.startswith("http") else "Mend or move the store"
        raise PrerequisiteError(
            f"MLflow at {uri} does not take the run ({reason}). {advice}, set MLFLOW_TRACKING_URI "
            "to another one, or use tracker=none. Results already in the run folder are safe: the "
            "same command computes only what is missing and sends all of it"
        ) from error


def _mlflow() -> ModuleType:
    """MLflow, imported on first use (it takes seconds)."""
    for key, value in _QUIET.items():
        os.environ.setdefault(key, value)
    import mlflow

    for name, level in (("alembic", logging.WARNING), ("urllib3", logging.ERROR)):
        logging.getLogger(name).setLevel(level)
    return mlflow
