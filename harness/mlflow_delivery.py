"""What waits in a run folder's outbox, sent to MLflow."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pandas import DataFrame

from harness.errors import InputError, PrerequisiteError
from harness.mlflow_run import MlflowRun, begin
from harness.mlflow_store import explaining, find_runs
from harness.outbox import Entry

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass
class Delivery:
    """Sends lines of a folder's outbox to its run, which is known by its key; twice is once.

    `connect` gives a client, and the id of the experiment of that name.
    """

    uri: str
    experiment: str
    connect: Callable[[], tuple["MlflowClient", str]]
    folder: Path
    key: str
    _run: MlflowRun | None = field(default=None, init=False)

    def __call__(self, entry: Entry) -> None:
        """Send one; raises UnreachableError when the store does not answer."""
        with explaining(self.uri):
            if entry["call"] == "begin":
                self._run = self._begin(entry)
                return
            self._run = self._run or self._found()
            self._tell(self._run, entry)

    @property
    def id(self) -> str:
        """How MLflow calls the run; empty while it has not heard of it."""
        return self._run.id if self._run else ""

    def _begin(self, entry: Entry) -> MlflowRun:
        if entry["experiment"] != self.experiment:
            raise InputError(
                f"{self.folder}: was measured for the experiment {entry['experiment']!r}, not for "
                f"{self.experiment!r}; add tracker.experiment={entry['experiment']}"
            )
        client, experiment = self.connect()
        tags = {"run_key": self.key}
        if entry["parent"]:
            parents = find_runs(client, experiment, entry["parent"])
            if not parents:
                raise PrerequisiteError(
                    f"{self.folder}: MLflow does not have the run of its sweep yet; send that "
                    "first: python -m harness.sync folder=SWEEP"
                )
            tags |= {"mlflow.parentRunId": parents[0].info.run_id}
        return MlflowRun(client, begin(client, experiment, tags, entry["name"], entry["time"]))

    def _found(self) -> MlflowRun:
        """The run of this folder, begun by another process."""
        client, experiment = self.connect()
        runs = find_runs(client, experiment, self.key)
        if not runs:
            raise PrerequisiteError(
                f"{self.folder}: MLflow does not have its run any more; the same command records "
                "it anew"
            )
        return MlflowRun(client, runs[0].info.run_id)

    def _tell(self, run: MlflowRun, entry: Entry) -> None:
        match entry["call"]:
            case "record":
                run.record(entry["parameters"], entry["metrics"], entry["tags"], entry["time"])
            case "dataset":
                run.dataset(entry["name"], entry["version"], entry["n_proteins"])
            case "table":
                run.table(entry["name"], DataFrame(entry["data"], columns=entry["columns"]))
            case "curve":
                run.curve(entry["name"], dict(entry["points"]), entry["time"])
            case "files":
                run.files([self._there(name) for name in entry["paths"]], entry["under"])
            case "end":
                run.end(entry["status"], entry["text"], entry["time"])

    def _there(self, name: str) -> Path:
        """The file of that name, seen from the folder."""
        path = self.folder / name
        if not path.exists():
            raise InputError(f"{path}: is gone and cannot be sent; the same command makes it again")
        return path
