"""The only door to MLflow; and a tracker that records nothing.

Everything an MLflow run shows is in the run folder first. The folder remembers the id of its
MLflow run, so that a rerun continues that run instead of adding a second one.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from filelock import FileLock
from pandas import DataFrame

from harness.errors import PrerequisiteError
from harness.protocols import TrackedRun

if TYPE_CHECKING:
    from mlflow import MlflowClient

_MEMORY = ".mlflow.json"

_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}
"""Environment of MLflow unless the user chose otherwise: no telemetry, errors within a minute."""


@dataclass(frozen=True)
class NoTracker:
    """Records nothing: everything is in the run folder all the same."""

    def prepare(self) -> None:
        """Nothing to prepare."""

    @contextmanager
    def run(self, name: str, folder: Path, parent: str) -> Iterator[TrackedRun]:
        """A run that forgets everything."""
        yield _ForgetfulRun()


@dataclass(frozen=True)
class MlflowTracker:
    """Runs in an MLflow experiment.

    The server is `MLFLOW_TRACKING_URI` when that is set, else a SQLite file and an artifact
    folder under `store`. `note` describes the experiment in the UI.
    """

    experiment: str
    store: str
    note: str

    def prepare(self) -> None:
        """Create the store and the experiment; PrerequisiteError when the server is away."""
        with _explaining(self._uri):
            self._connect()

    @contextmanager
    def run(self, name: str, folder: Path, parent: str) -> Iterator[TrackedRun]:
        """A run that ends FINISHED, or FAILED with the text of the error."""
        with _explaining(self._uri):
            client, experiment = self._connect()
            run = _MlflowRun(client, self._begin(client, experiment, name, folder, parent))
            try:
                yield run
            except BaseException as error:
                run.fail(error)
                raise
            client.set_terminated(run.id, "FINISHED")

    @property
    def _uri(self) -> str:
        local = f"sqlite:///{Path(self.store).resolve() / 'mlflow.db'}"
        return os.environ.get("MLFLOW_TRACKING_URI") or local

    def _connect(self) -> tuple["MlflowClient", str]:
        """A client and the id of the experiment, created when it is not there yet.

        One process at a time: MLflow's SQLite store breaks when two create it at once.
        """
        store = Path(self.store).resolve()
        store.mkdir(parents=True, exist_ok=True)
        with FileLock(store / ".mlflow.lock"):
            client = _mlflow().MlflowClient(self._uri)
            found = client.get_experiment_by_name(self.experiment)
            if found is not None:
                return client, found.experiment_id
            local = not os.environ.get("MLFLOW_TRACKING_URI")
            artifacts = (store / "artifacts").as_uri() if local else None
            kind = {"mlflow.experimentKind": "custom_model_development"}
            tags = {"mlflow.note.content": self.note, **kind}
            return client, client.create_experiment(self.experiment, artifacts, tags)

    def _begin(
        self, client: "MlflowClient", experiment: str, name: str, folder: Path, parent: str
    ) -> str:
        """Id of the folder's run, reopened or new."""
        memory = folder / _MEMORY
        known = json.loads(memory.read_text()) if memory.exists() else {}
        if known.get("uri") == self._uri and known.get("experiment") == experiment:
            client.update_run(known["run"], status="RUNNING")
            return str(known["run"])
        tags = {"mlflow.parentRunId": parent} if parent else {}
        run = client.create_run(experiment, run_name=name, tags=tags)
        known = {"uri": self._uri, "experiment": experiment, "run": run.info.run_id}
        memory.write_text(json.dumps(known))
        return str(known["run"])


@dataclass(frozen=True)
class _MlflowRun:
    client: "MlflowClient"
    id: str

    def record(
        self,
        parameters: Mapping[str, object],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
    ) -> None:
        """Send all in one batch."""
        entities, now = _mlflow().entities, int(time.time() * 1000)
        self.client.log_batch(
            self.id,
            metrics=[entities.Metric(k, float(v), now, 0) for k, v in metrics.items()],
            params=[entities.Param(k, str(v)) for k, v in parameters.items()],
            tags=[entities.RunTag(k, v) for k, v in tags.items()],
        )

    def table(self, name: str, frame: DataFrame) -> None:
        """Log the table once: MLflow would append to one that is there."""
        if name not in {item.path for item in self.client.list_artifacts(self.id)}:
            self.client.log_table(self.id, frame, name)

    def files(self, paths: Sequence[Path], under: str) -> None:
        """Copy the files into the artifact folder `under` (the top one if empty)."""
        for path in paths:
            self.client.log_artifact(self.id, str(path), under or None)

    def fail(self, error: BaseException) -> None:
        """Mark the run FAILED, as far as the server still listens."""
        with suppress(_mlflow().exceptions.MlflowException):
            text = f"{type(error).__name__}: {error}"[:5000]
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

    def files(self, paths: Sequence[Path], under: str) -> None:
        """Forget."""


@contextmanager
def _explaining(uri: str) -> Iterator[None]:
    """Turn MLflow's own errors into a message that says what to do."""
    try:
        yield
    except _mlflow().exceptions.MlflowException as error:
        first_line = str(error).partition("\n")[0][:300]
        raise PrerequisiteError(
            f"MLflow at {uri} does not take the run ({first_line}). Start the server, unset "
            "MLFLOW_TRACKING_URI, or use tracker=none. Results already in the run folder are "
            "safe: the same command computes only what is missing and sends all of it"
        ) from error


def _mlflow() -> ModuleType:
    """MLflow, imported on first use (it takes seconds)."""
    for key, value in _QUIET.items():
        os.environ.setdefault(key, value)
    import mlflow

    return mlflow
