"""CSV tables that say something of each protein: its chain, its group."""

from pathlib import Path

import pandas as pd

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
    """That column of a table by its column id.

    InputError for what is no table, has an id twice, or has no such column (then with the remedy).
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except ValueError as error:  # what pandas raises for text that is no table
        raise InputError(f"{path}: not readable as a table: {error}") from error
    absent = [name for name in ("id", column) if name not in table]
    if absent:
        there = ", ".join(map(str, table))
        raise InputError(f"{path}: no column {' or '.join(absent)} among {there}; {remedy}")
    twice = table["id"][table["id"].duplicated()].tolist()
    if twice:
        raise InputError(f"{path}: more than one row for {twice[0]}; keep one")
    return dict(zip(table["id"], table[column], strict=True))
