"""Floating-point operations of a pass, counted by PyTorch without running it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from harness.models.network import Architecture, Network
from harness.models.vocabulary import Ends


@dataclass(frozen=True)
class FlopCounts:
    """Operations of one sequence by kind of pass and length; each counted once.

    Counted on the meta device: shapes without numbers. Matrix products count, those of attention
    among them; norms, activations and rotations do not. (On a CPU PyTorch's counter does not see
    fused attention; on the meta device there is none.) What is shared by the first layers of
    mutants, or packed, counts as if it were computed for each sequence.
    """

    architecture: Architecture
    ends: Ends = "kept"
    _known: dict[tuple[str, int], int] = field(default_factory=dict)

    def __call__(self, kind: str, length: int, run: Callable[[Network, Tensor], object]) -> int:
        """Operations of `run` for one sequence; `kind` names it."""
        if (kind, length) not in self._known:
            with torch.device("meta"), FlopCounterMode(display=False) as counter:
                run(self._network, torch.zeros(1, length, dtype=torch.long))
            self._known[kind, length] = counter.get_total_flops()
        return self._known[kind, length]

    @cached_property
    def _network(self) -> Network:
        with torch.device("meta"):
            network = Network(self.architecture).eval()
        network.stand_between(self.ends)
        return network
