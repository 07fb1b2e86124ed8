"""Around the jobs of a sweep: the run that holds them together, and the comparison at the end."""

import json
import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from harness.comparison import finished_runs, write_comparison
from harness.configuration import SWEPT_KEYS, build, exit_on_user_error, swept_keys
from harness.errors import HarnessError
from harness.protocols import TrackedRun
from harness.results import UNFINISHED, check_writable
from harness.statistics import Bootstrap
from harness.terminal import print_table

PARENT_RUN = "HARNESS_PARENT_RUN"
"""Environment variable through which a sweep tells its jobs the id of its own run."""


@dataclass(frozen=True)
class _Sweep:
    folder: Path
    tracked: TrackedRun
    bootstrap: Bootstrap
    closing: ExitStack


_current: list[_Sweep] = []


class SweepCallback(Callback):
    """Hydra's hooks before the first job: the folder must be writable, the tracker ready."""

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        """Check the folder of a single run."""
        with exit_on_user_error():
            check_writable(Path(config.hydra.run.dir))

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Open the sweep's own run, and tell the jobs about it."""
        folder = Path(config.hydra.sweep.dir)
        name = config.hydra.runtime.choices.get("experiment") or folder.name
        closing = ExitStack()
        with exit_on_user_error():
            check_writable(folder)
            tracker = build(config.tracker)
            tracked = closing.enter_context(tracker.run(name, folder, parent=""))
        os.environ[PARENT_RUN] = tracked.id
        os.environ[SWEPT_KEYS] = json.dumps(swept_keys(config))
        bootstrap = build(config.statistics)
        _current.append(_Sweep(folder, tracked, bootstrap, closing))


def finish() -> int:
    """Close the sweep that this process opened, if any; the number of its jobs that failed."""
    if not _current:
        return 0
    sweep = _current.pop()
    failed = sorted(path.parent.name for path in sweep.folder.glob(f"*/{UNFINISHED}"))
    try:
        with sweep.closing:
            _compare(sweep)
            if failed:
                raise HarnessError(f"{len(failed)} jobs did not finish: {', '.join(failed)}")
    except HarnessError as error:
        print(f"error: {error}", file=sys.stderr)
        return max(1, len(failed))
    return 0


def _compare(sweep: _Sweep) -> None:
    runs = finished_runs(sweep.folder)
    if not runs:
        return
    files = write_comparison(sweep.folder, runs, sweep.bootstrap)
    sweep.tracked.files(files, "")
    print_table([run.summary for run in runs])
    print(f"runs:    {sweep.folder}\nbrowse:  make ui")
