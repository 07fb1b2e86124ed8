"""What a checkpoint file holds, whatever its layout: an architecture and named tensors."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from harness.errors import InputError, PrerequisiteError
from harness.models.network import Architecture
from harness.torch_files import read_torch


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
        return read_torch(path, "a checkpoint")
    except FileNotFoundError as error:
        raise missing(path) from error


def check_extent(
    architecture: Architecture, tensors: Mapping[str, Tensor], files: Sequence[Path]
) -> None:
    """Nothing; ValueError for an architecture, or tensors, beyond what is in these files.

    A few bytes can state any number of layers, and a tensor of any shape that repeats one number.
    """
    if not all(isinstance(tensor, Tensor) for tensor in tensors.values()):
        raise ValueError("not all of its weights are tensors")
    largest = max((tensor.numel() for tensor in tensors.values()), default=0)
    if architecture.layers > len(tensors):
        raise ValueError(f"{architecture.layers} layers, but only {len(tensors)} tensors")
    if max(architecture.width, architecture.learned_positions) > largest:
        raise ValueError(f"{architecture}, but the largest tensor has {largest} numbers")
    stated = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    stored = sum(file.stat().st_size for file in files)
    if stated > 2 * stored:  # twice: the embedding is the matrix of the head, too
        raise ValueError(f"tensors of {stated:,} bytes in files of {stored:,}")


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
