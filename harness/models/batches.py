"""Batches as large as the memory takes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from harness.errors import PrerequisiteError

_OUT_OF_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")


@dataclass
class TokenBudget:
    """How many tokens go through the network at once; halved for good when memory runs out."""

    tokens: int

    def __post_init__(self) -> None:
        if self.tokens < 1:
            raise ValueError(f"tokens_per_batch is {self.tokens}; it must be positive")

    def split(
        self, n: int, length: int, run: Callable[[slice], Tensor]
    ) -> Iterator[tuple[slice, Tensor]]:
        """Results of `run` for slices of 0…n-1, each of as many sequences as the budget takes.

        `length` is the number of tokens of a sequence. A slice holds one sequence at least; when
        there is no memory for one, that is a PrerequisiteError.
        """
        start = 0
        while start < n:
            size = max(1, self.tokens // length)
            rows = slice(start, min(n, start + size))
            result = self._attempt(rows, length, run)
            if result is not None:
                yield rows, result
                start = rows.stop

    def _attempt(self, rows: slice, length: int, run: Callable[[slice], Tensor]) -> Tensor | None:
        """The result, or none when memory ran out and the budget has been halved."""
        try:
            return run(rows)
        except (torch.OutOfMemoryError, RuntimeError) as error:
            if not any(text in str(error) for text in _OUT_OF_MEMORY):
                raise
            if rows.stop - rows.start == 1:
                raise PrerequisiteError(
                    f"out of memory for a single sequence of {length} tokens ({error}); use a "
                    "smaller model, model.dtype=bfloat16, a shorter protein or a larger device"
                ) from error
        self.tokens = length * max(1, (rows.stop - rows.start) // 2)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return None
