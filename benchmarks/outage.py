"""A sweep whose MLflow server goes away in the middle, hangs or ends, and comes back."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from mlflow import MlflowClient

from benchmarks.mlflow_server import Server
from benchmarks.postgresql import shared_server
from benchmarks.sweeps import Sweep, ended_well
from benchmarks.tracked import content, runs_of
from harness.outbox import waiting

WORK = (
    *("model=lattice_2x32,lattice_3x64,lattice_4x128", "method=categorical_jacobian"),
    *("dataset.depth=32", "statistics.resamples=200"),
)


@dataclass(frozen=True)
class Outage:
    """What an outage has done to a sweep: nothing, if all but the seconds are zero or empty."""

    seconds: float
    failed: list[str]
    missing: list[str]
    waiting: int


def sweep_without_server(folder: Path, seconds: float) -> Outage:
    """A sweep left alone; then one with a server that hangs, and one with a server that ends."""
    failed: list[str] = []
    with shared_server(folder) as server:
        client = MlflowClient(server.address)
        sweeps = [
            Sweep(folder / n, WORK, server.address, folder, n) for n in ("alone", "hangs", "ends")
        ]
        sweeps[0].finish()
        for sweep, disturb in zip(sweeps[1:], (_hang, _end), strict=True):
            process = sweep.start()
            while process.poll() is None and sweep.measured < 40:  # in the second job
                time.sleep(0.05)
            disturb(server, seconds)
            try:
                ended_well(process, sweep)
            except RuntimeError as error:
                failed.append(str(error))
        expected = {name: content(client, run) for name, run in runs_of(client, "alone").items()}
        missing = []
        for name in ("hangs", "ends"):
            runs = runs_of(client, name)
            runs["alone"] = runs.pop(name)  # the sweep's own run bears its name
            found = {own: content(client, run) for own, run in runs.items()}
            missing += [f"{name}: {own}" for own in expected if found.get(own) != expected[own]]
            missing += [f"{name}: {own} too much" for own in found.keys() - expected.keys()]
    return Outage(seconds, failed, missing, len(waiting(folder)))


def _hang(server: Server, seconds: float) -> None:
    """Connections are taken, nothing is answered."""
    os.killpg(server.process.pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.killpg(server.process.pid, signal.SIGCONT)


def _end(server: Server, seconds: float) -> None:
    """Connections are refused."""
    server.stop()
    time.sleep(seconds)
    server.start()
