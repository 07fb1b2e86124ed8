"""Files that may be gzipped, read without trust in what they unpack to."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from harness.errors import InputError, PrerequisiteError

MOST_UNPACKED = 1 << 30
"""Bytes that a gzipped file may unpack to; files that are not packed have no limit."""

_PIECE = 1 << 20


def read_bytes(path: Path) -> bytes:
    """The content of a file, unpacked when its name ends in .gz; InputError beyond the limit."""
    return b"".join(lines_of(path))


def lines_of(path: Path) -> Iterator[bytes]:
    """The same line by line, with their ends; a line beyond 1 MiB comes in pieces."""
    packed, size = path.suffix == ".gz", 0
    try:
        with gzip.open(path) if packed else path.open("rb") as handle:
            while piece := handle.readline(_PIECE):
                size += len(piece)
                if packed and size > MOST_UNPACKED:
                    raise InputError(
                        f"{path}: unpacks to more than {MOST_UNPACKED:,} bytes, which a few bytes "
                        "can do; if that is right, unpack it yourself (gunzip) and name the file "
                        "without .gz"
                    )
                yield piece
    except FileNotFoundError as error:
        raise PrerequisiteError(f"{path} is not there; correct the path or copy it") from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{path}: damaged or truncated gzip ({error}); copy it again") from error


def bare_suffix(path: Path) -> str:
    """The last suffix in lower case, .gz aside."""
    return (Path(path.stem) if path.suffix == ".gz" else path).suffix.lower()
