"""A process that logs runs to a shared MLflow server, one of many that start at once.

    python -m benchmarks.writing FOLDER EXPERIMENT RUNS METRICS NUMBER

Each run has as many metrics m/0, m/1, … (k / 7), a table and a file. The server is
MLFLOW_TRACKING_URI.
"""

import sys
from pathlib import Path

import pandas as pd

from harness.tracking import MlflowTracker


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
