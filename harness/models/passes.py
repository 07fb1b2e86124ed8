"""The ways through the network that results can be asked from."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from harness.contact_regression import ContactRegression
from harness.models import differentiation
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
