"""Batches to train on: what is drawn depends on the seed alone, and can be taken up again."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Generator, Tensor

from harness.alphabet import AMINO_ACIDS, MASK, UNKNOWN
from harness.corpus import Bucket


class Batches:
    """Batches of equally long sequences, reshuffled whenever all have been used.

    Sequences with weights are drawn with replacement, as often as there are sequences. `size` is
    the number of sequences of mean length in a batch; longer ones are fewer.
    """

    def __init__(self, buckets: Sequence[Bucket], size: int, generator: Generator) -> None:
        self._buckets, self._generator = buckets, generator
        residues = sum(bucket.sequences.size for bucket in buckets)
        mean = residues / sum(len(bucket.sequences) for bucket in buckets)
        self._sizes = [max(1, round(size * mean / b.sequences.shape[1])) for b in buckets]
        self._sequences = [torch.from_numpy(b.sequences).to(self._device) for b in buckets]
        self._taken, self._epoch = 0, generator.get_state()
        self._left: Iterator[tuple[int, Tensor]] = iter(())

    def __next__(self) -> Int[Tensor, "B L"]:
        """The next batch."""
        chosen = next(self._left, None)
        if chosen is None:
            self._begin()
            chosen = next(self._left)
        self._taken += 1
        place, rows = chosen
        return self._sequences[place][rows].long()

    def state(self) -> dict[str, Any]:
        """Where the batches are, to go on from there."""
        return {"epoch": self._epoch, "taken": self._taken, "now": self._generator.get_state()}

    def go_on(self, state: dict[str, Any]) -> None:
        """Be where that state was."""
        self._generator.set_state(state["epoch"].cpu())
        self._begin()
        for _ in range(state["taken"]):
            next(self._left)
        self._taken = state["taken"]
        self._generator.set_state(state["now"].cpu())

    def _begin(self) -> None:
        """Shuffle."""
        self._taken, self._epoch = 0, self._generator.get_state()
        batches = [
            (place, rows)
            for place, bucket in enumerate(self._buckets)
            for rows in self._order(bucket).split(self._sizes[place])
        ]
        if len(self._buckets) > 1:
            order = torch.randperm(len(batches), generator=self._generator, device=self._device)
            batches = [batches[n] for n in order.tolist()]
        self._left = iter(batches)

    def _order(self, bucket: Bucket) -> Int[Tensor, " N"]:
        n = len(bucket.sequences)
        if bucket.weights is None:
            return torch.randperm(n, generator=self._generator, device=self._device)
        weights = torch.from_numpy(bucket.weights).to(self._device)
        return torch.multinomial(weights, n, replacement=True, generator=self._generator)

    @property
    def _device(self) -> torch.device:
        return self._generator.device


def corrupt(
    batch: Int[Tensor, "B L"], fraction: float, generator: Generator
) -> tuple[Int[Tensor, "B L"], Bool[Tensor, "B L"]]:
    """The batch with a random share of its residues chosen for prediction, and which they are.

    Of the chosen ones 80 % are masked, 10 % replaced by a random amino acid and 10 % kept
    (Devlin et al., 2019; as ESM-2). The last 10 % matter here: they teach the model to predict
    at visible residues, which is where the categorical Jacobian reads it. Unknown residues and
    gaps are never chosen.
    """
    device = batch.device
    chosen = torch.rand(batch.shape, generator=generator, device=device) < fraction
    fate = torch.rand(batch.shape, generator=generator, device=device)
    random = torch.randint(len(AMINO_ACIDS), batch.shape, generator=generator, device=device)
    chosen &= batch < UNKNOWN
    corrupted = batch.masked_fill(chosen & (fate < 0.8), MASK)
    return torch.where(chosen & (fate >= 0.9), random, corrupted), chosen
