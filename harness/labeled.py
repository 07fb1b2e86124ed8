"""Proteins whose answers a method may read, because they are never scored."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.errors import PrerequisiteError
from harness.protocols import Dataset
from harness.sample import Sample


@dataclass(frozen=True)
class LabeledProteins:
    """`n` of the proteins that a data set sets aside, drawn by the seed.

    A larger `n` adds to the proteins of a smaller one.
    """

    dataset: Dataset
    n: int
    seed: int

    def __post_init__(self) -> None:
        if self.n < 1:
            raise ValueError(f"n is {self.n}; a method with labeled proteins needs at least one")

    def __iter__(self) -> Iterator[Sample]:
        """The samples, in the order of their draw."""
        return (self.dataset[identifier] for identifier in self.ids)

    @property
    def ids(self) -> list[str]:
        """Which were drawn; PrerequisiteError when the data set has too few."""
        there = self.dataset.labeled_ids
        if len(there) < self.n:
            raise PrerequisiteError(
                f"{self.n} labeled proteins are wanted and the data set sets {len(there)} aside: "
                "raise dataset.labeled=N, or lower method.labeled.n"
            )
        order = np.random.default_rng(self.seed).permutation(len(there))
        return [there[k] for k in order[: self.n]]
