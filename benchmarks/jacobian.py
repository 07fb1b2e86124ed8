"""The categorical Jacobian of a random protein: the harness, the published procedure, transformers.

    python -m benchmarks.jacobian --sizes 8M 35M --lengths 24 64 128

All sides run in turn on the same checkpoint; docs/results/speed.md explains the columns.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import torch

from benchmarks.checkpoints import SHAPES, random_checkpoint, random_sequence
from benchmarks.clock import Clock, MatrixProduct
from benchmarks.rows import Row, header, line, rows_of
from benchmarks.sides import SIDES, Implementation, Machine, Side
from benchmarks.trials import Plan, Trial, run


def main() -> None:
    """Print a line for each side of each case, as they are done."""
    options = arguments()
    torch.set_num_threads(options.threads)
    plan = Plan(options.seconds, options.positions, options.whole, options.repetitions)
    machine = Machine(torch.device(options.device), options.tokens_per_batch)
    clock = Clock(machine.device, torch.get_num_threads())
    print(f"torch {torch.__version__}, {options.device}, {clock.threads} CPU threads")
    print(header())
    rows = []
    for row in measure(options, plan, machine, clock):
        print(line(row), flush=True)
        rows.append(row)
    if options.csv:
        pd.DataFrame([asdict(row) for row in rows]).to_csv(options.csv, index=False)


def measure(
    options: argparse.Namespace, plan: Plan, machine: Machine, clock: Clock
) -> Iterator[Row]:
    """The rows of all cases."""
    sides = [SIDES[name] for name in options.sides]
    peaks = {side.dtype: MatrixProduct(clock, side.dtype) for side in sides}
    for size in options.sizes:
        built = build(size, sides, machine)
        for length in options.lengths:
            print(f"{size}, {length} residues …", file=sys.stderr, flush=True)
            sequence = random_sequence(length)
            trials = [Trial(side, made, sequence, clock) for side, made in built]
            run(trials, plan, peaks)
            yield from rows_of(size, trials)


def build(size: str, sides: list[Side], machine: Machine) -> list[tuple[Side, Implementation]]:
    """Every side with the same random weights."""
    print(f"{size}: random weights …", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = random_checkpoint(size, Path(folder), machine.device)
        return [(side, side.build(checkpoint, machine)) for side in sides]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--sizes", nargs="+", choices=SHAPES, default=["8M", "35M"])
    add("--lengths", nargs="+", type=int, default=[24, 64, 128], help="residues")
    add("--sides", nargs="+", choices=SIDES, default=["ours", "published", "transformers"])
    add("--device", default="cpu", help="cpu or cuda")
    add("--threads", type=int, default=1, help="threads on the CPU")
    add("--tokens-per-batch", type=int, help="default: the choice of the harness")
    add("--seconds", type=float, default=6, help="of a sample; longer proteins are scaled up")
    add("--positions", type=int, help="of a sample, instead of --seconds")
    add("--whole", type=int, default=24, help="lengths up to this run whole, maps are compared")
    add("--repetitions", type=int, default=3)
    add("--csv", type=Path, help="write all figures there")
    return parser.parse_args()


if __name__ == "__main__":
    main()
