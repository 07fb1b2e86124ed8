"""Where tensors live, and whether there is room for them."""

import re

import psutil
import torch

from harness.errors import PrerequisiteError


def choose_device(name: str) -> torch.device:
    """The device of that name: auto (CUDA where there is one, else the CPU), cpu, cuda[:n] or mps.

    Apple's is taken only when asked for: nobody has measured there what we compute. Raises
    PrerequisiteError when PyTorch sees no such device, ValueError for another name.
    """
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", name):
        raise ValueError(f"device is {name!r}; allowed are auto, cpu, cuda, cuda:NUMBER and mps")
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind = name.partition(":")[0]
    there = torch.backends.mps.is_available() if kind == "mps" else torch.cuda.is_available()
    if kind != "cpu" and not there:
        raise PrerequisiteError(
            f"device={name}, but PyTorch sees no {kind.upper()} device; "
            "use model.device=cpu or method.device=cpu, whichever asked for it"
        )
    return torch.device(name)


def free_memory(device: torch.device) -> int:
    """Bytes that a new tensor can have."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(free + cached)
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
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
