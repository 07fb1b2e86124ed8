"""Training by several processes, each of which computes its share of every batch."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Tensor, distributed

from harness.errors import PrerequisiteError

_PATIENCE = timedelta(hours=12)
"""How long one process waits for the others: the first one also measures what was trained."""


@dataclass(frozen=True)
class Processes:
    """Which of how many processes this one is.

    All of them draw the same batches with the same seed. Each takes every `size`-th sequence and
    divides its losses by what all have chosen, so that the gradients add up to those of the batch.
    """

    rank: int
    size: int

    def share(self, batch: Tensor) -> Tensor:
        """The rows of this process."""
        return batch[self.rank :: self.size]

    def add_up_(self, tensors: Iterable[Tensor]) -> None:
        """Replace each tensor by its sum over all processes."""
        if self.size == 1:
            return
        kept = list(tensors)
        flat = torch.cat([tensor.flatten() for tensor in kept])
        distributed.all_reduce(flat)
        for tensor, summed in zip(kept, flat.split([t.numel() for t in kept]), strict=True):
            tensor.copy_(summed.view_as(tensor))


@contextmanager
def processes(device: torch.device) -> Iterator[Processes]:
    """The processes that torchrun has started; without it, this one alone."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Processes(0, 1)
        return
    started = not distributed.is_initialized()
    if started:
        backend = "nccl" if device.type == "cuda" else "gloo"
        distributed.init_process_group(backend, timeout=_PATIENCE)
    yield Processes(distributed.get_rank(), size)


def own_device(device: torch.device) -> torch.device:
    """That device; of several, under torchrun, the one of this process."""
    if device.type != "cuda" or device.index is not None or "LOCAL_RANK" not in os.environ:
        return device
    place = int(os.environ["LOCAL_RANK"])
    if place >= torch.cuda.device_count():
        raise PrerequisiteError(
            f"process {place} of torchrun has no GPU of its own ({torch.cuda.device_count()} "
            "there); start fewer (--nproc-per-node)"
        )
    return torch.device("cuda", place)
