"""What a checkpoint file holds, whatever its layout: an architecture and named tensors."""

import argparse
import pickle
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from harness.errors import InputError, PrerequisiteError
from harness.models.network import Architecture


@dataclass(frozen=True, eq=False)
class Content:
    """The tensors of a checkpoint by the names of `Network`, read when they are first used.

    `published` gives the name that a tensor has in the files, for messages. `regression_file` is
    where a contact regression of its own may lie; `files` are those read, in order.
    """

    path: Path
    architecture: Architecture
    tensors: Mapping[str, Tensor]
    published: Callable[[str], str]
    files: tuple[Path, ...]
    regression_file: Path


def unpickle(path: Path) -> Any:
    """What a file of PyTorch's holds, its tensors mapped from disk where the format allows it.

    Only tensors and plain values are unpickled: code in a file is never run. Raises
    PrerequisiteError when there is no such file, InputError when it cannot be read.
    """
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):
            mapped = zipfile.is_zipfile(path)  # older files are no archives
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except FileNotFoundError as error:
        raise missing(path) from error
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path}: refused, because it holds more than tensors and plain settings "
            "(unpickling it could run code). Use a checkpoint as published"
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise unreadable(path, error) from error


def missing(path: Path) -> PrerequisiteError:
    """The error of a checkpoint that is not there."""
    return PrerequisiteError(
        f"{path}: no such checkpoint; give the path of a fair-esm .pt file, or of a folder with "
        "config.json and model.safetensors, with model.path=PATH"
    )


def unreadable(path: Path, error: Exception) -> InputError:
    """The error of a checkpoint file that is damaged or something else."""
    return InputError(
        f"{path}: cannot be read as a checkpoint ({error}); it may be truncated: compare its "
        "size or SHA-256 with the source and fetch it again"
    )
