"""Coevolution models side by side: ours, and every other program on the PATH, on one problem.

    python -m benchmarks.coevolution FOLDER_OR_FILE… --threads 1 2 --csv outputs/peers.csv
    python -m benchmarks.coevolution --large

`benchmarks/peers.py` says how the programs come to the same objective, and where they differ. A
side's clock runs from reading the alignment to the end of the fit (ours: to the map); what writes
parameters as text comes after it. `--large` runs ours alone, on made-up families, for its memory.
All sides get the environment of this command: where cores are shared, OMP_WAIT_POLICY=PASSIVE keeps
threads that wait from taking the core that others need.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import torch

from benchmarks.contenders import OURS, PEERS, SIDES, fit, gremlin, missing
from benchmarks.contests import Row, header, line, medians, rows_of
from benchmarks.families import Case, random_case, read_case
from benchmarks.peers import Side

LARGE = ("400x1200", "120x26000", "1000x5000")
HOUR = 3600.0


def main() -> None:
    """Print a line for each side of each alignment, as alignments are done."""
    options = arguments()
    torch.set_num_threads(1)  # of the referee, whose time does not count
    cases, sides = chosen(options)
    load = os.getloadavg()[0]
    print(f"torch {torch.__version__}, {os.cpu_count()} CPUs, load {load:.1f} before the run")
    print(header(), flush=True)
    rows: list[Row] = []
    for found in measure(cases, sides, options):
        print("\n".join(line(row) for row in found), flush=True)
        rows += found
        if options.csv:
            pd.DataFrame([asdict(row) for row in rows]).to_csv(options.csv, index=False)
    print(f"\nmedians\n{medians(rows)}")


def chosen(options: argparse.Namespace) -> tuple[Iterator[Case], list[Side]]:
    """The alignments, one at a time, and the sides that can run; the others are named."""
    if options.large is not None:
        sizes = [[int(n) for n in size.split("x")] for size in options.large or LARGE]
        changes = {"device": options.device}
        if options.iterations is not None:
            changes["max_iterations"] = options.iterations
        return (random_case(*size) for size in sizes), [gremlin("gremlin", keep=False, **changes)]
    sides = []
    for side in [SIDES[name] for name in (*options.ours, *options.peers)]:
        why = missing(side)
        if why:
            print(why, flush=True)
        else:
            sides.append(side)
    return (read_case(path, options.rows) for path in options.alignments), sides


def measure(
    cases: Iterator[Case], sides: list[Side], options: argparse.Namespace
) -> Iterator[list[Row]]:
    """The rows of one alignment and number of threads after the other."""
    for case in cases:
        for threads in options.threads:
            fits = []
            for side in sides:
                at = f"{case.name}, threads={threads}, {side.name}"
                print(f"{at} …", file=sys.stderr, flush=True)
                fits.append(fit(side, case, threads, options.limit))
                what = fits[-1].finished
                told = f"{what.wall:.1f} s" if what else fits[-1].note
                print(f"{at}: {told}", file=sys.stderr, flush=True)
            yield rows_of(case, threads, fits)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("alignments", nargs="*", type=Path, help="files, or folders that hold msa.a3m.gz")
    add("--rows", type=int, help="so many rows of each alignment, drawn at random; default all")
    add("--threads", nargs="+", type=int, default=[1])
    ours = ["gremlin", "gremlin_tight", "inverse_covariance"]
    add("--ours", nargs="+", choices=OURS, default=ours, help="ratios are to the first")
    add("--peers", nargs="*", choices=PEERS, default=list(PEERS))
    add("--limit", type=float, default=HOUR, help="seconds after which a side is ended")
    add("--large", nargs="*", metavar="COLUMNSxROWS", help=f"default {' '.join(LARGE)}")
    add("--iterations", type=int, help="of --large at most; memory needs few")
    add("--device", default="cpu", help="of --large")
    add("--csv", type=Path, help="write all figures there")
    options = parser.parse_args()
    if not options.alignments and options.large is None:
        parser.error("give alignments, or --large")
    return options


if __name__ == "__main__":
    main()
