"""The procedure of Zhang et al. (PNAS 2024), written from its description.

One position at a time: its twenty mutants, the wild type among them, go through fair-esm's network
as one batch. Logits are collected in a double-precision NumPy tensor and processed there.
"""

import warnings
from collections.abc import Iterable
from pathlib import Path

import esm
import numpy as np
import torch
from numpy import ndarray
from torch import Tensor

from benchmarks.checkpoints import read
from benchmarks.operations import operations

AMINO_ACIDS = slice(4, 24)
"""Where the twenty are in ESM-2's vocabulary."""


class Published:
    """`start` with a protein, `fill` in all its positions, then ask for the `contacts`."""

    mutants = 20

    def __init__(self, checkpoint: Path, device: torch.device) -> None:
        with warnings.catch_warnings(), torch.device(device):
            warnings.filterwarnings("ignore", message="Regression weights not found")
            content = read(checkpoint)
            loaded = esm.pretrained.load_model_and_alphabet_core("esm2_random", content, None)
        self._network = loaded[0].to(device).eval().requires_grad_(False)
        self._device = device

    def start(self, sequence: str) -> None:
        """An empty tensor and the logits of the sequence as it is."""
        self._tokens = tokens_of(sequence).to(self._device)
        self._baseline = self._logits(self._tokens)
        self._jacobian = np.zeros((len(sequence), 20, len(sequence), 20))

    def fill(self, sites: Iterable[int]) -> None:
        """Compute these positions."""
        for i in sites:
            self._jacobian[i] = self._logits(mutants_at([i], self._tokens)) - self._baseline

    def contacts(self) -> ndarray:
        """The contact map; uses up the tensor."""
        return contact_map(self._jacobian)

    def whole(self, sequence: str) -> ndarray:
        """The contact map of a protein."""
        self.start(sequence)
        self.fill(range(len(sequence)))
        return self.contacts()

    def operations(self) -> float:
        """Floating-point operations of one mutant."""
        return operations(lambda: self.fill([0])) / self.mutants

    def _logits(self, tokens: Tensor) -> ndarray:
        with torch.no_grad():
            return self._network(tokens)["logits"][:, 1:-1, AMINO_ACIDS].cpu().numpy()


def tokens_of(sequence: str) -> Tensor:
    """The tokens (1, L + 2) of a sequence, by fair-esm's own converter."""
    alphabet = esm.data.Alphabet.from_architecture("ESM-1b")
    return alphabet.get_batch_converter()([("", sequence)])[2]


def mutants_at(sites: list[int], tokens: Tensor) -> Tensor:
    """The tokens with each of the twenty at each site in turn (20 for each site, L + 2)."""
    amino_acids = torch.arange(33, device=tokens.device)[AMINO_ACIDS]
    mutants = tokens.repeat(20 * len(sites), 1)
    for n, i in enumerate(sites):
        mutants[20 * n : 20 * (n + 1), i + 1] = amino_acids
    return mutants


def contact_map(x: ndarray) -> ndarray:
    """Contacts (L, L) of a Jacobian (L, 20, L, 20), which is centered in place."""
    for axis in range(4):
        x -= x.mean(axis, keepdims=True)
    x = (x + x.transpose(2, 3, 0, 1)) / 2
    scores = np.sqrt(np.square(x).sum((1, 3)))
    np.fill_diagonal(scores, 0)
    scores -= scores.sum(0, keepdims=True) * scores.sum(1, keepdims=True) / scores.sum()
    np.fill_diagonal(scores, 0)
    return scores
