"""Around the jobs of a sweep: the run that holds them together, and the comparison at the end."""

import json
import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from harness.capacity import write_capacity
from harness.claims import check_writable
from harness.comparison import ComparedRuns, finished_runs, write_comparison
from harness.configuration import SWEPT_KEYS, build, exit_on_user_error, swept_keys
from harness.errors import HarnessError, InputError, PreemptedError
from harness.merge import merge_complete
from harness.plan_files import PLAN, planned_line, write_plans
from harness.preemption import stop_asked
from harness.protocols import TrackedRun, Tracker
from harness.record import shown_metrics
from harness.report_page import MAPS_MB, REPORT, write_report
from harness.scaling import write_scaling
from harness.shards import SHARD
from harness.statistics import Bootstrap
from harness.terminal import print_table

_FAILURES = ".failures"

log = logging.getLogger("harness")


@dataclass(frozen=True)
class _Sweep:
    folder: Path
    tracker: Tracker
    tracked: TrackedRun
    bootstrap: Bootstrap
    quiet: bool
    closing: ExitStack


_current: list[_Sweep] = []


class SweepCallback(Callback):
    """Hydra's hooks before the first job: the folder must be writable, the tracker ready."""

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        """Check the folder of a single run."""
        with exit_on_user_error():
            check_writable(Path(config.hydra.run.dir))

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Open the sweep's own run, and tell the jobs what varies."""
        folder = Path(config.hydra.sweep.dir)
        placed = any("hydra.sweep.dir=" in given for given in config.hydra.overrides.hydra)
        experiment = None if placed else config.hydra.runtime.choices.get("experiment")
        name = experiment or folder.name
        closing = ExitStack()
        varied = swept_keys(config)
        with exit_on_user_error():
            _check_subfolders(config, varied)
            check_writable(folder)
            shutil.rmtree(folder / _FAILURES, ignore_errors=True)
            bootstrap, tracker = build(config.statistics), build(config.tracker)
            tracked = closing.enter_context(tracker.run(name, folder, parent=None))
            tracked.record({}, {}, {"label": name, "varied": ", ".join(varied)})
        if config.hydra.runtime.choices.get("hydra/launcher", "basic") != "basic":
            os.environ["TTY_INTERACTIVE"] = "0"  # bars of jobs side by side would overwrite others
        os.environ[SWEPT_KEYS] = json.dumps(varied)
        _current.append(_Sweep(folder, tracker, tracked, bootstrap, config.quiet, closing))


@contextmanager
def noting_failure(sweep: Path, number: int, name: str) -> Iterator[None]:
    """Let the sweep go on when the job inside fails, and leave a note for its end.

    A note is a file because a launcher may run the jobs in other processes.
    """
    try:
        yield
    except HarnessError as error:
        log.error("%s", error)
        _note(sweep, number, f"{name}: {error}")
    except Exception as error:  # the traceback goes to the terminal and to the job's own log
        log.exception("unexpected error")
        _note(sweep, number, f"{name}: {type(error).__name__}: {error}")


@contextmanager
def concluded() -> Iterator[None]:
    """Conclude the sweep that begins inside, if one does: comparison, end of its own run.

    Raises HarnessError when a job failed.
    """
    try:
        yield
    except BaseException:  # Hydra refuses a job before the first one starts, or Ctrl-C
        with _current.pop().closing if _current else nullcontext():
            raise
    if _current:
        sweep = _current.pop()
        with sweep.closing:
            merged, incomplete = merge_complete(sweep.folder, sweep.tracker)
            _compare(sweep, merged)
            _raise_failures(sweep.folder, incomplete)


def _check_subfolders(config: DictConfig, varied: Sequence[str]) -> None:
    """Nothing; raises InputError when the shards of a run would share a folder."""
    template = str(OmegaConf.to_container(config.hydra.sweep, resolve=False))
    told_apart = any(part in template for part in ("job.num", "job.id", "override_dirname", SHARD))
    if SHARD in varied and not told_apart:
        raise InputError(
            "the shards of a run would share a folder, as this experiment names its folders; add "
            "'hydra.sweep.subdir=${hydra:job.num}'"
        )


def _note(sweep: Path, number: int, text: str) -> None:
    note = sweep / _FAILURES / f"{number:06}.txt"
    note.parent.mkdir(exist_ok=True)
    note.write_text(text.partition("\n")[0], encoding="utf-8")


def _raise_failures(folder: Path, incomplete: Sequence[str]) -> None:
    """Nothing; raises HarnessError when a job failed. `incomplete` says what was not merged."""
    notes = [path.read_text(encoding="utf-8") for path in sorted(folder.glob(f"{_FAILURES}/*"))]
    if notes:
        jobs = "1 job" if len(notes) == 1 else f"{len(notes)} jobs"
        listed = "".join(f"\n  {note}" for note in [*notes, *incomplete])
        kind = PreemptedError if stop_asked() else HarnessError
        raise kind(
            f"{jobs} failed; the same command with hydra.sweep.dir={folder} computes only what is "
            f"missing{listed}"
        )
    for text in incomplete:  # the others may be in another sweep
        log.warning("%s", text)


def _compare(sweep: _Sweep, merged: Sequence[Path]) -> None:
    runs = finished_runs(sweep.folder)
    if not runs:
        return
    compared = ComparedRuns(runs, sweep.bootstrap)
    files = write_comparison(sweep.folder, compared)
    files += write_scaling(sweep.folder, runs, sweep.bootstrap)
    files += write_capacity(sweep.folder, runs, sweep.bootstrap)
    jobs = [path.parent for path in sorted(sweep.folder.glob(f"*/{PLAN}"))]  # shards have their own
    files += write_plans(sweep.folder, jobs)
    page = sweep.folder / REPORT
    files.append(write_report(page, sweep.folder.name, compared, MAPS_MB))
    sweep.tracked.files(files, "")
    if len(runs) == 1 and runs[0].folder in merged:
        sweep.tracked.record({}, shown_metrics(runs[0].summary), {})
    if sweep.quiet:
        print(sweep.folder)
        return
    print_table([run.summary for run in runs])
    if line := planned_line(jobs):
        print(line)
    print(f"runs:    {sweep.folder}\nreport:  {page}\nbrowse:  make ui")
