"""A disk that fills, refuses or loses files: a message, and the same command goes on afterwards."""

import json
import os
import shutil
import subprocess

import pytest

from harness.journal import JOURNAL, ROWS
from harness.results import SUMMARY

PROTEINS = 6
RUN = (
    *("tracker=none", "method=separation", f"dataset.limit={PROTEINS}", "dataset.depth=16"),
    *("statistics.resamples=100", "pictures=false", "hydra.output_subdir=null"),
)
FULL = "No space left on device"


@pytest.fixture
def disk(tmp_path):
    """A function that mounts a small disk of so many KiB, and gives its folder."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(size):
        mounted = ("mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(folder))
        if os.geteuid() != 0 or subprocess.run(mounted, check=False).returncode != 0:
            pytest.skip("mounting a disk is not allowed here")
        return folder

    yield mount
    subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True)


@pytest.fixture
def measure(command_line, tmp_path):
    """A function that measures into this folder, with the same outputs elsewhere."""

    def run(folder, *more):
        return command_line(*RUN, f"hydra.run.dir={folder}", *more)

    return run


@pytest.fixture(scope="module")
def memory():
    """What the tests of this module share."""
    return {}


@pytest.fixture
def undisturbed(measure, tmp_path, memory):
    """The bytes of the rows of a run that nothing happened to, and its means."""
    if "undisturbed" not in memory:
        assert measure(tmp_path / "alone").code == 0
        memory["undisturbed"] = kept(tmp_path / "alone")
    return memory["undisturbed"]


def kept(folder):
    rows = (folder / ROWS).read_bytes()
    return rows, json.loads((folder / SUMMARY).read_text("utf-8"))["metrics"]


def fill(folder, leave):
    """Fill the disk but for so many KiB; the file that does it."""
    ballast = folder / "ballast"
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    ballast.write_bytes(bytes(max(0, free - 1024 * leave)))
    return ballast


def check_refused(outcome, message):
    assert outcome.code == 1, outcome
    assert message in outcome.err
    assert outcome.err.startswith("error: ")
    assert "Traceback" not in outcome.err


def test_a_disk_that_is_full_from_the_start_is_named(measure, disk):
    folder = disk(1024)
    fill(folder, 0)
    check_refused(measure(folder / "run"), f"{folder / 'run'}: cannot write here ({FULL})")


@pytest.mark.parametrize("leave", [80, 88, 112])
def test_a_disk_that_fills_during_a_run_loses_nothing(measure, disk, undisturbed, leave):
    folder = disk(8192)
    ballast = fill(folder, leave)
    more = ("save_scores=true", "pictures=true")
    check_refused(measure(folder / "run", *more), FULL)
    ballast.unlink()
    assert measure(folder / "run", *more).code == 0
    assert kept(folder / "run") == undisturbed
    left = [path.name for path in (folder / "run").rglob("*") if path.suffix == ".partial"]
    assert left == []
    assert not (folder / "run" / "unfinished.txt").exists()


def test_a_summary_that_finds_no_room_is_written_next_time(
    measure, tmp_path, undisturbed, monkeypatch
):
    """The disk fills after the last protein: nothing is measured again."""
    from harness import results

    real = results.RunFolder.write_summary

    def full(self, summary):
        raise OSError(28, FULL, str(self.path / SUMMARY))

    monkeypatch.setattr(results.RunFolder, "write_summary", full)
    check_refused(measure(tmp_path / "run"), f"{SUMMARY}: cannot write here ({FULL})")
    before = (tmp_path / "run" / JOURNAL).read_bytes()
    monkeypatch.setattr(results.RunFolder, "write_summary", real)
    assert measure(tmp_path / "run").code == 0
    assert kept(tmp_path / "run") == undisturbed
    assert (tmp_path / "run" / JOURNAL).read_bytes() == before


def test_a_disk_that_becomes_read_only_is_named_and_then_gone_on_with(measure, disk, undisturbed):
    folder = disk(4096)
    assert measure(folder / "run", "dataset.limit=2").code == 0
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    check_refused(measure(folder / "new"), "cannot write here (Read-only file system)")
    check_refused(measure(folder / "run"), "cannot write here (Read-only file system)")
    subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)
    assert measure(folder / "new").code == 0
    assert kept(folder / "new") == undisturbed


@pytest.fixture
def during(monkeypatch):
    """A function that lets something happen in the run folder before the third protein."""
    from harness.journal import Growing

    real, calls = Growing.add, []

    def arrange(happen):
        def add(self, protein, *rest):
            calls.append(protein)
            if len(calls) == 3:
                happen(self.folder)
            real(self, protein, *rest)

        monkeypatch.setattr(Growing, "add", add)

    return arrange


@pytest.mark.parametrize("name", [ROWS, JOURNAL])
def test_a_file_deleted_under_a_run_is_noticed(measure, tmp_path, undisturbed, during, name):
    folder, copy = tmp_path / "run", tmp_path / "copy"

    def delete(place):
        shutil.copy(place / name, copy)
        (place / name).unlink()

    during(delete)
    check_refused(measure(folder), f"{folder / name}: cannot write here (No such file")
    assert not (folder / name).exists()
    shutil.copy(copy, folder / name)
    assert measure(folder).code == 0
    assert kept(folder) == undisturbed


def test_rows_that_stay_deleted_are_asked_for(measure, tmp_path, undisturbed, during):
    folder = tmp_path / "run"
    during(lambda place: (place / ROWS).unlink())
    check_refused(measure(folder), "No such file")
    check_refused(measure(folder), "changed by hand, or deleted; restore it, or delete the run")
    shutil.rmtree(folder)
    assert measure(folder).code == 0
    assert kept(folder) == undisturbed


def test_a_folder_deleted_under_a_run_is_noticed(measure, tmp_path, undisturbed, during):
    folder = tmp_path / "run"
    during(shutil.rmtree)
    check_refused(measure(folder), f"{folder / ROWS}: cannot write here (No such file")
    assert not folder.exists()
    assert measure(folder).code == 0
    assert kept(folder) == undisturbed


@pytest.mark.parametrize("change", [b"", b"lattice,more\n"])
def test_rows_that_another_program_changes_during_a_run_are_noticed(
    measure, tmp_path, undisturbed, during, change
):
    folder = tmp_path / "run"
    before = []

    def rewrite(place):
        before.append((place / ROWS).read_bytes())
        (place / ROWS).write_bytes(before[0][:-9] + change)

    during(rewrite)
    check_refused(measure(folder), "it was changed during the run")
    assert (folder / ROWS).read_bytes() == before[0][:-9] + change  # nothing was added
    (folder / ROWS).write_bytes(before[0])
    assert measure(folder).code == 0
    assert kept(folder) == undisturbed


def test_a_number_changed_by_hand_is_found_when_the_run_goes_on(measure, tmp_path, undisturbed):
    folder = tmp_path / "run"
    assert measure(folder).code == 0
    rows = (folder / ROWS).read_bytes()
    head, _, last = rows.rstrip(b"\n").rpartition(b",")
    (folder / ROWS).write_bytes(head + b"," + b"9" * len(last) + b"\n")
    check_refused(measure(folder), "were changed by hand")
    (folder / ROWS).write_bytes(rows)
    assert measure(folder).code == 0
    assert kept(folder) == undisturbed


def test_a_sweep_whose_report_finds_no_room_keeps_its_jobs(command_line, tmp_path, monkeypatch):
    from harness import sweep

    def full(folder, compared):
        raise OSError(28, FULL)

    line = (*RUN, "-m", "method=separation,random", f"hydra.sweep.dir={tmp_path / 'sweep'}")
    real = sweep.write_comparison
    monkeypatch.setattr(sweep, "write_comparison", full)
    check_refused(command_line(*line), FULL)
    jobs = sorted((tmp_path / "sweep").glob("*/proteins.jsonl"))
    before = [path.read_bytes() for path in jobs]
    assert len(jobs) == 2
    monkeypatch.setattr(sweep, "write_comparison", real)
    assert command_line(*line).code == 0
    assert [path.read_bytes() for path in jobs] == before  # nothing was measured again
    assert (tmp_path / "sweep" / "report.html").exists()
