"""Multiple sequence alignments: reading, checking, thinning out.

An alignment has one column for each residue of its query, which is its first row.
"""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BufferedIOBase
from itertools import dropwhile, islice, takewhile
from pathlib import Path

import numpy as np
from jaxtyping import Int8
from numpy import ndarray

from harness.alphabet import AMBIGUOUS_LETTERS, AMINO_ACIDS, MASK, encode, encode_aligned
from harness.errors import InputError, PrerequisiteError

FASTA_SUFFIXES = (".a3m", ".fasta", ".fa", ".fas", ".afa")
STOCKHOLM_SUFFIXES = (".sto", ".stk", ".stockholm")

_RESIDUES = (AMINO_ACIDS + AMBIGUOUS_LETTERS).encode()
_LOWER = _RESIDUES.lower()
_GAPS_AS_DASHES = bytes.maketrans(b"._~", b"---")

_Record = tuple[str, bytes]
"""Name, and letters without blanks and line ends."""


@dataclass(frozen=True, eq=False)
class Alignment:
    """Aligned rows as states: 0–19, and `GAP` for gaps and unknown residues; row 0 is the query.

    `query` holds the letters of the query, unknown ones (X, U, …) as they were written.
    """

    states: Int8[ndarray, "N L"]
    query: str

    @property
    def depth(self) -> int:
        """Number of rows, the query included."""
        return len(self.states)


def read_alignment(path: Path) -> Alignment:
    """The alignment of an A3M, aligned FASTA or Stockholm file, gzipped or not.

    In A3M, lower case and '.' are insertions and are removed. Columns in which the query has a
    gap are removed too, so that columns are the residues of the query. Repeated rows are kept.
    Raises InputError for anything but one alignment of equally long rows.
    """
    if bare_suffix(path) not in FASTA_SUFFIXES + STOCKHOLM_SUFFIXES:
        allowed = ", ".join(FASTA_SUFFIXES + STOCKHOLM_SUFFIXES)
        raise InputError(f"{path}: no alignment file by its name; use {allowed}, or these with .gz")
    rows = _a3m_rows(path) if bare_suffix(path) in FASTA_SUFFIXES else _stockholm_rows(path)
    states = _states(path, rows)
    query = rows[0][1].decode()
    in_query = np.array([letter != "-" for letter in query], dtype=bool)
    if not in_query.any():
        raise _wrong(path, 1, rows[0][0], "the query, which comes first, has no residue")
    return Alignment(states[:, in_query], query.replace("-", ""))


def read_rows(path: Path) -> list[str]:
    """The rows of an alignment with all their residues, the query first.

    In A3M insertions are lower-case letters between the columns ('.' is removed). Raises InputError
    for a letter that is no residue; that rows are equally long is for `read_alignment` to check.
    """
    if bare_suffix(path) in STOCKHOLM_SUFFIXES:
        return [row.decode() for _, row in _stockholm_rows(path)]
    return [letters.replace(b".", b"").decode() for _, letters in _a3m_records(path)]


def read_fasta(path: Path) -> list[tuple[str, str]]:
    """Name (first word of the header) and upper-case letters of each record of a FASTA file.

    Sequences are unaligned: gaps and stops ('*') are errors.
    """
    records = _fasta_records(path)
    _check_letters(path, records, _RESIDUES + _LOWER)
    return [(name, letters.decode().upper()) for name, letters in records]


def check_query(alignment: Alignment, sequence: str, path: Path) -> None:
    """Nothing; raises InputError unless the first row of the alignment is this sequence.

    Unknown residues equal one another and nothing else; a hidden residue (`?`) equals anything.
    """
    wanted = encode(sequence)
    length = alignment.states.shape[1]
    if len(wanted) != length:
        raise InputError(
            f"{path}: the first row has {length} residues, the protein has {len(wanted)}; "
            "put the row of the protein first and give every residue a column"
        )
    # unknown residues and gaps share one index, so states compare with encoded letters
    differs = (alignment.states != wanted) & (wanted != MASK)
    if not differs[0].any():
        return
    i = int(differs[0].argmax())
    message = f"{path}: the first row has {alignment.query[i]} in column {i + 1}, the protein "
    message += f"has {sequence[i]}"
    elsewhere = np.flatnonzero(~differs.any(axis=1))
    if len(elsewhere):
        raise InputError(f"{message}; row {elsewhere[0] + 1} is the protein: move it first")
    raise InputError(f"{message}, and no other row is the protein: add it as the first row")


def subsample(alignment: Alignment, depth: int | None, seed: int) -> Alignment:
    """The query and `depth` - 1 other rows drawn without replacement, in the order of the file.

    The alignment itself when `depth` is None or no smaller than the number of rows.
    """
    if depth is not None and depth < 1:
        raise ValueError(f"depth is {depth}; allowed are 1 (the query alone) and more, or None")
    if depth is None or depth >= alignment.depth:
        return alignment
    drawn = np.random.default_rng(seed).choice(alignment.depth - 1, depth - 1, replace=False)
    rows = np.concatenate([[0], 1 + np.sort(drawn)])
    return replace(alignment, states=alignment.states[rows])


