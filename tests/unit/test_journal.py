import json

import pytest

from harness.errors import InputError
from harness.journal import JOURNAL, ROWS, Growing, read_journal

HEADER = "protein,value\n"


@pytest.fixture
def folder(tmp_path):
    """A folder with two finished proteins."""
    growing = Growing(tmp_path)
    growing.recover(HEADER)
    growing.add("a", b"a,1\n", {"length": 9})
    growing.add("b", b"b,2\nb,3\n", {})
    return tmp_path


def test_rows_and_their_ends_come_back(folder):
    assert (folder / ROWS).read_text() == HEADER + "a,1\nb,2\nb,3\n"
    found = read_journal(folder)
    assert [(name, entry["rows_end"]) for name, entry in found.items()] == [("a", 18), ("b", 26)]
    assert found["a"]["length"] == 9


@pytest.mark.parametrize("name", [ROWS, JOURNAL])
@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"x"])
def test_nothing_is_added_to_a_file_that_somebody_changed(tmp_path, name, change):
    growing = Growing(tmp_path)
    growing.recover(HEADER)
    growing.add("a", b"a,1\n", {})
    changed = change((tmp_path / name).read_bytes())
    (tmp_path / name).write_bytes(changed)
    with pytest.raises(InputError, match=f"{name}: .* it was changed during the run"):
        growing.add("b", b"b,2\n", {})
    assert (tmp_path / name).read_bytes() == changed


@pytest.mark.parametrize("name", [ROWS, JOURNAL])
def test_a_file_that_is_gone_is_not_made_anew(tmp_path, name):
    growing = Growing(tmp_path)
    growing.recover(HEADER)
    (tmp_path / name).unlink()
    with pytest.raises(FileNotFoundError):
        growing.add("a", b"a,1\n", {})
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("protein", ["a", "b"])
def test_rows_changed_by_hand_are_found_with_their_protein(folder, protein):
    rows = folder / ROWS
    rows.write_bytes(rows.read_bytes().replace(f"\n{protein},".encode(), b"\nx,", 1))
    with pytest.raises(InputError, match=f"the rows of {protein} were changed by hand; restore"):
        Growing(folder).recover(HEADER)


def test_a_journal_of_an_older_version_has_no_sums(folder):
    entries = [json.loads(line) for line in (folder / JOURNAL).read_text().splitlines()]
    older = [{k: v for k, v in entry.items() if k != "rows_crc32"} for entry in entries]
    (folder / JOURNAL).write_text("".join(json.dumps(entry) + "\n" for entry in older))
    Growing(folder).recover(HEADER)
    assert list(read_journal(folder)) == ["a", "b"]


@pytest.mark.parametrize("line", ["[1]", "7", "{}", "nonsense", "[" * 99_999])
def test_a_line_that_is_no_entry_is_named(folder, line):
    with (folder / JOURNAL).open("a") as stream:
        stream.write(line + "\n")
    with pytest.raises(InputError, match=r"proteins\.jsonl: line 3 was changed by hand"):
        read_journal(folder)
