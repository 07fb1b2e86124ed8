"""Derivatives of the logits by the input, exact, in reverse and in forward mode.

The input is relaxed: x[i, a] of amino acid a's embedding is added at residue i, and x is zero. The
sequence goes through the network once; what remains is a linear map, applied to a batch of vectors
at a time. Beside that batch, the activations of one sequence are held.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from harness.models.network import Network

LinearMap = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Mode:
    """A way to differentiate: the linear map (B, L, 20) -> (B, L, 20) at a sequence."""

    linearize: Callable[[Network, Tensor], LinearMap]
    passes: int
    """What linearizing costs, a backward pass counting as one; each vector costs one more."""


def placed(
    sites: Int[Tensor, " B"], directions: Float[Tensor, "B 20"], length: int
) -> Float[Tensor, "B L 20"]:
    """Vectors that are directions[m] at position sites[m] and zero elsewhere."""
    vectors = directions.new_zeros(len(sites), length, directions.shape[1])
    vectors[torch.arange(len(sites), device=sites.device), sites] = directions
    return vectors


def one_gradient(network: Network, residues: Int[Tensor, "B L"]) -> Float[Tensor, "B L 20"]:
    """A forward and a backward pass of the first sequence, to count their operations."""
    x, logits = _relaxed(network, residues[0])
    return _products(logits, x, torch.ones_like(logits)[None])


def _reverse(network: Network, residues: Int[Tensor, " L"]) -> LinearMap:
    """From weights of the logits to the gradient by x of their weighted sum."""
    x, logits = _relaxed(network, residues)
    return lambda weights: _products(logits, x, weights)


def _forward(network: Network, residues: Int[Tensor, " L"]) -> LinearMap:
    """From a change of x to the change of the logits.

    The gradient is linear in the weights of the logits; its derivative by them, carried backward in
    its turn, is the forward derivative (Townsend, "A new trick for calculating Jacobian vector
    products", 2017).
    """
    x, logits = _relaxed(network, residues)
    weights = torch.zeros_like(logits, requires_grad=True)
    (gradient,) = torch.autograd.grad(logits, x, weights, create_graph=True)
    return lambda changes: _products(gradient, weights, changes)


def _relaxed(
    network: Network, residues: Int[Tensor, " L"]
) -> tuple[Float[Tensor, "L 20"], Float[Tensor, "L 20"]]:
    """The relaxed input and the logits, with the graph between them."""
    weights = network.embed_tokens.weight
    x = weights.new_zeros(len(residues), 20, requires_grad=True)
    eager = torch.compiler.set_stance("force_eager")  # what is compiled has no batched derivative
    with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH), eager:  # fused attention neither
        return x, network.relaxed_logits(residues, x)


def _products(outputs: Tensor, inputs: Tensor, weights: Float[Tensor, "B L 20"]) -> Tensor:
    """Derivatives by the inputs of the outputs' weighted sums, many at a time."""
    (found,) = torch.autograd.grad(
        outputs, inputs, weights.to(outputs), retain_graph=True, is_grads_batched=True
    )
    return found


REVERSE = Mode(_reverse, passes=1)
FORWARD = Mode(_forward, passes=2)
