"""Ways down to the minimum of a convex function of very many parameters."""

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

HISTORY = 3
"""Steps that L-BFGS remembers, at two vectors each; more of them saved no evaluations."""

_TRIALS = 20


@runtime_checkable
class Objective(Protocol):
    """A function, and what is known of its curvature."""

    def __call__(self, point: Float[Tensor, " P"], gradient: Float[Tensor, " P"]) -> float:
        """The value; the gradient is written to the second argument."""
        ...

    def divide_by_curvature_(self, vector: Float[Tensor, " P"]) -> Float[Tensor, " P"]:
        """The vector over an estimate of the diagonal of the second derivative."""
        ...

    def inverse_curvature_square(self, vector: Float[Tensor, " P"]) -> float:
        """Vector · curvature⁻¹ · vector, by the same estimate."""
        ...


@dataclass(frozen=True)
class Minimum:
    """Where a descent ended, and how near to the minimum that is."""

    point: Float[Tensor, " P"]
    objective: float
    gradient_norm: float
    gap: float
    """Estimate of (objective − minimum) / objective: half of gradient · curvature⁻¹ · gradient."""
    iterations: int
    evaluations: int
    converged: bool
    """Whether the gap is as small as was asked for."""


def lbfgs(
    objective: Objective, point: Float[Tensor, " P"], tolerance: float, iterations: int
) -> Minimum:
    """The minimum by L-BFGS (Nocedal, Math. Comp. 1980), preconditioned by the curvature.

    Ends when the gap is `tolerance` or less, after so many iterations, or when rounding hides any
    decrease. Moves `point`, and holds 2 · HISTORY + 4 vectors of its size, itself included.
    """
    gradient, direction, trial = (torch.empty_like(point) for _ in range(3))
    value, evaluations = objective(point, gradient), 1
    history: deque[tuple[Tensor, Tensor]] = deque()
    for iteration in range(iterations + 1):
        decrease = objective.inverse_curvature_square(gradient) / 2
        gap = decrease / max(abs(value), torch.finfo(point.dtype).tiny)
        norm = math.sqrt(_dot(gradient, gradient))
        reached = Minimum(point, value, norm, gap, iteration, evaluations, gap <= tolerance)
        if reached.converged or iteration == iterations:
            break
        _newton_direction_(objective, direction.copy_(gradient), history)
        slope = _dot(gradient, direction)
        value, length, trials = _search(objective, point, direction, trial, (value, slope))
        evaluations += trials
        if not length:
            break
        full = len(history) == HISTORY
        spare = history.popleft() if full else (torch.empty_like(point), torch.empty_like(point))
        history.append((direction.mul_(-length), gradient.neg_().add_(trial)))
        gradient, (direction, trial) = trial, spare
    return replace(reached, evaluations=evaluations)


def _newton_direction_(
    objective: Objective, direction: Float[Tensor, " P"], history: Sequence[tuple[Tensor, Tensor]]
) -> None:
    """Nothing; multiplies a gradient by the estimated inverse curvature: L-BFGS's two loops."""
    shares = []
    for step, change in reversed(history):
        shares.append(_dot(step, direction) / _dot(step, change))
        direction.sub_(change, alpha=shares[-1])
    objective.divide_by_curvature_(direction)
    if history:
        step, change = history[-1]
        direction.mul_(_dot(step, change) / objective.inverse_curvature_square(change))
    for (step, change), share in zip(history, reversed(shares), strict=True):
        direction.add_(step, alpha=share - _dot(change, direction) / _dot(step, change))


def _search(
    objective: Objective,
    point: Float[Tensor, " P"],
    direction: Float[Tensor, " P"],
    gradient: Float[Tensor, " P"],
    start: tuple[float, float],
) -> tuple[float, float, int]:
    """Value, length and evaluations of a step against `direction` that goes down far enough.

    `start` is the value here and its slope. Moves the point and writes the gradient there; a length
    of zero says that there is no such step.
    """
    value, slope = start
    rounding = 4 * torch.finfo(point.dtype).eps * abs(value)
    length, moved = 1.0, 0.0
    for trial in range(1, _TRIALS + 1):
        point.sub_(direction, alpha=length - moved)
        moved = length
        found = objective(point, gradient)
        if found <= value - 1e-4 * length * slope + rounding:
            return found, length, trial
        rise = found - value + slope * length if math.isfinite(found) else math.inf
        length *= min(
            max(slope * length / (2 * rise), 0.1), 0.5
        )  # where a parabola has its minimum
    point.add_(direction, alpha=moved)
    return value, 0.0, _TRIALS


def gremlin_adam(
    objective: Objective,
    point: Float[Tensor, " P"],
    parts: Callable[[Tensor], Sequence[tuple[Tensor, int]]],
    rate: float,
    iterations: int,
) -> None:
    """Nothing; moves `point` by Adam as GREMLIN has it (sokrypton/GREMLIN_CPP, TensorFlow v2).

    All numbers of a part share one second moment, the sum of the squares of its gradient, and
    nothing is corrected for starting at zero. `parts` gives views of a vector, and how many copies
    of each GREMLIN has: two of every coupling, which add up.
    """
    gradient, momentum = torch.empty_like(point), torch.zeros_like(point)
    squares = [0.0 for _ in parts(point)]
    for _ in range(iterations):
        objective(point, gradient)
        momentum.lerp_(gradient, 0.1)
        for k, ((part, copies), (slope, _), (mean, _)) in enumerate(
            zip(parts(point), parts(gradient), parts(momentum), strict=True)
        ):
            squares[k] = 0.999 * squares[k] + 0.001 * copies * _square(slope)
            part.sub_(mean, alpha=copies * rate / (math.sqrt(squares[k]) + 1e-8))


def _dot(a: Float[Tensor, " P"], b: Float[Tensor, " P"]) -> float:
    return float(torch.dot(a, b))


def _square(values: Float[Tensor, "..."]) -> float:
    return float(torch.tensordot(values, values, values.ndim))
