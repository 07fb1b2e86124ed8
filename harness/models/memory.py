"""What a model needs of the memory there is, before it is loaded and before maps are made."""

from dataclasses import dataclass

import torch

from harness.device import require_memory
from harness.models.network import Architecture
from harness.models.packing import required_bytes, weight_bytes

NUMBERS_PER_TOKEN = 16
"""Activations of a layer per token and channel: the stream, queries, keys, values, four wide ones
before and after their nonlinearity, and room."""

SHORTEST_BATCH = 1024
"""Tokens of the longest sequence that the published models were trained on."""


@dataclass(frozen=True)
class Plan:
    """A model of this shape, whose layers are to compute in `dtype` on a device."""

    architecture: Architecture
    dtype: torch.dtype
    device: torch.device

    def require_weights(self, what: str, tokens: int | None) -> None:
        """Nothing; raises PrerequisiteError when the weights and a batch of tokens do not fit.

        On the way to another device they are on the CPU, in `dtype` already.
        """
        batch = (tokens or SHORTEST_BATCH) * NUMBERS_PER_TOKEN * self.architecture.width * 4
        smaller = "model.dtype=bfloat16, " if self.dtype == torch.float32 else ""
        fewer = "a smaller model.tokens_per_batch, " if tokens else ""
        needed = required_bytes(self.architecture, self.dtype, self.device) + batch
        require_memory(
            needed, self.device, what, f"use {smaller}{fewer}a smaller model or a larger device"
        )
        if self.device.type != "cpu":
            size = weight_bytes(self.architecture, self.dtype)
            instead = f"use {smaller}a smaller model"
            require_memory(size, torch.device("cpu"), f"loading {what}", instead)

    def require_maps(self, length: int) -> None:
        """Nothing; raises PrerequisiteError when the attention maps of so many residues do not."""
        layers, heads = self.architecture.layers, self.architecture.heads
        require_memory(
            layers * heads * length**2 * 4,
            self.device,
            f"attention of {layers} × {heads} heads over {length} residues",
            "use shorter windows (windows=overlapping windows.size=N) or a larger device",
        )
