"""Programs under a clock: shell scripts stand for them, and nothing is timed."""

import re
from contextlib import suppress

import psutil
import pytest

from benchmarks import programs
from benchmarks.programs import Program, ProgramError, run


@pytest.fixture
def shell(tmp_path):
    """A function that runs a script and tells what it took."""

    def run_script(script, begins="", ends="", limit=60.0, threads=1):
        return run(Program(("sh", "-c", script), tmp_path, begins, ends), threads, limit)

    return run_script


def test_what_it_prints_on_either_stream_is_kept_in_order(shell):
    assert shell("echo one; echo two >&2; echo three").output == "one\ntwo\nthree"


def test_it_runs_in_its_folder_with_the_number_of_threads(shell, tmp_path):
    assert shell("pwd; echo $OMP_NUM_THREADS", threads=2).output.split() == [str(tmp_path), "2"]


@pytest.mark.parametrize(
    ("begins", "ends", "seconds"),
    [("", "", 1), ("", "done", 1), ("begun", "", 3), ("begun", "done", 3)],
)
def test_the_clock_runs_between_the_two_lines_only(shell, monkeypatch, begins, ends, seconds):
    """It is looked at when the program starts, at each of these lines, and at the end."""
    looks = iter([0.0, 1.0, 4.0, 13.0])
    monkeypatch.setattr(programs.time, "perf_counter", lambda: next(looks))
    assert shell("echo it has begun; echo it is done", begins, ends).wall == seconds


def test_processor_time_of_children_counts_and_memory_is_told(shell):
    spent = shell("sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done'")
    assert spent.cpu > 0
    assert spent.peak > 0


def test_memory_is_that_of_the_program_and_not_of_who_started_it(shell):
    held = bytearray(200 * 2**20)
    assert shell("echo done", ends="done").peak < len(held)


def test_a_failure_says_its_status_and_what_came_last(shell):
    with pytest.raises(ProgramError, match=r"sh ended with status 3: .*no such option"):
        shell("echo no such option; exit 3")


def test_a_program_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ProgramError, match="nowhere/fit did not start"):
        run(Program(("nowhere/fit",), tmp_path), 1, 60.0)


def test_a_program_that_hangs_is_ended_with_its_children(shell):
    with pytest.raises(ProgramError, match="time limit; last:") as caught:
        shell("sleep 600 & echo child $!; wait", limit=0.5)
    child = int(re.search(r"child (\d+)", str(caught.value))[1])
    with suppress(psutil.NoSuchProcess):  # then it is gone already
        process = psutil.Process(child)
        gone, alive = psutil.wait_procs([process], timeout=10)
        assert gone or alive[0].status() == psutil.STATUS_ZOMBIE  # nobody may be there to bury it