def query_length(path: Path) -> int:
    """Residues of the query of an alignment; of A3M and FASTA files no other row is read."""
    if bare_suffix(path) in STOCKHOLM_SUFFIXES:
        return len(read_alignment(path).query)
    with _opened(path) as lines:
        rows = islice(dropwhile(lambda line: line[:1] != b">", lines), 1, None)  # behind the header
        query = takewhile(lambda line: line[:1] != b">", rows)
        return sum(len(line.translate(None, b"-. \t\r\n")) for line in query)


def read_bytes(path: Path) -> bytes:
    """The content of a file, unpacked when its name ends in .gz."""
    with _opened(path) as handle:
        return handle.read()


@contextmanager
def _opened(path: Path) -> Iterator[BufferedIOBase]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as handle:
            yield handle
    except FileNotFoundError as error:
        raise PrerequisiteError(f"{path} is not there; correct the path or copy it") from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{path}: damaged or truncated gzip ({error}); copy it again") from error


def bare_suffix(path: Path) -> str:
    """The last suffix in lower case, .gz aside."""
    return (Path(path.stem) if path.suffix == ".gz" else path).suffix.lower()


def _a3m_rows(path: Path) -> list[_Record]:
    """The records with insertions removed."""
    return [(name, row.translate(None, _LOWER + b".")) for name, row in _a3m_records(path)]


def _a3m_records(path: Path) -> list[_Record]:
    """The records of an A3M file, letters checked; the query has no insertion."""
    records = _fasta_records(path)
    _check_letters(path, records, _RESIDUES + _LOWER + b".-")
    name, query = records[0]
    if any(letter in _LOWER for letter in query):
        problem = "the query, which comes first, has lower-case letters (insertions into itself); "
        raise _wrong(path, 1, name, problem + "write its residues in upper case")
    return records


def _fasta_records(path: Path) -> list[_Record]:
    """The records of a FASTA file, without the comments before the first."""
    text = _read_lines(path)
    while text.startswith(b"#"):
        text = text.partition(b"\n")[2].lstrip()
    if not text:
        raise InputError(f"{path}: the file holds no sequence")
    if not text.startswith(b">"):
        raise InputError(f"{path}: letters before the first header; a record begins with '>'")
    records = []
    for number, record in enumerate(text[1:].split(b"\n>"), start=1):
        header, _, body = record.partition(b"\n")
        name = (header.decode().split() or [""])[0]
        records.append((name, body.translate(None, b" \t\r\n")))
        if not records[-1][1]:
            raise _wrong(path, number, name, "the header has no sequence")
    return records


def _stockholm_rows(path: Path) -> list[_Record]:
    """The rows of a Stockholm file in upper case, blocks joined, gaps written '-'."""
    lines = [line for line in _read_lines(path).split(b"\n") if line.strip()]
    if not lines or not lines[0].startswith(b"# STOCKHOLM"):
        raise InputError(f"{path}: no Stockholm file: the first line must be '# STOCKHOLM 1.0'")
    ends = [number for number, line in enumerate(lines) if line.strip() == b"//"]
    if not ends:
        raise InputError(f"{path}: truncated: the line '//' that ends an alignment is missing")
    if ends[0] != len(lines) - 1:
        raise InputError(f"{path}: something follows the first '//'; keep one alignment a file")
    blocks: dict[str, bytes] = {}
    for line in lines[1:-1]:
        if not line.startswith(b"#"):
            name, *letters = line.split()
            blocks[name.decode()] = blocks.get(name.decode(), b"") + b"".join(letters)
    if not blocks:
        raise InputError(f"{path}: the file holds no sequence")
    rows = list(blocks.items())
    _check_letters(path, rows, _RESIDUES + _LOWER + b".-_~")
    return [(name, letters.upper().translate(_GAPS_AS_DASHES)) for name, letters in rows]


def _read_lines(path: Path) -> bytes:
    """UTF-8 text with \\n line ends and no blank lines before the first."""
    content = read_bytes(path)
    try:
        content.decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: no text file: byte {error.start + 1} is not UTF-8") from error
    return content.replace(b"\r\n", b"\n").lstrip()


def _check_letters(path: Path, records: list[_Record], allowed: bytes) -> None:
    """Nothing; raises InputError at the first letter that is not allowed."""
    for number, (name, letters) in enumerate(records, start=1):
        strange = letters.translate(None, allowed)
        if strange:
            column = letters.index(strange[:1]) + 1
            letter = strange.decode()[0]
            raise _wrong(path, number, name, f"{letter!r} in column {column} is no residue")


def _states(path: Path, rows: list[_Record]) -> Int8[ndarray, "N L"]:
    """The rows as states; raises InputError when their lengths differ."""
    width = len(rows[0][1])
    for number, (name, row) in enumerate(rows, start=1):
        if len(row) != width:
            problem = f"{len(row)} columns (insertions aside), but the first record has {width}"
            raise _wrong(path, number, name, problem)
    letters = b"".join(row for _, row in rows).decode()
    return encode_aligned(letters).reshape(len(rows), width)


def _wrong(path: Path, number: int, name: str, problem: str) -> InputError:
    """The error for a record (counted from 1)."""
    return InputError(f"{path}, record {number} ({name}): {problem}")
