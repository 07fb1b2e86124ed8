"""Processes that log to one MLflow server at once.

    python -m benchmarks.writing FOLDER EXPERIMENT RUNS METRICS NUMBER

is one of them: each of its runs has so many metrics m/0, m/1, … (k / 7), a table and a file. The
server is MLFLOW_TRACKING_URI.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from mlflow import MlflowClient

from benchmarks.postgresql import shared_server
from benchmarks.sweeps import ROOT
from benchmarks.tracked import runs_of
from harness.tracking import MlflowTracker

METRICS = 50


@dataclass(frozen=True)
class Written:
    """What arrived of what was logged."""

    runs: int
    wanted: int
    metrics: int
    expected: int
    artifacts: int
    errors: list[str]


def written(folder: Path, processes: int, runs: int) -> Written:
    """So many processes, so many runs of each, on a server of their own."""
    with shared_server(folder) as server:
        errors = write_at_once(folder, server.address, processes, runs)
        client = MlflowClient(server.address)
        found = runs_of(client, "many").values()
        right = {f"m/{k}": k / 7 for k in range(METRICS)}
        metrics = sum(right.get(k) == v for run in found for k, v in run.data.metrics.items())
        files = sum(len(client.list_artifacts(run.info.run_id)) for run in found)
    total = processes * runs
    return Written(len(found), total, metrics, total * METRICS, files, errors)


def write_at_once(folder: Path, uri: str, processes: int, runs: int) -> list[str]:
    """Start the processes together; what those that failed, or warned, have said."""
    command = [sys.executable, "-m", "benchmarks.writing", str(folder), "many", str(runs)]
    environment = {**os.environ, "MLFLOW_TRACKING_URI": uri}
    started = [
        subprocess.Popen(
            [*command, str(METRICS), str(n)], cwd=ROOT, env=environment, stderr=subprocess.PIPE
        )
        for n in range(processes)
    ]
    said = [process.communicate()[1].decode() for process in started]
    return [text for text, process in zip(said, started, strict=True) if text or process.returncode]


def main() -> None:
    """Log the runs of this process."""
    folder, experiment, runs, metrics, number = sys.argv[1:]
    store = str(Path(folder) / "mlflow")
    tracker = MlflowTracker(experiment, store, note="", view={}, patience=60, defer=False)
    for n in range(int(runs)):
        write(tracker, Path(folder) / f"{number}_{n}", int(metrics))


def write(tracker: MlflowTracker, folder: Path, metrics: int) -> None:
    """Log one run."""
    folder.mkdir()
    (folder / "note.txt").write_text(folder.name)
    with tracker.run(folder.name, folder, None) as run:
        run.record({"method": "made up"}, {}, {"label": folder.name})
        run.record({}, {f"m/{k}": k / 7 for k in range(metrics)}, {})
        run.table("rows.json", pd.DataFrame({"protein": ["a", "b"], "value": [0.25, 0.5]}))
        run.files([folder / "note.txt"], "")


if __name__ == "__main__":
    main()
