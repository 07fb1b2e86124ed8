"""python -m harness.report sweep=DIR: one HTML file that shows a sweep, offline and by itself.

`sweep` is a folder (of a sweep, or of a single run) or the id of an MLflow run.
"""

import shutil
import tempfile
from pathlib import Path

from omegaconf import DictConfig

from harness.comparison import ComparedRuns, runs_in
from harness.configuration import build, run_here
from harness.errors import InputError
from harness.report_page import REPORT, write_report
from harness.tracking import RUN_ID


def main() -> None:
    """Write the report that the command line asks for, and log it where the sweep is tracked."""
    run_here("report", _report)


def _report(config: DictConfig) -> None:
    if not config.sweep:
        raise InputError("name what to show: sweep=FOLDER, or sweep=ID of a run in MLflow")
    sweep, tracker, statistics = str(config.sweep), build(config.tracker), build(config.statistics)
    with tempfile.TemporaryDirectory() as fetched:
        folder, path = Path(sweep).resolve(), Path(sweep) / REPORT
        if not folder.exists() and RUN_ID.fullmatch(sweep):
            folder, path = Path(fetched) / sweep, Path(config.outputs) / "reports" / f"{sweep}.html"
            tracker.fetch(sweep, folder)
        if not folder.is_dir():
            raise InputError(f"{folder}: no such folder, and its name is no id of an MLflow run")
        path, compared = Path(config.output or path), ComparedRuns(runs_in(folder), statistics)
        write_report(path, folder.name, compared, config.maps_mb)
        copied = shutil.copy(path, Path(fetched) / REPORT)  # there it takes the place of the last
        logged = tracker.annotate(folder, {}, [Path(copied)])
    print(f"{path} ({path.stat().st_size / 1e6:.1f} MB{', logged' if logged else ''})")


if __name__ == "__main__":
    main()
