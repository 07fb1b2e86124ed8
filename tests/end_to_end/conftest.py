"""The command line, run in this process (quick) or in one of its own (where that matters)."""

import io
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest

PROJECT = Path(__file__).parent.parent.parent
SMALL = ("tracker=none", "pictures=false", "method=random", "dataset.limit=2", "dataset.depth=16")


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def command_line(tmp_path, in_process) -> Callable[..., Outcome]:
    """A function that runs `python -m harness` with these arguments in this process.

    Everything is written below tmp_path, untracked small runs are the default, and annotations are
    not checked: a user sees what the code itself makes of a wrong value.
    """
    from harness.__main__ import main  # here, because pytest's filters of warnings now hold

    def run(*arguments: str) -> Outcome:
        before = [item for item in arguments if item.startswith("-")]
        overrides = [item for item in arguments if not item.startswith("-")]
        line = [*before, f"outputs={tmp_path / 'outputs'}", *_defaults(overrides), *overrides]
        return in_process(main, line)

    return run


@pytest.fixture
def in_process(unchecked) -> Callable[[Callable[[], None], list[str]], Outcome]:
    """A function that runs a program's main function with these arguments in this process."""

    def run(main: Callable[[], None], line: list[str]) -> Outcome:
        out, err, code = io.StringIO(), io.StringIO(), 0
        with redirect_stdout(out), redirect_stderr(err), _isolated(line):
            try:
                main()
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 1 if end.code else 0
                err.write("" if isinstance(end.code, int | None) else f"{end.code}\n")
        return Outcome(code, out.getvalue(), err.getvalue())

    return run


@pytest.fixture
def merge(in_process, tmp_path):
    """A function that runs python -m harness.merge with these arguments."""
    from harness.merge import main

    return lambda *given: in_process(
        main, [f"outputs={tmp_path}/outputs", "tracker=none", *map(str, given)]
    )


@pytest.fixture
def run(command_line, tmp_path):
    """A function that makes the folder of that name by a run with these arguments."""

    def make(name, *arguments):
        outcome = command_line(*arguments, f"hydra.run.dir={tmp_path / name}")
        assert outcome.code == 0, outcome.err
        return tmp_path / name

    return make


@pytest.fixture
def regress(tmp_path):
    """A function that runs the gate in a process of its own, in tmp_path."""

    def run(*arguments, **environment):
        command = [sys.executable, "-m", "harness.regress", *arguments, f"outputs={tmp_path}/out"]
        paths = {"PYTHONPATH": f"{PROJECT}{os.pathsep}{tmp_path}"}
        environment = {**os.environ, **paths, **environment}
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture
def lattices(tmp_path_factory) -> str:
    """An argument that keeps the alignments of lattice proteins for all tests of this session."""
    shared = tmp_path_factory.getbasetemp().parent / "lattices"  # above those of single processes
    return f"dataset.cache={shared}"


@pytest.fixture
def start(tmp_path) -> Callable[..., "subprocess.Popen[str]"]:
    """A function that starts `python -m harness` with exactly these arguments."""
    started = []

    def run(*arguments: str, **options: object) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "harness", *arguments]
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(command, cwd=PROJECT, **{**streams, **options}))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.communicate()


def _defaults(overrides: list[str]) -> list[str]:
    """The small run, less what is given otherwise, by itself or by something it comes with."""
    given = {item.partition("=")[0] for item in overrides}
    given |= {"dataset.depth"} if "dataset" in given else set()
    given |= {"method"} if "experiment" in given else set()
    return [item for item in SMALL if item.partition("=")[0] not in given]


@contextmanager
def _isolated(line: list[str]) -> Iterator[None]:
    """Arguments and environment for one command; its log handlers closed at the end."""
    root = logging.getLogger()
    before = root.handlers[:]
    try:
        with mock.patch.object(sys, "argv", ["harness", *line]), mock.patch.dict(os.environ):
            yield
    finally:
        for handler in set(root.handlers) - set(before):
            handler.close()
        root.handlers[:] = before
