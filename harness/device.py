"""Where tensors live, and whether there is room for them."""

import re

import psutil
import torch

from harness.errors import PrerequisiteError


def choose_device(name: str) -> torch.device:
    """The device of that name: auto (CUDA where there is one, else the CPU), cpu or cuda[:n].

    Raises PrerequisiteError when PyTorch sees no such device, ValueError for another name.
    """
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", name):
        raise ValueError(f"device is {name!r}; allowed are auto, cpu, cuda and cuda:NUMBER")
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise PrerequisiteError(
            f"device={name}, but PyTorch sees no CUDA device; "
            "use model.device=cpu or method.device=cpu, whichever asked for it"
        )
    return torch.device(name)


def free_memory(device: torch.device) -> int:
    """Bytes that a new tensor can have."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(free + cached)
    return int(psutil.virtual_memory().available)


def require_memory(needed: int, device: torch.device, what: str, instead: str) -> None:
    """Nothing; raises PrerequisiteError when so many bytes do not fit on the device.

    `what` needs them, and `instead` is what the user can do about it.
    """
    free = free_memory(device)
    if needed > free:
        raise PrerequisiteError(
            f"{what} needs about {needed / 1e9:.1f} GB, and {device} has {free / 1e9:.1f} GB free; "
            f"{instead}"
        )
