"""Runs in MLflow; and a tracker that records nothing.

Everything an MLflow run shows is in the run folder first, with a key by which a rerun continues it.
"""

import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pandas import DataFrame

from harness.digests import text_digest
from harness.errors import InputError, PrerequisiteError
from harness.mlflow_run import LONGEST, MlflowRun
from harness.mlflow_store import (
    RUN_KEY,
    download,
    explaining,
    find_run,
    get_run,
    remember,
    store_client,
    store_uri,
)
from harness.protocols import TrackedRun

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment

RUN_ID = re.compile("[0-9a-f]{32}")
"""How MLflow calls a run."""

_OWN = "harness.wrote/"
"""Beginning of tags with the SHA-256 of what was written into another tag."""


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
            run = MlflowRun(client, self._uri, _begin(client, experiment, name, folder, parent))
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
            jobs += " and tags.shard IS NULL"  # these are in the runs that they were merged into
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
                    client.set_tag(run.info.run_id, key, text[:LONGEST])
                for path in files:
                    client.log_artifact(run.info.run_id, str(path))
        return bool(found)

    def connect(self) -> tuple["MlflowClient", str]:
        """A client and the id of the experiment, created when it is not there yet."""
        with store_client(Path(self.store)) as client:
            found = client.get_experiment_by_name(self.experiment)
            if found is not None:
                self._describe(client, found)
                return client, found.experiment_id
            # a server chooses its own place; MLflow's own choice for a database is ./mlruns
            remote = self._uri.startswith(("http", "databricks"))
            artifacts = None if remote else (Path(self.store).resolve() / "artifacts").as_uri()
            kind = {"mlflow.experimentKind": "custom_model_development"}
            written = {_OWN + key: text_digest(text) for key, text in self._shown.items()}
            tags = kind | self._shown | written
            return client, client.create_experiment(self.experiment, artifacts, tags)

    def _describe(self, client: "MlflowClient", experiment: "Experiment") -> None:
        """Renew description and view; one that somebody has changed in the UI stays."""
        for key, text in self._shown.items():
            before, ours = experiment.tags.get(key, ""), experiment.tags.get(_OWN + key)
            if text != before and text_digest(before) == ours:
                client.set_experiment_tag(experiment.experiment_id, key, text)
                client.set_experiment_tag(experiment.experiment_id, _OWN + key, text_digest(text))

    @property
    def _shown(self) -> dict[str, str]:
        """Tags in which MLflow keeps an experiment's description and a shared view of it."""
        view = {"mlflow.sharedViewState.contacts": json.dumps(self.view)}
        return {"mlflow.note.content": self.note} | view

    @property
    def _uri(self) -> str:
        return store_uri(Path(self.store))


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

    def dataset(self, name: str, version: str, n_proteins: int) -> None:
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
