"""A network on its device: passes in slices that fit the memory, each accounted for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from harness.errors import InputError
from harness.models.batches import TokenBudget
from harness.models.flops import FlopCounts
from harness.models.network import Network
from harness.models.passes import LOGITS, Pass
from harness.protocols import Cost

Slices = Iterator[tuple[slice, Tensor]]


@dataclass(eq=False)
class Running:
    """Runs passes; sequences of more than `context` residues are refused (none: no bound)."""

    network: Network
    device: torch.device
    budget: TokenBudget
    context: int | None
    cost: Cost = field(default_factory=Cost)

    def __post_init__(self) -> None:
        self._flops = FlopCounts(self.network.architecture, self.network.ends)
        self._flops(LOGITS.kind, 1, LOGITS.run)  # loads the counter, which takes a second once

    def slices(self, step: Pass, n: int, length: int, compute: Callable[[slice], Tensor]) -> Slices:
        """Results of `compute` for slices of n sequences of so many residues."""
        if self.context is not None and length > self.context:
            raise InputError(
                f"a sequence of {length} residues is beyond the context of {self.context} that "
                "this model was trained on; use windows=overlapping "
                f"windows.size={self.context}, or allow it with model.context=null"
            )
        for rows, result in self.budget.split(n, self._tokens(length), compute):
            self.spend(step, len(result), length)
            yield rows, result

    def spend(self, step: Pass, n: int, length: int) -> None:
        """Account for n sequences that went this way through the network."""
        flops = self._flops(step.kind, length, step.run)
        if step.after is not None:
            flops -= self._flops(step.after.kind, length, step.after.run)
        self.cost.forward_passes += n
        self.cost.tokens += n * self._tokens(length)
        self.cost.flops += n * flops
        if self.device.type == "cuda":
            self.cost.peak_device_bytes = torch.cuda.max_memory_allocated(self.device)

    def _tokens(self, length: int) -> int:
        return length + 2 * self.network.margin
