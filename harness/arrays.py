"""Arrays of .npz files, which may come from anywhere."""

import math
import sys
import tokenize
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from harness.errors import InputError

MOST_BYTES = 1 << 30
"""Bytes that the arrays of one file may take: a small file can state any number."""

_DAMAGED = (
    *(OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, RuntimeError),
    *(ArithmeticError, SyntaxError, tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)
"""What NumPy and zipfile raise for files that are none of theirs."""


def read_arrays(path: Path) -> dict[str, ndarray]:
    """The arrays of an .npz file by name; nothing in it is unpickled.

    Raises InputError for any other file, and for one that states more than `MOST_BYTES`, before
    memory is used. That the file is there is for the caller to check.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = [_stated(archive, member) for member in archive.infolist()]
        if sum(sizes) > MOST_BYTES:
            raise InputError(
                f"{path}: unpacks to {sum(sizes):,} bytes, more than the {MOST_BYTES:,} that the "
                "arrays of one file may take; split it"
            )
        with warnings.catch_warnings(), np.load(path, allow_pickle=False) as file:
            warnings.simplefilter("ignore")  # about files of Python 2
            return {name: _checked(file[name]) for name in file.files}
    except InputError:
        raise
    except _DAMAGED as error:
        raise InputError(f"{path}: not readable as .npz ({error}); make it again") from error


def _checked(array: ndarray) -> ndarray:
    """The array; ValueError for text that is none, with which Python would end in a SystemError."""
    if array.dtype.kind == "U" and array.dtype.itemsize:
        points = np.ascontiguousarray(array).reshape(-1).view(array.dtype.byteorder + "u4")
        if (points > sys.maxunicode).any():
            raise ValueError("its text is no Unicode")
    return array


def _stated(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> int:
    """Bytes of one array: the larger of what the archive and the array's own header say."""
    read: dict[tuple[int, int], Any] = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    with archive.open(member) as stream, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shape, _, kind = read[np.lib.format.read_magic(stream)](stream)
    if min(shape, default=0) < 0:
        raise ValueError(f"{member.filename} has shape {shape}")
    return max(member.file_size, math.prod(shape) * kind.itemsize)
