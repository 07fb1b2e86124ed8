"""PostgreSQL from Debian's packages, and an MLflow server on it as many machines share one.

PostgreSQL refuses to run as root: then it runs as the user `postgres` that its package makes.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.mlflow_server import Server, free_port

ABSENT = "PostgreSQL is not installed: apt-get install postgresql"


def programs() -> Path | None:
    """The folder of `initdb` and `postgres`; none where they are not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    return found[-1].parent if found else None


@contextmanager
def postgresql() -> Iterator[str]:
    """The URI of an empty database of a server of its own, on the loopback, gone afterwards."""
    bin_folder, folder, port = programs(), Path(tempfile.mkdtemp(prefix="postgresql-")), free_port()
    if bin_folder is None:
        raise RuntimeError(ABSENT)
    user = {"user": "postgres"} if os.getuid() == 0 else {}
    if user:
        shutil.chown(folder, "postgres")
    data, options = folder / "data", f"-h 127.0.0.1 -p {port} -k {folder} -F"
    control = [str(bin_folder / "pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "log")]
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "cwd": folder, **user}
    try:
        initdb = [str(bin_folder / "initdb"), "-U", "mlflow", "-A", "trust", "-D", str(data)]
        subprocess.run(initdb, **quiet)
        subprocess.run([*control, "-o", options, "start"], **quiet)
        try:
            yield f"postgresql+psycopg2://mlflow@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], **quiet)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def shared_server(folder: Path, workers: int = 2) -> Iterator[Server]:
    """An MLflow server on PostgreSQL; artifacts go through it into the folder."""
    with postgresql() as uri:
        options = ["--workers", str(workers), "--backend-store-uri", uri]
        options += ["--artifacts-destination", str(folder / "artifacts")]
        server = Server(options, free_port(), folder / "server.log")
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _version(path: Path) -> int:
    return int(path.parent.parent.name)
