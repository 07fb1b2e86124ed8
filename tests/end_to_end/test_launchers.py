"""A sweep whose jobs run in other processes ends as one whose jobs run one after another.

Slurm itself is not here: programs of its names run what submitit gives them.
"""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from tests.slurm import imitate

pytestmark = pytest.mark.xdist_group("launchers")

PROJECT = Path(__file__).parents[2]
DEPTHS = ("method=inverse_covariance", "method.depth=2,junk,4")
LAUNCHERS = ("basic", "cores", "local", "slurm")
ROWS = ["protein", "metric", "range", "value"]


@dataclass(frozen=True)
class Sweep:
    """A finished sweep, and where Slurm's programs were."""

    folder: Path
    code: int
    err: str
    slurm: Path

    def rows(self, job: int) -> pd.DataFrame:
        return pd.read_csv(self.folder / str(job) / "rows.csv")

    def recorded(self) -> dict[str, str]:
        """State in MLflow of the runs that belong to the one of this sweep, and of its own."""
        with sqlite3.connect(self.folder.parent / "mlflow" / "mlflow.db") as store:
            (own,) = store.execute("select run_uuid, status from runs where name = ?", self._name)
            jobs = store.execute(
                "select name, status from runs join tags using (run_uuid) "
                "where key = 'mlflow.parentRunId' and value = ?",
                own[:1],
            )
            return {"sweep": own[1], **dict(jobs)}

    @property
    def _name(self) -> tuple[str]:
        return (self.folder.name,)


def begin(sweep, slurm, launcher, *arguments):
    """A process that runs this sweep."""
    command = [sys.executable, "-m", "harness", "-m", f"hydra/launcher={launcher}"]
    command += [f"outputs={sweep.parent}", f"hydra.sweep.dir={sweep}", "dataset.depth=32"]
    return subprocess.Popen(
        [*command, *arguments],
        cwd=PROJECT,
        env=imitate(slurm) | {"MLFLOW_TRACKING_URI": ""},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )


def finish(process, sweep, slurm):
    _, err = process.communicate()
    return Sweep(sweep, process.returncode, err, slurm)


@pytest.fixture(scope="module")
def sweeps(tmp_path_factory):
    """The same sweep, in which one job fails, by every launcher."""
    place, done = tmp_path_factory.mktemp("sweeps"), {}
    for launcher in LAUNCHERS:
        paths = (place / launcher, place / f"{launcher}_programs")
        process = begin(*paths, launcher, *DEPTHS, "dataset.limit=2", "pictures=false")
        done[launcher] = finish(process, *paths)
    return done


@pytest.mark.parametrize("launcher", LAUNCHERS[1:])
def test_rows_do_not_depend_on_the_launcher(sweeps, launcher):
    for job in (0, 2):
        expected, found = (sweeps[name].rows(job)[ROWS] for name in ("basic", launcher))
        assert len(expected) > 0
        pd.testing.assert_frame_equal(found, expected, check_exact=True)
    assert (sweeps[launcher].folder / "differences.csv").exists()


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_job_that_fails_is_named_and_the_others_go_on(sweeps, launcher):
    sweep = sweeps[launcher]
    assert sweep.code == 1
    assert "1 job failed" in sweep.err
    assert "1: baselines.inverse_covariance.InverseCovariance: depth is junk" in sweep.err
    assert "Traceback" not in sweep.err


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_every_job_belongs_to_the_run_of_its_sweep(sweeps, launcher):
    assert sweeps[launcher].recorded() == {
        "sweep": "FAILED",
        "depth=2 inverse_covariance": "FINISHED",
        "depth=junk inverse_covariance": "FAILED",
        "depth=4 inverse_covariance": "FINISHED",
    }


def test_slurm_gets_an_array_of_jobs_with_one_gpu_each(sweeps):
    lines = (sweeps["slurm"].slurm / "batch.sh").read_text().splitlines()
    asked = dict(
        line.removeprefix("#SBATCH --").partition("=")[::2]
        for line in lines
        if line.startswith("#SBATCH")
    )
    expected = {"array": "0-2%3", "gpus-per-node": "1", "cpus-per-task": "8", "mem": "64GB"}
    expected |= {"time": "1440", "requeue": "", "signal": "USR2@120", "ntasks-per-node": "1"}
    assert asked.items() >= expected.items()
    assert not asked.keys() & {"partition", "account"}  # the cluster's and the user's own
    job = next(n for n, line in enumerate(lines) if line.startswith("srun "))
    assert any("OMP_NUM_THREADS=$SLURM_CPUS_PER_TASK" in line for line in lines[:job])


def told(programs):
    """Slurm's signal ahead of the end of the first job, on which submitit queues it again."""
    os.kill(job_of(programs), signal.SIGUSR2)


def taken(programs):
    """The first job killed after SIGTERM, and queued again, as Slurm itself does it."""
    job = job_of(programs)
    os.kill(job, signal.SIGTERM)
    time.sleep(0.2)
    os.kill(job, signal.SIGKILL)
    subprocess.run([programs / "scontrol", "requeue", "42_0"], check=True)


def job_of(programs):
    return int((programs / "0.pid").read_text())


@pytest.mark.parametrize("interrupt", [told, taken], ids=lambda way: way.__name__)
def test_a_job_that_must_make_room_is_queued_again_and_goes_on(tmp_path, interrupt):
    paths = (tmp_path / "sweep", tmp_path / "programs")
    chosen = ("tracker=none", "dataset.limit=12", "method=separation,random")
    process = begin(*paths, "slurm", *chosen)
    journal = tmp_path / "sweep" / "0" / "proteins.jsonl"
    while process.poll() is None and not (journal.exists() and journal.stat().st_size):
        time.sleep(0.01)
    interrupt(tmp_path / "programs")
    sweep = finish(process, *paths)
    assert (sweep.code, sweep.err) == (0, "")
    assert (sweep.slurm / "scontrol.log").read_text() == "requeue 42_0\n"
    for job in (0, 1):
        assert sweep.rows(job)["protein"].nunique() == 12
        assert not sweep.rows(job).duplicated(["protein", "metric", "range"]).any()
        assert not (sweep.folder / str(job) / "unfinished.txt").exists()
