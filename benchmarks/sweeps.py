"""A small sweep over lattice proteins in a process of its own, to be killed or left alone."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.journal import read_journal

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
        command = [sys.executable, "-m", "harness", "-m", *self.work]
        command += [f"hydra.sweep.dir={self.folder}", f"outputs={self.outputs}"]
        command += [f"tracker.experiment={self.experiment}"]
        environment = {**os.environ, "MLFLOW_TRACKING_URI": self.uri}
        with self.log.open("ab") as log:
            streams = {"stdout": log, "stderr": log}
            return subprocess.Popen(
                command, cwd=ROOT, env=environment, start_new_session=True, **streams
            )

    def finish(self) -> None:
        """Go on to the end; RuntimeError when it fails."""
        ended_well(self.start(), self)

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


def kill(process: "subprocess.Popen[bytes]") -> bool:
    """SIGKILL to the process and its children; whether it had not ended by itself."""
    if process.poll() is not None:
        return False
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return True
