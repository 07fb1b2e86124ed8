"""Where tensors live, and whether there is room for them."""

import re
import time

import psutil
import torch

from harness.errors import PrerequisiteError

_PRODUCT_ROWS, _PRODUCTS = 2048, 4
"""Rows of the product whose rate is measured, as of a batch; so many are waited for together."""


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


def device_name(device: torch.device) -> str:
    """How the device is called: the card's name, or its kind."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def product_rate(device: torch.device, dtype: str, width: int, seconds: float) -> float:
    """Operations a second of the products (2048, W) × (W, 4 W), measured for so many seconds."""
    kind = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[dtype]
    left = torch.ones(_PRODUCT_ROWS, width, dtype=kind, device=device)
    right = torch.ones(width, 4 * width, dtype=kind, device=device)
    float((left @ right)[0, 0])  # warms up; and reading a number waits until the device is done
    done, began = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - began) < seconds or not done:
        products = [left @ right for _ in range(_PRODUCTS)]
        float(products[-1][0, 0])
        done += _PRODUCTS
    return done * 2.0 * left.numel() * right.shape[1] / elapsed
