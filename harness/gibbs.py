"""Sequences of many Potts families at once, by block Gibbs sampling on any device."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int, Int8
from numpy import ndarray
from torch import Tensor

from harness.alphabet import AMINO_ACIDS
from harness.potts_families import PottsFamily, neighbor_table

_LARGEST = {"cpu": 2**22, "cuda": 2**29}
"""Weights in memory at once."""


def sample(
    families: Sequence[PottsFamily], n: int, sweeps: int, seed: int, device: str = "cpu"
) -> Int8[ndarray, "F n L"]:
    """`n` independent sequences of each family, from random starts.

    The same seed gives the same ones on one kind of device.

    A cubic lattice is two-colored, so all residues at even places are drawn at once given those at
    odd ones, and the other way round: exact conditionals, in single precision.
    """
    states, (length, n_contacts) = len(AMINO_ACIDS), (len(families[0].fields), _contacts(families))
    generator = torch.Generator(device).manual_seed(seed)
    per_family = n * (length // 2 + 1) * states
    together = max(1, _LARGEST.get(generator.device.type, 2**22) // per_family)
    found = np.empty((len(families), n, length), dtype=np.int8)
    for start in range(0, len(families), together):
        part = families[start : start + together]
        chains = _Chains(part, n_contacts, generator)
        found[start : start + together] = chains.sample(n, sweeps).cpu().numpy()
    return found


def _contacts(families: Sequence[PottsFamily]) -> int:
    counts = {len(family.pairs) for family in families}
    if len(counts) != 1:
        raise ValueError(f"families of different sizes ({sorted(counts)} contacts)")
    return counts.pop()


class _Chains:
    """Gibbs chains of some families."""

    def __init__(
        self, families: Sequence[PottsFamily], n_contacts: int, generator: torch.Generator
    ) -> None:
        self.generator, self.device = generator, generator.device
        self.length, self.states = families[0].fields.shape
        self.fields = self._factors(np.stack([family.fields for family in families]))
        seen = np.stack([family.interactions for family in families])  # F C 20 20
        # row x of a table holds the factors of a residue whose neighbor is x
        both = np.concatenate((seen.transpose(0, 1, 3, 2), seen), axis=1)
        none = np.zeros_like(both[:, :1])
        self.table = self._factors(np.concatenate((both, none), axis=1)).reshape(-1, self.states)
        neighbors, through = (torch.from_numpy(a) for a in neighbor_table(families))
        first = (2 * n_contacts + 1) * torch.arange(len(families))[:, None, None]
        self.neighbors = neighbors.to(self.device)
        self.rows = ((through + first) * self.states).to(self.device)

    def sample(self, n: int, sweeps: int) -> Int8[Tensor, "F n L"]:
        """Where the chains are after so many sweeps."""
        shape = (len(self.fields), n, self.length + 1)  # the last place stands for no neighbor
        x = torch.randint(self.states, shape, generator=self.generator, device=self.device)
        for _ in range(sweeps):
            for color in (0, 1):
                sites = slice(color, self.length, 2)
                x[:, :, sites] = self._drawn(self._weights(x, sites))
        return x[..., :-1].to(torch.int8)

    def _weights(self, x: Int[Tensor, "F n M"], sites: slice) -> Float[Tensor, "F n S 20"]:
        """Unnormalized probabilities at some sites, given all others."""
        weights = self.fields[:, None, sites].repeat(1, x.shape[1], 1, 1)
        for k in range(self.neighbors.shape[-1]):
            there = self.neighbors[:, None, sites, k].expand(-1, x.shape[1], -1)
            weights *= self.table[self.rows[:, None, sites, k] + x.gather(2, there)]
        return weights

    def _drawn(self, weights: Float[Tensor, "... 20"]) -> Int[Tensor, "..."]:
        """One state for each distribution."""
        cumulative = weights.cumsum(-1)
        drawn = torch.rand(weights.shape[:-1], generator=self.generator, device=self.device)
        threshold = drawn[..., None] * cumulative[..., -1:]
        return (cumulative[..., :-1] <= threshold).sum(-1)

    def _factors(self, energies: ndarray) -> Float[Tensor, "..."]:
        return torch.from_numpy(np.exp(energies)).float().to(self.device)
