"""Plans beside what runs took: by a measured matrix product, and by the runs before.

    python -m benchmarks.planning --csv planning.csv           a quarter of an hour on two cores

Each case is a run of the harness in a process of its own, on random sequences; random checkpoints
of the published shapes stand for the published ones. Before it, the same run is planned twice: with
no run known, and with all earlier ones of the benchmark. No two cases are alike, so earlier runs
have other lengths, or another model. Ratios are measured by planned: above 1 it took longer; that
of the method is without what its first protein took longer than the others.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
import torch

from benchmarks.checkpoints import SHAPES, random_checkpoint, random_sequence
from harness.dry_run import plans_of
from harness.models.network import Network
from harness.pace import PACE, Pace, read_pace
from harness.plan import Prediction

METHODS = ("masked_jacobian", "categorical_jacobian", "gradient_jacobian", "attention")
_EMBEDDED = "4x128"


@dataclass(frozen=True)
class Case:
    """A method that reads so many proteins of one length by one model."""

    method: str
    size: str
    length: int
    proteins: int

    def arguments(self, folder: Path) -> list[str]:
        """Of the command that runs it; sequences and checkpoint are written for it."""
        data = folder / f"{self.length}x{self.proteins}"
        for n in range(self.proteins):
            file = data / f"protein{n}" / "sequence.fasta"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f">query\n{random_sequence(self.length)}\n", encoding="ascii")
        chosen = [f"method={self.method}", "dataset=folder", f"dataset.path={data}"]
        fixed = ["tracker=none", "pictures=false", "model.device=cpu"]
        return [*chosen, *fixed, *self._model(folder)]

    def _model(self, folder: Path) -> list[str]:
        if self.size == _EMBEDDED:
            return [f"model=lattice_{self.size}"]
        path = folder / f"{self.size}.pt"
        if not path.exists():
            random_checkpoint(self.size, folder, torch.device("cpu"))
        shape = SHAPES[self.size]
        with torch.device("meta"):
            counted = sum(weights.numel() for weights in Network(shape).parameters())
        size = f"parameters:{counted},layers:{shape.layers},heads:{shape.heads},width:{shape.width}"
        return ["model=esm2_local", f"model.path={path}", f"plan.models.esm2_local={{{size}}}"]


@dataclass(frozen=True)
class Row:
    """A case: what each plan expected, what it took, and the quotients."""

    method: str
    size: str
    length: int
    proteins: int
    measured_s: float
    method_s: float
    product_s: float
    product_ratio: float
    method_ratio: float
    earlier_s: float | None
    earlier_ratio: float | None
    source: str
    measured_mb: float
    planned_mb: float


def main() -> None:
    """Print the table and write it where it was asked for."""
    options = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for case in _cases(options):
            rows.append(_measured(case, Path(folder)))
            print(rows[-1], flush=True)
    table = pd.DataFrame([asdict(row) for row in rows])
    print(table.round(3).to_string(index=False))
    if options.csv:
        table.to_csv(options.csv, index=False)


def _cases(options: argparse.Namespace) -> Iterator[Case]:
    """By growing length, so that what is planned by earlier runs is longer than they were."""
    for method in options.methods:
        for size in options.sizes:
            for length in options.lengths:
                yield Case(method, size, length, options.proteins)


def _measured(case: Case, folder: Path) -> Row:
    """The case, planned and run."""
    arguments = case.arguments(folder)
    unknown = _planned([*arguments, f"outputs={folder / 'none'}"])
    kept = [*arguments, f"outputs={folder / 'outputs'}"]
    earlier = _planned(kept)
    pace = _run(kept, folder)
    known = "earlier" in earlier.rate and earlier.seconds is not None
    expected = unknown.seconds or float("nan")
    return Row(
        **asdict(case),
        measured_s=pace.elapsed,
        method_s=pace.start + pace.seconds,
        product_s=expected,
        product_ratio=pace.elapsed / expected,
        method_ratio=pace.seconds / expected,
        earlier_s=earlier.seconds if known else None,
        earlier_ratio=pace.elapsed / earlier.seconds if known and earlier.seconds else None,
        source=f"{unknown.rate}; {earlier.rate}" if known else unknown.rate,
        measured_mb=pace.memory_bytes / 1e6,
        planned_mb=earlier.memory_bytes / 1e6,
    )


def _planned(arguments: list[str]) -> Prediction:
    """What is expected of the one job of these arguments."""
    plans, failures = plans_of("config", arguments)
    if failures:
        raise SystemExit(failures[0])
    return plans[0]


def _run(arguments: list[str], folder: Path) -> Pace:
    """How fast the run of these arguments was."""
    number = len(list(folder.glob("run*")))
    place = [f"hydra.run.dir={folder / f'run{number}'}"]
    subprocess.run(
        [sys.executable, "-m", "harness", *arguments, *place], check=True, stdout=subprocess.DEVNULL
    )
    return read_pace(folder / "outputs" / PACE)[-1]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    parser.add_argument("--sizes", nargs="+", default=[_EMBEDDED, "8M"])
    parser.add_argument("--lengths", nargs="+", type=int, default=[27, 64, 128])
    parser.add_argument("--proteins", type=int, default=2)
    parser.add_argument("--csv", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
