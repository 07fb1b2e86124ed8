"""Contact recovery of flanked segments: the harness against the published procedure.

    python -m benchmarks.recovery                               random proteins
    python -m benchmarks.recovery --data PAPER --targets 12     a draw of the published targets

PAPER is a folder with full_seq_dict.json and reproduce_single_recovery_w_bos_eos.json. Both sides
take every step of every target, target by target in turn, on one random checkpoint; a protein's
unmasked map is part of the first. Seconds are wall time on the given number of threads.
"""

import argparse
import json
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.checkpoints import SHAPES, random_checkpoint, random_sequence
from benchmarks.clock import Clock
from benchmarks.published_recovery import PublishedRecovery, flank_sequences
from harness.blocks import Block, Segment, blocks_of
from harness.contact_regression import ContactRegression, regression_path, write_regression
from harness.masking import Flank
from harness.methods.contact_head import ContactHead
from harness.models.esm2 import ESM2
from harness.protein import Protein
from harness.recovery import recovery

SIZE = 22
LENGTHS = (214, 311, 501)
"""A twentieth, half and nineteen twentieths of the published proteins are no longer."""


@dataclass(frozen=True)
class Task:
    """One target: a sequence and where its segment starts."""

    sequence: str
    start: int

    @property
    def steps(self) -> int:
        """How many the published procedure takes."""
        return min(self.start, len(self.sequence) - self.start - SIZE + 1)


def main() -> None:
    """Print a line for each target, and the ratio of the sums."""
    options = arguments()
    torch.set_num_threads(options.threads)
    clock = Clock(torch.device("cpu"), options.threads)
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = with_head(random_checkpoint(options.size, Path(folder), clock.device))
        theirs = PublishedRecovery(checkpoint, ends_masked=False)
        model = ESM2(checkpoint, "cpu", "float32", None, None, compile=False, ends="kept")
    ours = ContactHead(model, diagonal=True)
    print(f"torch {torch.__version__}, {options.size} shape, {options.threads} threads")
    print("residues steps  published s  ours s  ratio  largest difference")
    totals = np.zeros(2)
    for task in [Task(random_sequence(40), 9), *tasks(options)]:
        expected, a = clock(partial(published, theirs, task))
        found, b = clock(partial(harness, ours, task))
        if len(task.sequence) > 40:  # the first one warms up
            totals += a.wall, b.wall
            print(line(task, (a.wall, b.wall), expected, found), flush=True)
    published_s, ours_s = totals
    print(f"all: published {published_s:.1f} s, ours {ours_s:.1f} s, {published_s / ours_s:.2f} ×")


def line(
    task: Task, seconds: tuple[float, float], expected: list[float], found: list[float]
) -> str:
    """What was measured of one target."""
    worst = np.abs(np.subtract(expected, found)).max()
    ratio = seconds[0] / seconds[1]
    cells = f"{len(task.sequence):8d} {task.steps:5d} {seconds[0]:12.2f} {seconds[1]:7.2f}"
    return f"{cells} {ratio:6.2f}  {worst:.1e}"


def published(side: PublishedRecovery, task: Task) -> list[float]:
    """The curve by the published procedure."""
    spans = [(task.start, task.start + SIZE)]
    shown = list(flank_sequences(task.sequence, spans))
    return side.curve(side.contacts(task.sequence), shown, spans)


def harness(side: ContactHead, task: Task) -> list[float]:
    """The same steps by the harness."""
    protein, segment = Protein("p", task.sequence), Segment(task.start, task.start + SIZE)
    block = Block(segment, segment)
    steps = list(Flank("both", "outward", 0).steps(protein, block))[: task.steps]
    shown = [protein.masked(step.visible) for step in steps]
    original = block.of(side(protein))
    return [recovery(original, scores) for scores in blocks_of(side, shown, block)]


def tasks(options: argparse.Namespace) -> list[Task]:
    """The targets."""
    generator = np.random.default_rng(0)
    if options.data is None:
        return [Task(random_sequence(n), n // 2 - SIZE) for n in options.lengths]
    sequences, starts = (
        json.loads((options.data / name).read_text(encoding="utf-8"))
        for name in ("full_seq_dict.json", "reproduce_single_recovery_w_bos_eos.json")
    )
    every = [Task(sequences[name], start) for name, own in starts.items() for start in own]
    return [every[i] for i in generator.permutation(len(every))[: options.targets]]


def with_head(checkpoint: Path) -> Path:
    """The checkpoint, now with a random contact regression beside it."""
    shape = SHAPES[checkpoint.stem]
    weight = torch.randn(shape.layers * shape.heads, generator=torch.Generator().manual_seed(1))
    write_regression(ContactRegression(weight, torch.tensor(-1.0)), regression_path(checkpoint), {})
    return checkpoint


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--size", choices=SHAPES, default="8M")
    add("--threads", type=int, default=2)
    add("--data", type=Path, help="folder of the published lists")
    add("--targets", type=int, default=12, help="how many of them")
    add("--lengths", type=int, nargs="+", default=LENGTHS, help="without --data")
    return parser.parse_args()


if __name__ == "__main__":
    main()
