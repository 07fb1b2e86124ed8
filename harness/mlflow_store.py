"""The only door to MLflow: its library, where its store is, and what its errors mean."""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from filelock import FileLock

from harness.errors import InputError, PrerequisiteError, UnreachableError
from harness.results import replacing

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Run

RUN_KEY = ".run_key"
"""File of a run folder with the key by which its run is found again."""

_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "15",
}
"""Environment of MLflow unless the user chose otherwise: no telemetry, no bars, errors soon."""

_FINAL = (
    *("INVALID_PARAMETER_VALUE", "BAD_REQUEST", "RESOURCE_DOES_NOT_EXIST", "INVALID_STATE"),
    *("UNAUTHENTICATED", "PERMISSION_DENIED", "CUSTOMER_UNAUTHORIZED", "NOT_FOUND"),
)
"""Codes of errors that waiting does not mend."""

log = logging.getLogger("harness")


def store_uri(folder: Path) -> str:
    """`MLFLOW_TRACKING_URI` when that is set, else a SQLite file in the folder."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{folder.resolve() / 'mlflow.db'}"


def is_server(uri: str) -> bool:
    """Whether that is a server's address, not a database's."""
    return uri.startswith(("http", "databricks"))


@contextmanager
def store_client(folder: Path) -> Iterator["MlflowClient"]:
    """A client of the store, which is created when it is not there yet.

    One process at a time: MLflow's databases break when two create one at once. A server has made
    its own already.
    """
    folder, uri = folder.resolve(), store_uri(folder)
    if is_server(uri):
        yield mlflow_library().MlflowClient(uri)
        return
    folder.mkdir(parents=True, exist_ok=True)
    file = Path(uri.removeprefix("sqlite:///"))  # of any name: a kill may come while it is made
    with FileLock(folder / ".mlflow.lock"):
        if uri.startswith("sqlite:///") and file.parent.is_dir() and not file.exists():
            log.info("creating %s (once, takes some seconds)", file)
            _create(file)
        yield mlflow_library().MlflowClient(uri)


def _create(path: Path) -> None:
    """Make the SQLite store, whole or not at all: MLflow never opens one that was half made."""
    with replacing(path) as partial:
        for left in path.parent.glob(f"{partial.name}*"):  # by a kill, with SQLite's journal
            left.unlink()
        mlflow_library().MlflowClient(f"sqlite:///{partial}").search_experiments()


def find_runs(client: "MlflowClient", experiment: str, key: str) -> list["Run"]:
    """The run with that key, if there is one; more where an answer was lost, the oldest first."""
    order = ["attributes.start_time", "attributes.run_id"]
    return list(client.search_runs([experiment], f"tags.run_key = '{key}'", order_by=order))


def find_or_create_experiment(
    client: "MlflowClient", name: str, artifacts: str | None, tags: Mapping[str, str]
) -> "Experiment":
    """The experiment of that name, whoever makes it first."""
    found = client.get_experiment_by_name(name)
    if found is not None:
        return found
    try:
        return client.get_experiment(client.create_experiment(name, artifacts, dict(tags)))
    except mlflow_library().exceptions.MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        return find_or_create_experiment(client, name, artifacts, tags)


def get_run(client: "MlflowClient", identifier: str) -> "Run":
    """The run with that id; raises InputError when there is none."""
    try:
        return client.get_run(identifier)
    except mlflow_library().exceptions.MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        raise InputError(f"MLflow at {client.tracking_uri} has no run {identifier}") from error


def download(client: "MlflowClient", run: "Run", folder: Path) -> Path:
    """The folder, with the files of a run; of those in folders, only the pairs of its maps."""
    folder.mkdir(parents=True, exist_ok=True)
    for item in client.list_artifacts(run.info.run_id):
        if not item.is_dir or item.path == "pairs":
            client.download_artifacts(run.info.run_id, item.path, str(folder))
    remember(run, folder)
    return folder


def remember(run: "Run", folder: Path) -> None:
    """Let the folder be known as that run's."""
    (folder / RUN_KEY).write_text(run.data.tags.get("run_key", ""), encoding="ascii")


@contextmanager
def explaining(uri: str) -> Iterator[None]:
    """Turn what MLflow raises into a message that says what to do.

    That is an UnreachableError where the store may take later what it does not take now, else a
    PrerequisiteError.
    """
    mlflow = mlflow_library()
    from sqlalchemy.exc import SQLAlchemyError  # MLflow lets some through

    try:
        yield
    except (mlflow.exceptions.MlflowException, SQLAlchemyError, OSError) as error:
        cause: BaseException = error
        while inner := cause.__cause__ or cause.__context__:
            cause = inner
        reason = str(cause).partition("\n")[0][:300]
        advice = "Start the server" if uri.startswith("http") else "Mend or move the store"
        kind = PrerequisiteError if getattr(error, "error_code", "") in _FINAL else UnreachableError
        raise kind(
            f"MLflow at {uri} does not take the run ({reason}). {advice}, set MLFLOW_TRACKING_URI "
            "to another one, or use tracker=none. Results are safe in the run folder: the same "
            "command computes only what is missing, and python -m harness.sync sends what waits"
        ) from error


def mlflow_library() -> ModuleType:
    """MLflow, imported on first use (it takes seconds)."""
    for key, value in _QUIET.items():
        os.environ.setdefault(key, value)
    import mlflow

    for name, level in (("alembic", logging.WARNING), ("urllib3", logging.ERROR)):
        logging.getLogger(name).setLevel(level)
    return mlflow
