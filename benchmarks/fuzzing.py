"""Damaged files of every format that is read: accepted, or refused by an error of ours.

    python -m benchmarks.fuzzing --inputs 100000 [--seed N] [--format a3m]

Anything else ends the program with the input: another exception, more than `SECONDS` for one input,
more than `ROOM` of address space beside what was there before, the death of the process.
"""

import argparse
import multiprocessing
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

from benchmarks.hostile import FORMATS, Format
from harness.errors import HarnessError

SECONDS = 5.0
"""Longest time for one input (s)."""

ROOM = 1 << 32
"""Most address space that reading may add (bytes)."""


class TooSlow(BaseException):
    """Raised in the middle of an input; no reader catches it."""


@dataclass
class Tally:
    """What became of the inputs of one format; `slowest` in s, `memory` is the peak's growth."""

    inputs: int = 0
    accepted: int = 0
    refused: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    memory: int = 0
    crash: str = ""
    messages: set[str] = field(default_factory=set)


def inputs_of(form: Format, folder: Path, seed: int, n: int) -> Iterator[tuple[Path, bytes]]:
    """The file to read and its content, n times; input i depends on seed and i alone."""
    seeds = form.seeds(folder)
    path = folder / form.file
    for content in seeds:  # they are valid, and libraries load what they need
        path.write_bytes(content)
        form.read(path)
    for number in range(n):
        yield path, form.damage(seeds, Random(f"{seed} {number}"))


def judge(form: Format, path: Path, content: bytes) -> bool:
    """Whether the reader took the content; any error that is not ours goes through."""
    path.write_bytes(content)
    try:
        with limited(SECONDS):
            form.read(path)
    except HarnessError:
        return False
    return True


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """TooSlow after so many seconds."""

    def stop(*_: object) -> None:
        raise TooSlow(f"more than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def fuzz(name: str, seed: int, n: int) -> Tally:
    """The tally of a format, its inputs read in a process of their own."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    current = context.Value("q", 0)
    child = context.Process(target=_fuzz, args=(name, seed, n, current, theirs))
    child.start()
    theirs.close()
    try:
        tally: Tally = ours.recv()
    except EOFError:  # it died
        child.join()
        tally = Tally(inputs=current.value, crash=f"input {current.value}: exit {child.exitcode}")
    child.join()
    return tally


def _fuzz(name: str, seed: int, n: int, current: "ctypes.c_longlong", out: Connection) -> None:
    form, tally = FORMATS[name], Tally()
    with tempfile.TemporaryDirectory() as place:
        inputs = inputs_of(form, Path(place), seed, n)
        first = None
        for number, (path, content) in enumerate(inputs):
            if first is None:
                first = _peak()
                _limit_memory()
            current.value, start = number, time.perf_counter()
            try:
                taken = judge(form, path, content)
            except BaseException:  # that is what is looked for
                tally.crash = f"input {number}: {content!r}\n{traceback.format_exc()}"
                break
            spent = time.perf_counter() - start
            tally.inputs, tally.seconds = number + 1, tally.seconds + spent
            tally.accepted, tally.refused = tally.accepted + taken, tally.refused + (not taken)
            tally.slowest = max(tally.slowest, spent)
        tally.memory = _peak() - (first or 0)
    out.send(tally)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0])
    most = pages * resource.getpagesize() + ROOM
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def main() -> None:
    """Print a line for each format; exit with 1 at the first crash of any."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=18_000, help="in all, shared by the formats")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--format", choices=FORMATS, action="append")
    given = parser.parse_args()
    names, crashed = given.format or list(FORMATS), False
    print(f"{'format':<12} {'inputs':>7} {'accepted':>8} {'refused':>8} {'s':>6} slowest ms  MiB")
    for name in names:
        tally = fuzz(name, given.seed, -(-given.inputs // len(names)))
        print(
            f"{name:<12} {tally.inputs:>7} {tally.accepted:>8} {tally.refused:>8} "
            f"{tally.seconds:>6.1f} {1000 * tally.slowest:>10.1f} {tally.memory / 2**20:>4.0f}",
            flush=True,
        )
        if tally.crash:
            crashed = True
            print(f"{name}, --seed {given.seed}, {tally.crash}", file=sys.stderr)
    sys.exit(crashed)


if __name__ == "__main__":
    main()
