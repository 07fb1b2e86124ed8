"""What PyTorch wrote: tensors and plain values, from files that may come from anywhere."""

import argparse
import pickle
import struct
import tarfile
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any

import torch

from harness.errors import InputError

_DAMAGED = (
    *(OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, RuntimeError),
    *(ArithmeticError, AssertionError, ImportError, MemoryError, struct.error, zlib.error),
    *(zipfile.BadZipFile, tarfile.TarError),
)
"""What unpickling raises for bytes that nobody pickled."""


def read_torch(path: Path, kind: str, device: torch.device | str = "cpu") -> Any:
    """What a file of PyTorch's holds, its tensors mapped from disk where the format allows it.

    Only tensors and plain values are unpickled: code in a file is never run. Raises
    FileNotFoundError when there is no such file, InputError, which says that it is no `kind`, when
    it cannot be read, or is packed: PyTorch never packs, and a small file could unpack to any size.
    """
    try:
        mapped = zipfile.is_zipfile(path)  # older files are no archives
        if mapped:
            _check_sizes(path)
        with torch.serialization.safe_globals([argparse.Namespace]), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about old protocols
            return torch.load(path, map_location=device, weights_only=True, mmap=mapped)
    except (FileNotFoundError, InputError):
        raise
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path}: refused, because it holds more than tensors and plain settings "
            f"(unpickling it could run code), or cannot be read as {kind}. Use one as published"
        ) from error
    except _DAMAGED as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"{path}: cannot be read as {kind} ({reason}); it may be truncated: compare its size "
            "or SHA-256 with the source and fetch it again"
        ) from error


def _check_sizes(path: Path) -> None:
    """Nothing; InputError when the archive states more bytes than it has."""
    with zipfile.ZipFile(path) as archive:
        stated = sum(member.file_size for member in archive.infolist())
    if stated > path.stat().st_size:
        raise InputError(
            f"{path}: refused, because it is {path.stat().st_size:,} bytes and states "
            f"{stated:,}: files of PyTorch's are never packed. Use one as published"
        )
