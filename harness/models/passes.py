"""The ways through the network that results can be asked from."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from harness.blocks import Block
from harness.contact_regression import ContactRegression
from harness.models import differentiation
from harness.models.contact_blocks import block_probabilities
from harness.models.network import Network


@dataclass(frozen=True)
class Pass:
    """One way through the network: residues (B, L) in, a result for each sequence out.

    `rest` does the same from the residual stream after a number of layers, where that is possible.
    """

    kind: str
    run: Callable[[Network, Tensor], Tensor]
    rest: Callable[[Network, Tensor, int], Tensor] | None = None
    after: "Pass | None" = None  # what `run` does first, accounted for by itself


LOGITS = Pass("logits", Network.residue_logits, Network.logits_after)
BACKWARD = Pass("gradient", differentiation.one_gradient, after=LOGITS)
ATTENTION = Pass("attention", Network.attention)


def contact_block_by(regression: ContactRegression, block: Block) -> Pass:
    """Probabilities of contact by this regression in a block of the map."""

    def run(network: Network, residues: Tensor) -> Tensor:
        return block_probabilities(network, regression, residues, block)

    shape = f"{len(block.rows)} × {len(block.columns)} of {len(block.residues)} residues"
    return Pass(f"contacts {shape}", run)


def contacts_by(regression: ContactRegression) -> Pass:
    """Probabilities of contact by this regression."""

    def run(network: Network, residues: Tensor) -> Tensor:
        return torch.stack([regression(maps) for maps in network.attention(residues)])

    return Pass("contacts", run)


def hidden_after(layer: int) -> Pass:
    """The residual stream after that many layers."""
    run = partial(Network.hidden, layer=layer)
    rest = partial(Network.hidden_after, layer=layer) if layer else None
    return Pass(f"hidden {layer}", run, rest)
