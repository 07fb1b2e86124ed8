"""What an action costs, and what the device can do at best."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

import torch

T = TypeVar("T")


@dataclass(frozen=True)
class Spent:
    """Seconds of one action.

    `core` are CPU seconds of this process by thread, which other work on the machine hardly moves;
    on an accelerator they are the wall time.
    """

    core: float
    wall: float


@dataclass(frozen=True)
class Clock:
    """Times actions on one device."""

    device: torch.device
    threads: int

    @property
    def cores(self) -> int:
        """How many share the work; an accelerator counts as one."""
        return 1 if self.device.type == "cuda" else self.threads

    def __call__(self, action: Callable[[], T]) -> tuple[T, Spent]:
        """The result of the action and what it took, all work on the device included."""
        self._wait()
        wall, cpu = time.perf_counter(), time.process_time()
        result = action()
        self._wait()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        return result, Spent(wall if self.device.type == "cuda" else cpu / self.cores, wall)

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


@dataclass
class MatrixProduct:
    """The product of two square matrices: the measured peak of a device."""

    clock: Clock
    dtype: torch.dtype

    def __post_init__(self) -> None:
        on_gpu = self.clock.device.type == "cuda"
        self._n, self._products = (8192, 10) if on_gpu else (2048, 1)
        shape = (self._n, self._n)
        self._left = torch.randn(shape, device=self.clock.device, dtype=self.dtype)
        self._right = torch.randn(shape, device=self.clock.device, dtype=self.dtype)
        self._out = self._left @ self._right.T

    def rate(self) -> float:
        """Floating-point operations a second, per core on a CPU."""
        _, spent = self.clock(self._run)
        return self._products * 2 * self._n**3 / spent.core / self.clock.cores

    def _run(self) -> None:
        for _ in range(self._products):
            torch.mm(self._left, self._right.T, out=self._out)  # as a linear layer's


def in_turn(
    actions: Mapping[str, Callable[[], object]], clock: Clock, repetitions: int
) -> dict[str, float]:
    """Median core seconds of each action; each runs once before, then all take turns."""
    for action in actions.values():
        action()
    samples: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(repetitions):
        for name, action in actions.items():
            samples[name].append(clock(action)[1].core)
    return {name: median(seconds) for name, seconds in samples.items()}
