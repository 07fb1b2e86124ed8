"""The implementations that are compared, each made from the same checkpoint."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import torch
from numpy import ndarray

from benchmarks.batched import Batched
from benchmarks.engine import Engine
from benchmarks.published import Published


class Implementation(Protocol):
    """A way to the contact map of the categorical Jacobian; one protein at a time."""

    mutants: int
    """How many forward passes a position costs."""

    def start(self, sequence: str) -> None:
        """Begin with a protein: an empty tensor, the logits of the sequence as it is."""
        ...

    def fill(self, sites: Iterable[int]) -> None:
        """Compute these positions of the tensor."""
        ...

    def contacts(self) -> ndarray:
        """The contact map (L, L) of the tensor, which is used up."""
        ...

    def whole(self, sequence: str) -> ndarray:
        """All of this for every position."""
        ...

    def operations(self) -> float:
        """Floating-point operations of one mutant."""
        ...


@dataclass(frozen=True)
class Machine:
    """Where the implementations run, and how many tokens go through a network at once."""

    device: torch.device
    tokens: int | None  # none: what the harness chooses; 4,096 or 65,536 for transformers

    @property
    def stated_tokens(self) -> int:
        """The budget of an implementation that chooses none itself."""
        return self.tokens or (65536 if self.device.type == "cuda" else 4096)


@dataclass(frozen=True)
class Side:
    """One implementation in one precision."""

    name: str
    dtype: torch.dtype
    build: Callable[[Path, Machine], Implementation]


def _engine(
    dtype: torch.dtype, changes: dict[str, Any], path: Path, machine: Machine
) -> Implementation:
    return Engine(path, machine.device, dtype, machine.tokens, changes)


def _published(path: Path, machine: Machine) -> Implementation:
    return Published(path, machine.device)


def _batched(
    dtype: torch.dtype, sequences: int | None, path: Path, machine: Machine
) -> Implementation:
    return Batched(path, machine.device, dtype, machine.stated_tokens, sequences)


_FULL, _HALF, _COMPILED = torch.float32, torch.bfloat16, {"compile": True}
SIDES = {
    side.name: side
    for side in (
        Side("ours", _FULL, partial(_engine, _FULL, {})),
        Side("ours_bf16", _HALF, partial(_engine, _HALF, {})),
        Side("ours_compiled", _FULL, partial(_engine, _FULL, _COMPILED)),
        Side("ours_bf16_compiled", _HALF, partial(_engine, _HALF, _COMPILED)),
        Side("published", _FULL, _published),
        Side("transformers", _FULL, partial(_batched, _FULL, None)),
        Side("transformers_bf16", _HALF, partial(_batched, _HALF, None)),
        Side("transformers_bf16_64", _HALF, partial(_batched, _HALF, 64)),
    )
}
