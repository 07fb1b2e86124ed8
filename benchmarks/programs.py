"""Running a program under a clock."""

import os
import pty
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Timer

import psutil

LAST_LINES = 3


class ProgramError(Exception):
    """A program failed or took too long; the message says which, with its last lines."""


@dataclass(frozen=True)
class Program:
    """A command in a folder, and the lines at which its clock starts and stops.

    `begins` and `ends` are parts of lines that it prints: what comes before (an interpreter that
    starts, imports) and after (parameters written as text) is no part of a fit. Where one is empty
    the clock runs from the start, or to the end.
    """

    command: tuple[str, ...]
    folder: Path
    begins: str = ""
    ends: str = ""


@dataclass(frozen=True)
class Finished:
    """What a program took, threads and children together, and what it printed."""

    wall: float
    cpu: float
    before: int
    """Bytes resident when the clock started."""
    peak: int
    """Bytes resident at most until the clock stopped."""
    output: str


@dataclass(frozen=True)
class _Look:
    """At the clocks and the memory of a process."""

    wall: float
    cpu: float
    resident: int
    peak: int


def run(program: Program, threads: int, limit: float) -> Finished:
    """What the program took; it is ended after `limit` seconds.

    It writes to a pseudoterminal: its lines then come as they are printed, not by the block.
    """
    leader, follower = pty.openpty()
    try:
        process = _start(program, threads, follower)
    except OSError as error:
        os.close(leader)
        raise ProgramError(f"{program.command[0]} did not start: {error}") from error
    finally:
        os.close(follower)
    expired = Event()
    timer = Timer(limit, _expire, (process.pid, expired))
    timer.start()
    try:
        return _follow(program, process, leader, expired)
    finally:
        timer.cancel()
        _end(process)


def _expire(group: int, expired: Event) -> None:
    expired.set()
    with suppress(ProcessLookupError):  # it has just ended by itself
        os.killpg(group, signal.SIGKILL)


def _start(program: Program, threads: int, output: int) -> subprocess.Popen:
    """The process, in a session of its own, so that its children end with it."""
    return subprocess.Popen(
        program.command,
        cwd=program.folder,
        env=_environment(threads),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )


def _follow(program: Program, process: subprocess.Popen, leader: int, expired: Event) -> Finished:
    """Read what it prints and look at the clocks where that says so."""
    start = time.perf_counter()
    first, last = _Look(start, 0.0, 0, 0), None
    lines = []
    for line in _lines(leader):
        lines.append(line)
        if program.begins and program.begins in line:
            first = _look(process.pid)
        if program.ends and program.ends in line:
            last = _look(process.pid)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    ended = time.perf_counter()
    _check(program, process.returncode, lines, expired.is_set())
    # without a line that ends it, the most memory includes what this process held at the fork
    last = last or _Look(ended, used.ru_utime + used.ru_stime, 0, 1024 * used.ru_maxrss)
    spent = last.wall - first.wall, last.cpu - first.cpu
    return Finished(*spent, first.resident, last.peak, "\n".join(lines))


def _lines(leader: int) -> Iterator[str]:
    """What is printed; on Linux the end of a pseudoterminal is an error when read."""
    with os.fdopen(leader, errors="replace") as printed, suppress(OSError):
        for line in printed:
            yield line.rstrip()


def _look(pid: int) -> _Look:
    """Where a process is now. The most memory since its start is told by Linux alone."""
    wall, process = time.perf_counter(), psutil.Process(pid)
    times, resident = process.cpu_times(), process.memory_info().rss
    status = Path(f"/proc/{pid}/status")
    told = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return _Look(wall, times.user + times.system, resident, 1024 * int(told[1]) if told else 0)


def _end(process: subprocess.Popen) -> None:
    """Kill what is still running, after an interruption from outside."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _check(program: Program, status: int, lines: list[str], expired: bool) -> None:
    last = " | ".join(line for line in lines[-LAST_LINES:] if line)
    name = Path(program.command[0]).name
    if expired:
        raise ProgramError(f"{name} was ended after the time limit; last: {last}")
    if status:
        raise ProgramError(f"{name} ended with status {status}: {last}")


def _environment(threads: int) -> dict[str, str]:
    libraries = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return os.environ | dict.fromkeys(libraries, str(threads))
