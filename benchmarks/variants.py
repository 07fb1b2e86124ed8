"""Other ways to run the same network on a CPU, from a plain one in float32."""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from numpy import ndarray
from torch import Tensor, nn

from benchmarks.engine import settings
from harness.methods.categorical_jacobian import CategoricalJacobian, Storage
from harness.models.checkpoint import load_checkpoint
from harness.models.network import Network
from harness.protein import Protein
from harness.protocols import Cost

Forward = Callable[[Tensor], Tensor]  # residues (B, L) to logits (B, L, 20)


class Packed(nn.Module):
    """A linear layer by oneDNN, its weights laid out for that library's kernels."""

    def __init__(self, linear: nn.Linear, activation: str = "none") -> None:
        super().__init__()
        self._weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), None)
        self._bias, self._activation = linear.bias.detach(), activation

    def forward(self, x: Tensor) -> Tensor:
        """The product, the bias and the activation (`gelu`: the exact one)."""
        how = (self._activation, [], "none")
        return torch.ops.mkldnn._linear_pointwise(x, self._weight, self._bias, *how)


def plain(checkpoint: Path) -> Network:
    """The network of a checkpoint in float32, nothing fused or packed."""
    return load_checkpoint(checkpoint).network


def eager(network: Network) -> Forward:
    """The network as it is."""
    return network.residue_logits


def packed(network: Network) -> Forward:
    """Every linear layer packed."""
    for name, module in list(network.named_modules()):
        if isinstance(module, nn.Linear):
            parent, _, last = name.rpartition(".")
            setattr(network.get_submodule(parent), last, Packed(module))
    return network.residue_logits


def bfloat16(network: Network) -> Forward:
    """The layers in bfloat16, embedding and head in float32."""
    network.layers.bfloat16()
    return network.residue_logits


def float16(network: Network) -> Forward:
    """The layers in float16, embedding and head in float32."""
    network.layers.half()
    return network.residue_logits


def int8(network: Network) -> Forward:
    """Weights of all linear layers in 8 bits, activations quantized as they come."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch announces the move of this to torchao
        return torch.ao.quantization.quantize_dynamic(network, {nn.Linear}).residue_logits


def compiled(network: Network) -> Forward:
    """torch.compile, default mode."""
    torch.compiler.reset()
    return torch.compile(network.residue_logits)


def frozen(network: Network) -> Forward:
    """torch.compile with the weights as constants, which lets it pack them."""
    torch.compiler.reset()
    return torch.compile(network.residue_logits, options={"freezing": True})


VARIANTS = {way.__name__: way for way in (eager, packed, bfloat16, float16, int8, compiled, frozen)}


class Variant:
    """A forward pass as the methods see a model; nineteen mutants at once, one shape for all."""

    n_parameters = 0
    fingerprint = ""

    def __init__(self, forward: Forward) -> None:
        self._forward, self.cost = forward, Cost()

    def logits(self, residues: Tensor) -> Tensor:
        """Logits of each sequence, in float32."""
        with torch.inference_mode():
            return self._forward(residues).float()

    def substituted_logits(
        self, residues: Tensor, sites: Tensor, substitutes: Tensor
    ) -> Iterator[tuple[slice, Tensor]]:
        """Logits of the mutants."""
        for start in range(0, len(sites), 19):
            part = slice(start, start + 19)
            mutants = residues.repeat(len(sites[part]), 1)
            mutants[torch.arange(len(mutants)), sites[part]] = substitutes[part]
            yield part, self.logits(mutants)


def contacts_by(variant: Variant, sequence: str, storage: Storage) -> ndarray:
    """The contact map of the categorical Jacobian, as published."""
    stated = settings("method/categorical_jacobian") | {"model": variant, "storage": storage}
    method = CategoricalJacobian(**stated)
    return method(Protein("random", sequence))
