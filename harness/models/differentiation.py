"""Derivatives of the logits by the input, exact, in reverse and in forward mode.

The input is relaxed: x[i, a] of amino acid a's embedding is added at residue i, and x is zero.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.func import jvp, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from harness.models.network import Network

Mode = Callable[[Network, Tensor, Tensor, Tensor], Tensor]


def reverse(
    network: Network,
    residues: Int[Tensor, " L"],
    sites: Int[Tensor, " B"],
    directions: Float[Tensor, "B 20"],
) -> Float[Tensor, "B L 20"]:
    """Gradient by x of directions[m] · logits[sites[m]], for every m: one backward pass each."""
    x = directions.new_zeros(len(residues), directions.shape[1], requires_grad=True)
    with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):  # the one that vmap can batch
        outputs = (network.relaxed_logits(residues, x)[sites] * directions).sum(1)
        each = torch.eye(len(sites), dtype=x.dtype, device=x.device)
        (found,) = torch.autograd.grad(outputs, x, each, is_grads_batched=True)
    return found


def forward(
    network: Network,
    residues: Int[Tensor, " L"],
    sites: Int[Tensor, " B"],
    directions: Float[Tensor, "B 20"],
) -> Float[Tensor, "B L 20"]:
    """Derivative of all logits along directions[m] at residue sites[m], for every m."""
    x = directions.new_zeros(len(residues), directions.shape[1])
    tangents = x.repeat(len(sites), 1, 1)
    tangents[torch.arange(len(sites), device=x.device), sites] = directions

    def along(tangent: Tensor) -> Tensor:
        return jvp(lambda x: network.relaxed_logits(residues, x), (x,), (tangent,))[1]

    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        return vmap(along)(tangents)


def one_gradient(network: Network, residues: Int[Tensor, "B L"]) -> Float[Tensor, "B L 20"]:
    """One gradient, to count its operations."""
    x = torch.zeros(*residues.shape[1:], 20, requires_grad=True)
    with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):
        return torch.autograd.grad(network.relaxed_logits(residues[0], x).sum(), x)[0][None]
