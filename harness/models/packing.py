"""A network made ready for inference: one product for queries, keys and values; packed weights."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from harness.models.network import Architecture, Network, expected_shapes, in_layers

_PACKED_BYTES = 4 * 2**30
"""Weights are packed when they take no more than this: the packed copy takes as much again."""


class PackedLinear(nn.Module):
    """A linear layer with a copy of its weights in the order of oneDNN's kernels.

    On a CPU in single precision that is 2–8 % faster than `nn.Linear` (`docs/results/speed.md`).
    Derivatives go through the layer itself: the kernel has none.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.linear = linear
        self.packed = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), None)

    def forward(self, x: Float[Tensor, "... I"]) -> Float[Tensor, "... O"]:
        """The product with the weights, plus the bias."""
        if not torch.is_inference_mode_enabled():
            return self.linear(x)
        return torch.ops.mkldnn._linear_pointwise(x, self.packed, self.linear.bias, "none", [], "")


def prepare(network: Network, dtype: torch.dtype, device: torch.device, compiled: bool) -> Network:
    """The network itself, changed for inference: it can no longer be trained or saved.

    The layers compute in `dtype`; embedding and head stay in single precision, and so do the
    frequencies of the positions, which half precision would blur. Layers go to the device one by
    one, already in their precision: it never holds more than `weight_bytes`.
    """
    for layer in network.layers:
        rotary = layer.self_attn.rot_emb
        frequencies = None if rotary is None else rotary.inv_freq.to(device)
        layer.to(device, dtype)
        if rotary is not None and frequencies is not None:
            rotary.inv_freq = frequencies
        layer.self_attn.fuse()
        if compiled:
            layer.compile(dynamic=True)  # once: the layers are alike
    network.to(device)
    size = weight_bytes(network.architecture, dtype)
    if not compiled and _packs(size, dtype, device):
        for name, module in list(network.named_modules()):
            if isinstance(module, nn.Linear):
                network.set_submodule(name, PackedLinear(module))
    return network


def required_bytes(architecture: Architecture, dtype: torch.dtype, device: torch.device) -> int:
    """Memory that a prepared network takes, the packed copy of its weights included."""
    size = weight_bytes(architecture, dtype)
    return size * 2 if _packs(size, dtype, device) else size


def weight_bytes(architecture: Architecture, dtype: torch.dtype) -> int:
    """Bytes of the weights: those of the layers in `dtype`, all others in single precision."""
    return sum(
        shape.numel() * (dtype.itemsize if in_layers(name) else 4)
        for name, shape in expected_shapes(architecture).items()
    )


def _packs(size: int, dtype: torch.dtype, device: torch.device) -> bool:
    """Whether weights of so many bytes are packed."""
    possible = device.type == "cpu" and torch.backends.mkldnn.is_available()
    return possible and dtype == torch.float32 and size <= _PACKED_BYTES
