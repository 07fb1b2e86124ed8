"""CSV tables that say something of each protein: its chain, its group."""

import csv
from collections.abc import Sequence
from pathlib import Path

from harness.errors import InputError, PrerequisiteError


def find_beside(folder: Path, name: str) -> Path | None:
    """The file of that name in the folder, else the one beside the folder, else none."""
    places = (folder, folder.resolve().parent)
    return next((place / name for place in places if (place / name).is_file()), None)


def find_table(folder: Path, given: str, key: str) -> Path:
    """The file meant by `given`: a bare name is looked for in the folder and beside it.

    Any other path is taken as it is. PrerequisiteError, which names the key, without such a file.
    """
    bare = Path(given).name == given
    path = find_beside(folder, given) if bare else Path(given)
    if path is None or not path.is_file():
        where = f" in {folder} or beside it; write ./FILE for one elsewhere" if bare else ""
        raise PrerequisiteError(f"{key} is {given!r}: there is no such file{where}")
    return path


def read_column(path: Path, column: str, remedy: str) -> dict[str, str]:
    """That column of a table by its column id; a row that ends early has nothing in it.

    InputError for what is no table, has an id twice, or has no such column (then with the remedy).
    """
    header, *rows = _rows(path)
    absent = [name for name in ("id", column) if name not in header]
    if absent:
        there = ", ".join(header)
        raise InputError(f"{path}: no column {' or '.join(absent)} among {there}; {remedy}")
    found: dict[str, str] = {}
    first, second = header.index("id"), header.index(column)
    for row in rows:
        row += [""] * (len(header) - len(row))
        if row[first] in found:
            raise InputError(f"{path}: more than one row for {row[first]}; keep one")
        found[row[first]] = row[second]
    return found


def _rows(path: Path) -> list[list[str]]:
    """The cells of each line that is not blank, at least one, none with more than the first."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = [row for row in csv.reader(stream, strict=True) if row]
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not readable as a table: {error}") from error
    if not rows:
        raise InputError(f"{path}: not readable as a table: it is empty")
    wide = next((n for n, row in enumerate(rows, start=1) if len(row) > len(rows[0])), None)
    if wide is not None:
        raise InputError(f"{path}: not readable as a table: row {wide} has more cells than row 1")
    return rows


def read_table(path: Path, required: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a table by column, spaces around cells removed; what a row lacks is empty.

    InputError for what is no table, or has not every required column.
    """
    header, *rows = _rows(path)
    absent = [name for name in required if name not in header]
    if absent or len(set(header)) < len(header):
        problem = f"no column {' or '.join(absent)}" if absent else "a column is there twice"
        raise InputError(f"{path}: {problem} among {', '.join(header)}; mend its first line")
    padded = (row + [""] * (len(header) - len(row)) for row in rows)
    return [dict(zip(header, map(str.strip, row), strict=True)) for row in padded]
