"""Whether four processes of joblib use the cores: python -m benchmarks.joblib_efficiency.

One sweep of sixteen small jobs, tracked in SQLite, by one process and by four, from the start of
the program to its end: imports, jobs, comparison. Each process computes in one thread, and a first
run that is not timed makes the alignments for both. Efficiency is (seconds of one) / (seconds of
four) / cores, of which there are at most four. On a machine that others use it says little:
`others` are CPU seconds that belong to neither side.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

WORKERS = 4
VARIANTS = {
    "method.center": "all,amino_acids",
    "method.symmetrize": "couplings,scores",
    "method.apc": "true,false",
    "method.storage": "float32,float16",
}


@dataclass(frozen=True)
class Spent:
    """Seconds of a command: on the clock, on the cores, and what others took of the cores."""

    wall: float
    cpu: float
    others: float


def main() -> None:
    """Print what each side took, and the efficiency of each round."""
    given = arguments()
    cores = min(WORKERS, len(os.sched_getaffinity(0)))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        spent(["method=separation"], place, given)  # makes the alignments and the store
        print(f"{'':12} {'wall s':>8} {'CPU s':>8} {'others':>8}")
        for number in range(given.rounds):
            one, four = (timed(n, place / f"{number}_{n}", given) for n in (1, WORKERS))
            print(
                f"efficiency   {one.wall / four.wall / cores:8.2f}   of {cores} cores; CPU seconds "
                f"{four.cpu / one.cpu:.2f} of those of one process",
                flush=True,
            )


def timed(workers: int, folder: Path, given: argparse.Namespace) -> Spent:
    """What the sweep takes by so many processes; printed, too."""
    swept = [f"{key}={values}" for key, values in VARIANTS.items()]
    launcher = ["hydra/launcher=cores", f"hydra.launcher.n_jobs={workers}"]
    line = ["-m", *launcher, f"hydra.sweep.dir={folder}", *swept]
    found = spent(line, folder.parent, given)
    name = f"{workers} process{'es' if workers > 1 else ''}"
    print(f"{name:12} {found.wall:8.1f} {found.cpu:8.1f} {found.others:8.1f}", flush=True)
    return found


def spent(line: list[str], place: Path, given: argparse.Namespace) -> Spent:
    """What `python -m harness` takes with these arguments; everything is written to `place`."""
    own = [f"outputs={place}", f"model={given.model}", f"dataset.limit={given.proteins}"]
    command = [sys.executable, "-m", "harness", *line, *own, "pictures=false", "quiet=true"]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    environment = {**os.environ, **threads, "MLFLOW_TRACKING_URI": ""}

    def run() -> None:
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)

    return measured(run)


def measured(run: Callable[[], None]) -> Spent:
    """What a function takes that leaves all its work to children."""
    wall, own, all_of_it = time.perf_counter(), children(), busy()
    run()
    wall, own = time.perf_counter() - wall, children() - own
    return Spent(wall, own, busy() - all_of_it - own)


def children() -> float:
    """CPU seconds of all children so far, and of their children."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def busy() -> float:
    """CPU seconds of this machine so far, of whichever process."""
    times = psutil.cpu_times()
    return times.user + times.nice + times.system + getattr(times, "steal", 0.0)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--proteins", type=int, default=32, help="of each job")
    parser.add_argument("--model", default="lattice_4x128")
    return parser.parse_args()


if __name__ == "__main__":
    main()
