"""SIGKILL at random moments over a sweep, each time resumed: what is lost, what is there twice."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow import MlflowClient

from benchmarks.sweeps import Sweep, kill
from benchmarks.tracked import content, runs_of
from harness.journal import read_journal
from harness.report_page import REPORT
from harness.results import read_rows

PROTEINS = 8
WORK = (
    *("method=inverse_covariance,mutual_information,categorical_jacobian,contact_head",),
    *("model=lattice_2x32", "save_scores=true", "pictures=true", f"dataset.limit={PROTEINS}"),
    *("dataset.depth=32", "statistics.resamples=200"),
)
TIMED = ("proteins.jsonl", "summary.json", "comparison.csv", "report.html", "plan.json", "plan.csv")
"""Files that hold seconds or memory; so do pictures of cost (`pareto`), and times of day (.log)."""


@dataclass(frozen=True)
class Survived:
    """What kills have done to sweeps: nothing, if all but the first three are zero or empty."""

    kills: int
    sweeps: int
    during_work: int
    """Kills by which a protein had been measured since the last one."""
    lost: int
    twice: int
    different: list[str]
    runs: int
    """In MLflow, less those of the undisturbed sweep; and those that differ."""
    runs_differ: list[str]


def killed_sweeps(folder: Path, kills: int, seed: int) -> Survived:
    """Sweeps killed so many times in all, one after the other, beside one left alone."""
    chance, alone, killed = random.Random(seed), _sweep(folder, "alone"), []
    _sweep(folder, "first").finish()  # makes the alignments
    begin = time.monotonic()
    alone.fork().join()
    longest, during, done = (time.monotonic() - begin) / 4, 0, 0
    while done < kills:
        killed.append(_sweep(folder, f"killed{len(killed)}"))
        while done < kills and not (killed[-1].folder / REPORT).exists():
            before, process = killed[-1].measured, killed[-1].fork()
            process.join(chance.uniform(0.1, longest))
            done += kill(process)
            during += killed[-1].measured > before
        killed[-1].finish()
    rows = [counted for sweep in killed for counted in _counts(sweep.folder)]
    expected, tracked = _tracked(alone), [_tracked(sweep) for sweep in killed]
    return Survived(
        done,
        len(killed),
        during,
        lost=sum(PROTEINS - len(set(found)) for found, _ in rows),
        twice=sum(len(found) - len(set(found)) + repeated for found, repeated in rows),
        different=[name for sweep in killed for name in _different(alone.folder, sweep.folder)],
        runs=sum(len(own) - len(expected) for own in tracked),
        runs_differ=[n for own in tracked for n in expected if expected[n] != own.get(n)],
    )


def _sweep(folder: Path, name: str) -> Sweep:
    """A sweep with a store of its own."""
    (folder / f"{name}_store").mkdir(parents=True)
    return Sweep(folder / name, WORK, f"sqlite:///{folder}/{name}_store/mlflow.db", folder)


def _tracked(sweep: Sweep) -> dict[str, tuple[Any, ...]]:
    """What MLflow has of its runs, by name."""
    client = MlflowClient(sweep.uri)
    runs = runs_of(client, "contacts")
    runs["sweep"] = runs.pop(sweep.folder.name)  # its own run bears its name
    return {name: content(client, run) for name, run in runs.items()}


def _counts(sweep: Path) -> Iterator[tuple[list[str], int]]:
    """Of each job the proteins that are finished, and how many rows are there twice."""
    for job in sorted(path.parent for path in sweep.glob("*/rows.csv")):
        rows = read_rows(job)
        repeated = int(rows.duplicated(["protein", "metric", "range"]).sum())
        found = [name for name in read_journal(job) if name in set(rows["protein"])]
        yield found, repeated


def _different(first: Path, second: Path) -> Iterator[str]:
    """Files that are not the same in both, byte for byte; those that hold measured times aside."""
    names = {path.relative_to(folder) for folder in (first, second) for path in folder.rglob("*")}
    for name in sorted(names):
        own, other = first / name, second / name
        if own.is_dir() or name.name.startswith((".", "pareto")) or name.name in TIMED:
            continue
        if name.suffix == ".log" or name.name == "multirun.yaml":  # which holds the folder's name
            continue
        if not (own.exists() and other.exists() and own.read_bytes() == other.read_bytes()):
            yield str(name)
