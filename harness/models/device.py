"""Where a model runs."""

import re

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
            f"model.device={name}, but PyTorch sees no CUDA device; use model.device=cpu"
        )
    return torch.device(name)
