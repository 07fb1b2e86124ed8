"""A small sweep over lattice proteins in a process of its own, to be killed or left alone."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

from harness.journal import read_journal

_PRELOADED = ("harness.__main__", "torch", "mlflow", "mlflow.store.tracking.sqlalchemy_store")
_PRELOADED += ("harness.methods.categorical_jacobian", "matplotlib.pyplot", "sklearn.metrics")

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Sweep:
    """A sweep in a folder of its own, tracked at `uri`; `log` has what it says."""

    folder: Path
    work: Sequence[str]
    uri: str
    outputs: Path
    experiment: str = "contacts"

    def start(self) -> "subprocess.Popen[bytes]":
        """Start it, or go on with it."""
        command = [sys.executable, "-m", "harness", *self._arguments]
        environment = {**os.environ, "MLFLOW_TRACKING_URI": self.uri}
        with self.log.open("ab") as log:
            streams = {"stdout": log, "stderr": log}
            return subprocess.Popen(
                command, cwd=ROOT, env=environment, start_new_session=True, **streams
            )

    def fork(self) -> BaseProcess:
        """The same in a process that has imported everything: so that kills fall into work."""
        context = get_context("forkserver")
        context.set_forkserver_preload(list(_PRELOADED))
        process = context.Process(target=_run, args=(self._arguments, self.uri, str(self.log)))
        process.start()
        return process

    def finish(self) -> None:
        """Go on to the end; RuntimeError when it fails."""
        ended_well(self.start(), self)

    @property
    def _arguments(self) -> list[str]:
        place = [f"hydra.sweep.dir={self.folder}", f"outputs={self.outputs}"]
        return ["-m", *self.work, *place, f"tracker.experiment={self.experiment}"]

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self.folder.with_suffix(".log")

    @property
    def measured(self) -> int:
        """Proteins that its jobs have measured so far."""
        return sum(len(read_journal(job.parent)) for job in self.folder.glob("*/proteins.jsonl"))


def ended_well(process: "subprocess.Popen[bytes]", sweep: Sweep) -> None:
    """Wait for the end; RuntimeError when it is a bad one."""
    if process.wait():
        raise RuntimeError(f"exit code {process.returncode}:\n{sweep.log.read_text()[-3000:]}")


def kill(process: BaseProcess) -> bool:
    """SIGKILL to the process and its children; whether it had not ended by itself."""
    alive = process.is_alive()
    if alive:
        os.killpg(process.pid or 0, signal.SIGKILL)
    process.join()
    return alive


def _run(arguments: list[str], uri: str, log: str) -> None:
    """`python -m harness` in this process."""
    os.setpgid(0, 0)
    os.environ["MLFLOW_TRACKING_URI"] = uri
    output = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(output, stream)
    sys.argv = ["harness", *arguments]
    from harness.__main__ import main

    main()
