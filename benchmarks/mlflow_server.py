"""An MLflow server on the loopback, as `make ui` starts it, or as many machines share one."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


def free_port() -> int:
    """A port of the loopback that nobody uses."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@dataclass
class Server:
    """A server that can be stopped and started again at the same address."""

    options: Sequence[str]
    port: int
    log: Path

    def start(self) -> None:
        """Start it, and wait until it answers: some twenty seconds."""
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1"]
        command += ["--port", str(self.port), *self.options]
        with self.log.open("ab") as log:
            streams = {"stdout": log, "stderr": log}
            self.process = subprocess.Popen(
                command, env={**os.environ, **QUIET}, start_new_session=True, **streams
            )
        self._wait()

    def stop(self) -> None:
        """End it and its workers."""
        self.process.terminate()
        self.process.wait(60)

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def _wait(self) -> None:
        for _ in range(360):
            try:
                with urllib.request.urlopen(f"{self.address}/health", timeout=5):
                    return
            except OSError:
                if self.process.poll() is not None:
                    said = self.log.read_text()[-2000:]
                    raise RuntimeError(f"mlflow server ended:\n{said}") from None
                time.sleep(0.5)
        raise RuntimeError("mlflow server does not answer")


@contextmanager
def mlflow_server(store: Path) -> Iterator[str]:
    """The address of a server of that SQLite store."""
    options = ("--workers", "1", "--backend-store-uri", f"sqlite:///{store}/mlflow.db")
    server = Server(options, free_port(), store / "server.log")
    server.start()
    try:
        yield server.address
    finally:
        server.stop()
