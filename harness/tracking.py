"""Runs in MLflow; and a tracker that records nothing.

Everything an MLflow run shows is in the run folder first, with a key by which a rerun continues it.
"""

import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pandas import DataFrame

from harness.digests import text_digest
from harness.errors import HarnessError, InputError, PreemptedError, PrerequisiteError
from harness.mlflow_delivery import Delivery
from harness.mlflow_run import LONGEST
from harness.mlflow_store import (
    RUN_KEY,
    download,
    explaining,
    find_or_create_experiment,
    find_runs,
    get_run,
    is_server,
    remember,
    store_client,
    store_uri,
)
from harness.outbox import Outbox, OutgoingRun, pace_of, settle
from harness.protocols import TrackedRun
from harness.results import replacing

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
    def run(self, name: str, folder: Path, parent: Path | None) -> Iterator[TrackedRun]:
        """A run that forgets everything."""
        yield _ForgetfulRun()

    def sync(self, folder: Path) -> int:
        """Nothing is sent: raises PrerequisiteError."""
        raise PrerequisiteError("with tracker=none nothing can be sent; leave that out")

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
    A server that has gone away is given `patience` seconds at the end to come back. With `defer`
    nothing is sent but by `sync`.
    """

    experiment: str
    store: str
    note: str
    view: Mapping[str, Any]
    patience: float
    defer: bool

    @contextmanager
    def run(self, name: str, folder: Path, parent: Path | None) -> Iterator[TrackedRun]:
        """A run that ends FINISHED, FAILED with the text of the error, or KILLED when preempted.

        A server that is not there refuses a run on its own before it begins. A job of a sweep, and
        whatever has begun, goes on without it: what is to be sent waits in the folder, and the
        sweep, or the run on its own, sends it at its end.
        """
        alone = parent is None and not self.defer
        if alone:
            with explaining(self._uri):
                self.connect()
        run = self._outgoing(folder)
        run.begin(name, self.experiment, "" if parent is None else _key(parent))
        try:
            yield run
        except BaseException as error:
            with suppress(OSError, HarnessError):  # a full disk, say: the first error is the one
                run.end(*_ending(error))
                if alone and isinstance(error, Exception) and not isinstance(error, PreemptedError):
                    settle(folder, self.sync, self.patience)
            raise
        run.end("FINISHED", "")
        if alone:
            settle(folder, self.sync, self.patience)

    def sync(self, folder: Path) -> int:
        """Send what waits in this folder; how many things that were."""
        return self._outgoing(folder).send()

    def _outgoing(self, folder: Path) -> OutgoingRun:
        delivery = Delivery(self._uri, self.experiment, self.connect, folder, _key(folder))
        return OutgoingRun(Outbox(folder), delivery, pace_of(self._uri), self.defer)

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
            found = find_runs(client, experiment, _key(folder))
            for run in found:
                for key, text in tags.items():
                    client.set_tag(run.info.run_id, key, text[:LONGEST])
                for path in files:
                    client.log_artifact(run.info.run_id, str(path))
        return bool(found)

    def connect(self) -> tuple["MlflowClient", str]:
        """A client and the id of the experiment, created when it is not there yet."""
        with store_client(Path(self.store)) as client:
            # a server chooses its own place; MLflow's own choice for a database is ./mlruns
            artifacts = (
                None
                if is_server(self._uri)
                else (Path(self.store).resolve() / "artifacts").as_uri()
            )
            kind = {"mlflow.experimentKind": "custom_model_development"}
            written = {_OWN + key: text_digest(text) for key, text in self._shown.items()}
            tags = kind | self._shown | written
            found = find_or_create_experiment(client, self.experiment, artifacts, tags)
            self._describe(client, found)
            return client, found.experiment_id

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


def _ending(error: BaseException) -> tuple[str, str]:
    """Status and text of a run that ended so."""
    if isinstance(error, PreemptedError):
        return "KILLED", str(error)
    return "FAILED", f"{type(error).__name__}: {error}"


def _key(folder: Path) -> str:
    """The key of the folder's run, which is written before the run is there.

    A kill in between must not leave a run without a key.
    """
    memory = folder / RUN_KEY
    if not memory.exists():
        with replacing(memory) as partial:
            partial.write_text(uuid.uuid4().hex, encoding="ascii")
    return memory.read_text(encoding="ascii")
