"""A run killed at any byte of any write leaves a folder from which the same files grow again."""

from itertools import pairwise

import pytest

from harness.journal import JOURNAL, ROWS
from harness.protocols import Row
from harness.results import RunFolder

PROTEINS = ("a", "b", "c")


def claimed(path):
    folder = RunFolder(path, "m", "", ())
    folder.claim({"seed": "0"}, "seed: 0\n")
    return folder


def measure_missing(folder):
    for name in PROTEINS:
        if name not in folder.finished():
            folder.append(name, [Row("x", "y", 0.25), Row("é", "y", 1 / 3)], {"length": 3})


def contents(path):
    return (path / ROWS).read_bytes(), (path / JOURNAL).read_bytes()


@pytest.fixture
def undisturbed(tmp_path_factory):
    """Bytes of both files before the first protein and after each."""
    folder = claimed(tmp_path_factory.mktemp("undisturbed"))
    states = [contents(folder.path)]
    for name in PROTEINS:
        folder.append(name, [Row("x", "y", 0.25), Row("é", "y", 1 / 3)], {"length": 3})
        states.append(contents(folder.path))
    return states


def killed_states(states):
    """Every pair of contents that a kill can leave: rows first, then the journal, byte by byte."""
    for (rows, journal), (more_rows, more_journal) in pairwise(states):
        for end in range(len(rows), len(more_rows)):
            yield more_rows[:end], journal
        for end in range(len(journal), len(more_journal)):
            yield more_rows, more_journal[:end]
    header, nothing = states[0]
    for end in range(len(header)):
        yield header[:end], nothing


def test_a_kill_at_any_byte_is_recovered_from(tmp_path, undisturbed, monkeypatch):
    monkeypatch.setattr("os.fsync", lambda descriptor: None)  # hundreds of files
    folder = claimed(tmp_path)
    for rows, journal in killed_states(undisturbed):
        (tmp_path / ROWS).write_bytes(rows)
        (tmp_path / JOURNAL).write_bytes(journal)
        measure_missing(claimed(folder.path))
        assert contents(tmp_path) == undisturbed[-1], (rows, journal)


def test_a_kill_while_the_folder_is_claimed_is_recovered_from(tmp_path, undisturbed):
    for leftover in (".config.yaml.partial", "..identity.json.partial"):
        (tmp_path / leftover).write_text("{")
    measure_missing(claimed(tmp_path))
    assert contents(tmp_path) == undisturbed[-1]
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".partial")]


def test_a_finished_folder_is_not_touched(tmp_path, undisturbed):
    measure_missing(claimed(tmp_path))
    measure_missing(claimed(tmp_path))
    assert contents(tmp_path) == undisturbed[-1]
