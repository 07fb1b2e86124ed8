"""How a network is trained: from which weights, in how many steps, by which optimizers."""

from dataclasses import dataclass

import torch
from torch import nn

from harness.models.muon import StackedMuon
from harness.models.network import Architecture, Network


@dataclass(frozen=True)
class Recipe:
    """How long and how to train.

    Muon (Jordan et al., 2024) moves the matrices of the layers, AdamW everything else. Both
    learning rates warm up linearly, stay constant until half time and fall linearly to 1 %.
    """

    steps: int
    batch_size: int
    masked_fraction: float
    muon_rate: float
    adamw_rate: float
    warmup_steps: int
    embedding_sd: float
    seed: int

    def rate(self, step: int) -> float:
        """Share of the full learning rate at a step (0-based)."""
        decay = 1 - 0.99 * max(0.0, 2 * step / self.steps - 1)
        return min(decay, (step + 1) / self.warmup_steps, 1.0)


def initialized(architecture: Architecture, recipe: Recipe) -> Network:
    """An untrained network, by the seed of the recipe."""
    torch.manual_seed(recipe.seed)
    network = Network(architecture)
    nn.init.normal_(network.embed_tokens.weight, std=recipe.embedding_sd)
    return network


def optimizers(network: Network, recipe: Recipe) -> list[tuple[torch.optim.Optimizer, float]]:
    """Each optimizer with its full learning rate."""
    layers = [weights for layer in network.layers for weights in layer.parameters()]
    matrices = [weights for weights in layers if weights.ndim == 2]
    taken = {id(weights) for weights in matrices}
    others = [weights for weights in network.parameters() if id(weights) not in taken]
    return [
        (StackedMuon(matrices, recipe.muon_rate), recipe.muon_rate),
        (torch.optim.AdamW(others, betas=(0.9, 0.98), weight_decay=0.0), recipe.adamw_rate),
    ]


def training_flops(network: Network, length: int) -> int:
    """Operations of matrix products for one token of so many, forward and backward.

    Six for each weight of a matrix (Kaplan et al., 2020), those of the embedding where it makes
    logits, and twelve a layer, channel and token attended to.
    """
    architecture = network.architecture
    matrices = sum(weights.numel() for weights in network.parameters() if weights.ndim == 2)
    return 6 * matrices + 12 * architecture.layers * architecture.width * length
