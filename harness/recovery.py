"""How much of a block of the contact map is back when only part of the sequence is shown."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray


def recovery(original: Float[ndarray, "..."], masked: Float[ndarray, "..."]) -> float:
    """Σ original · masked / Σ original² (Zhang et al., PNAS 2024); NaN where the original is zero.

    It is made for probabilities: scores of another kind can be larger on masked input, and then
    `correlation` says more.
    """
    norm = float((original**2).sum())
    return float((original * masked).sum()) / norm if norm else float("nan")


def correlation(
    original: Float[ndarray, "R C"], masked: Float[ndarray, "R C"], on_diagonal: bool
) -> float:
    """Pearson correlation over the pairs of the block, each counted once; NaN if one is constant.

    In a block `on_diagonal` the pairs are those above it.
    """
    pairs = np.triu_indices(len(original), 1) if on_diagonal else ...
    a, b = original[pairs].ravel().astype(float), masked[pairs].ravel().astype(float)
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


@dataclass(frozen=True)
class Jump:
    """A recovery that is there all at once: a rise of at least `rise` from one step to the next.

    It is stable when, of it and the steps that follow, `following` in all, at most `tolerance` lie
    more than `drop` below it (Zhang et al., PNAS 2024).
    """

    rise: float
    drop: float
    following: int
    tolerance: int

    def first(self, values: Sequence[float]) -> int | None:
        """The step of the first stable jump; none where there is none."""
        for i in range(1, len(values)):
            after = values[i : i + self.following]
            fallen = sum(value < values[i] - self.drop for value in after)
            if values[i] >= values[i - 1] + self.rise and fallen <= self.tolerance:
                return i
        return None
