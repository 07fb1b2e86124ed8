"""Runs in MLflow; and a tracker that records nothing.

Everything an MLflow run shows is in the run folder first, with a key by which a rerun continues it.
"""

import colorsys
import hashlib
import json
import math
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pandas import DataFrame

from harness.errors import InputError, PrerequisiteError
from harness.mlflow_store import (
    RUN_KEY,
    download,
    explaining,
    find_run,
    get_run,
    mlflow_library,
    remember,
    store_client,
    store_uri,
)
from harness.protocols import TrackedRun

if TYPE_CHECKING:
    from mlflow import MlflowClient

_LONGEST = 5000
"""Characters that every MLflow store takes as the value of a parameter or a tag."""


@dataclass(frozen=True)
class NoTracker:
    """Records nothing: everything is in the run folder all the same."""

    @contextmanager
    def run(self, name: str, folder: Path, parent: str) -> Iterator[TrackedRun]:
        """A run that forgets everything."""
        yield _ForgetfulRun()

    def fetch(self, identifier: str, into: Path) -> list[Path]:
        """Nothing can be fetched: raises PrerequisiteError."""
        raise PrerequisiteError(f"{identifier}: with tracker=none no run can be looked up")

    def annotate(self, folder: Path, tags: Mapping[str, str], files: Sequence[Path]) -> bool:
        """Nothing is annotated."""
        return False


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
        with explaining(self._uri):
            client, experiment = self.connect()
            run = _MlflowRun(client, self._uri, _begin(client, experiment, name, folder, parent))
        try:
            yield run
        except BaseException as error:
            run.fail(error)
            raise
        with explaining(self._uri):
            client.set_terminated(run.id, "FINISHED")

    def fetch(self, identifier: str, into: Path) -> list[Path]:
        """Copies of the folders of that run, or of the finished jobs of that sweep, made in `into`.

        Pictures stay where they are. Raises InputError when there is no such run, or nothing in it.
        """
        with explaining(self._uri):
            client, _ = self.connect()
            run = get_run(client, identifier)
            jobs = f"tags.`mlflow.parentRunId` = '{identifier}' and attributes.status = 'FINISHED'"
            found = client.search_runs([run.info.experiment_id], jobs) or [run]
            folders = [download(client, own, into / own.info.run_id) for own in found]
            remember(run, into)
        whole = [folder for folder in folders if (folder / "summary.json").exists()]
        if not whole:
            raise InputError(f"MLflow's run {identifier} has no results: it did not finish")
        return whole

    def annotate(self, folder: Path, tags: Mapping[str, str], files: Sequence[Path]) -> bool:
        """Add tags and files to the folder's run; whether there is one."""
        if not (folder / RUN_KEY).exists():
            return False
        with explaining(self._uri):
            client, experiment = self.connect()
            found = find_run(client, experiment, (folder / RUN_KEY).read_text(encoding="ascii"))
            for run in found:
                for key, text in tags.items():
                    client.set_tag(run.info.run_id, key, text[:_LONGEST])
                for path in files:
                    client.log_artifact(run.info.run_id, str(path))
        return bool(found)

    def connect(self) -> tuple["MlflowClient", str]:
        """A client and the id of the experiment, created when it is not there yet."""
        with store_client(Path(self.store)) as client:
            found = client.get_experiment_by_name(self.experiment)
            if found is not None:
                return client, found.experiment_id
            # a server chooses its own place; MLflow's own choice for a database is ./mlruns
            remote = self._uri.startswith(("http", "databricks"))
            artifacts = None if remote else (Path(self.store).resolve() / "artifacts").as_uri()
            kind = {"mlflow.experimentKind": "custom_model_development"}
            view = {"mlflow.sharedViewState.contacts": json.dumps(self.view)}
            tags = {"mlflow.note.content": self.note, **kind, **view}
            return client, client.create_experiment(self.experiment, artifacts, tags)

    @property
    def _uri(self) -> str:
        return store_uri(Path(self.store))


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
        entities, now = mlflow_library().entities, int(time.time() * 1000)
        tags = {**tags, **_presentation(parameters, tags)}
        with explaining(self.uri):
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
        entities, now = mlflow_library().entities, int(time.time() * 1000)
        with explaining(self.uri):
            known = {point.step for point in self.client.get_metric_history(self.id, name)}
            new = [x for x, y in points.items() if x not in known and not math.isnan(y)][:1000]
            self.client.log_batch(self.id, [entities.Metric(name, points[x], now, x) for x in new])

    def table(self, name: str, frame: DataFrame) -> None:
        """Log the table once: MLflow would append to one that is there."""
        with explaining(self.uri):
            if name not in {item.path for item in self.client.list_artifacts(self.id)}:
                self.client.log_table(self.id, frame, name)

    def files(self, paths: Sequence[Path], under: str) -> None:
        """Copy the files into the artifact folder `under` (the top one if empty)."""
        with explaining(self.uri):
            for path in paths:
                self.client.log_artifact(self.id, str(path), under or None)

    def fail(self, error: BaseException) -> None:
        """Mark the run FAILED, as far as the server still listens."""
        text = f"{type(error).__name__}: {error}"[: _LONGEST - 20]
        with suppress(PrerequisiteError), explaining(self.uri):
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
    memory = folder / RUN_KEY
    if not memory.exists():  # before the run: a kill in between must not leave a run without key
        memory.write_text(uuid.uuid4().hex, encoding="ascii")
    key = memory.read_text(encoding="ascii")
    for run in find_run(client, experiment, key):
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
