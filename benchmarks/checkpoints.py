"""Random checkpoints of the published shapes: speed does not depend on what the weights say."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch

from harness.alphabet import AMINO_ACIDS
from harness.models.fair_esm import save_fair_esm
from harness.models.network import Architecture, Network

SHAPES = {
    "tiny": Architecture(layers=2, width=40, heads=4, token_dropout=True),  # for tests
    "8M": Architecture(layers=6, width=320, heads=20, token_dropout=True),
    "35M": Architecture(layers=12, width=480, heads=20, token_dropout=True),
    "150M": Architecture(layers=30, width=640, heads=20, token_dropout=True),
    "650M": Architecture(layers=33, width=1280, heads=20, token_dropout=True),
    "3B": Architecture(layers=36, width=2560, heads=40, token_dropout=True),
}


def random_checkpoint(size: str, folder: Path, device: torch.device) -> Path:
    """The path of a new checkpoint; matrices have variance 1 / columns, so logits are near one."""
    torch.manual_seed(0)
    with torch.device(device), torch.no_grad():
        network = Network(SHAPES[size])
        for weights in network.parameters():
            if weights.ndim == 2:
                weights.normal_(std=weights.shape[1] ** -0.5)
    path = folder / f"{size}.pt"
    save_fair_esm(network, path)
    return path


def read(path: Path) -> dict[str, Any]:
    """The content of a checkpoint: `cfg` and `model`."""
    with torch.serialization.safe_globals([argparse.Namespace]):
        return torch.load(path, map_location="cpu", weights_only=True)


def random_sequence(length: int) -> str:
    """Amino acids drawn alike, always the same ones."""
    return "".join(np.random.default_rng(length).choice(list(AMINO_ACIDS), length))
