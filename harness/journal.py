"""The two files of a run that grow: rows, and a line for each protein whose rows are whole."""

import json
import os
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import InputError
from harness.json_text import parse

ROWS, JOURNAL = "rows.csv", "proteins.jsonl"
_MEND = "restore it, or delete the run folder to start again"


@dataclass(frozen=True)
class Growing:
    """rows.csv and proteins.jsonl of a run folder, which nobody else may change meanwhile."""

    folder: Path
    _lengths: dict[str, int] = field(default_factory=dict, init=False)
    """Bytes of the files, as this process left them."""

    def recover(self, header: str) -> None:
        """Cut off what a killed run left after its last finished protein.

        Raises InputError when the rows are not those that the journal speaks of.
        """
        entries = list(read_journal(self.folder).values())
        rows, journal = self.folder / ROWS, self.folder / JOURNAL
        if entries:
            _check_rows(rows, len(header), entries)
            os.truncate(rows, entries[-1]["rows_end"])
        else:
            rows.write_text(header, encoding="utf-8")
        journal.touch()
        os.truncate(journal, sum(len(line) for line in _whole_lines(journal)))
        self._lengths.update({path.name: path.stat().st_size for path in (rows, journal)})

    def add(self, protein: str, rows: bytes, facts: Mapping[str, Any]) -> None:
        """Add one protein: its rows first, then the line that says they are whole."""
        end = self._append(ROWS, rows)
        entry = {"protein": protein, **facts, "rows_end": end, "rows_crc32": zlib.crc32(rows)}
        self._append(JOURNAL, (json.dumps(entry) + "\n").encode())

    def _append(self, name: str, content: bytes) -> int:
        """Add to a file, safely on disk when this returns; the file's new length in bytes.

        Raises InputError, and writes nothing, when the file is not as this process left it.
        """
        path = self.folder / name
        with path.open("r+b") as stream:  # never makes a new file
            length = stream.seek(0, os.SEEK_END)
            if length != self._lengths[name]:
                raise InputError(
                    f"{path}: {length} bytes, but {self._lengths[name]} were written: it was "
                    f"changed during the run; {_MEND}"
                )
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        self._lengths[name] = length + len(content)
        return self._lengths[name]


def read_journal(folder: Path) -> dict[str, dict[str, Any]]:
    """The line of each finished protein of a run folder, by id, in the order of measurement."""
    path = folder / JOURNAL
    entries: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(_whole_lines(path), start=1):
        try:
            entry = dict(parse(line))
            entries[str(entry["protein"])] = entry | {"rows_end": int(entry.get("rows_end", 0))}
        except (ValueError, LookupError, TypeError, OverflowError) as error:
            problem = f"line {number} was changed by hand ({error!r})"
            raise InputError(f"{path}: {problem}; {_MEND}") from error
    return entries


def _check_rows(path: Path, start: int, entries: Iterable[Mapping[str, Any]]) -> None:
    """Nothing; InputError unless the rows are those that the journal speaks of.

    A journal of an older version knows where the rows of a protein end, but not their sum.
    """
    content = path.read_bytes() if path.exists() else b""
    for entry in entries:
        own, end = content[start : entry["rows_end"]], entry["rows_end"]
        if not start <= end <= len(content):
            problem = f"not as long as {JOURNAL} says; it was changed by hand, or deleted"
            raise InputError(f"{path}: {problem}; {_MEND}")
        if zlib.crc32(own) != entry.get("rows_crc32", zlib.crc32(own)):
            problem = f"the rows of {entry['protein']} were changed by hand"
            raise InputError(f"{path}: {problem}; {_MEND}")
        start = end


def _whole_lines(path: Path) -> Sequence[bytes]:
    """The lines of a file that end in a newline."""
    if not path.exists():
        return []
    return [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
