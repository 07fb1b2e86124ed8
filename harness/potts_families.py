"""Families of Potts models on lattice proteins, their couplings known exactly.

As the embedded lattice families, but on a lattice of any side, and with a choice of couplings: the
one shared matrix of contact energies, or a random matrix for every contact of every family. Only
the latter have as many independent values as they have couplings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from harness.alphabet import AMINO_ACIDS
from harness.lattice import (
    BETA,
    SPACING,
    compact_walk,
    contact_energies,
    lattice_contacts,
    lattice_distances,
    random_fields,
)

GENERATOR = "potts-1"
"""Version of everything below that shapes a family; a change that moves one raises it."""

MOVES = 200
"""Backbite moves a site that randomize a walk."""

Energies = Literal["random", "shared"]


@dataclass(frozen=True)
class Collection:
    """Families by number: the side of the lattice, kind and size (nats) of couplings, a seed.

    `random` couplings are Gaussian with standard deviation `coupling_sd`, then put into the
    zero-sum gauge; `shared` ones are those of the embedded families times `coupling_sd`.
    """

    seed: int
    side: int
    energies: Energies
    coupling_sd: float

    def __post_init__(self) -> None:
        if self.energies not in get_args(Energies):
            raise ValueError(f"energies is {self.energies!r}; allowed are random and shared")
        if not 2 <= self.side <= 8:
            raise ValueError(f"side is {self.side}; allowed are 2 to 8 sites (8 to 512 residues)")
        if not 0 <= self.coupling_sd < 10:
            raise ValueError(f"coupling_sd is {self.coupling_sd}; allowed are 0 to 10 nats")

    @property
    def version(self) -> str:
        """Generator and everything that shapes a family."""
        shape = f"{self.energies}-sd{self.coupling_sd:g}"
        return f"{GENERATOR}-seed{self.seed}-side{self.side}-{shape}"

    def family(self, index: int) -> "PottsFamily":
        """Family number `index`."""
        generator = np.random.default_rng([self.seed, self.side, index])
        sites, n = self.side**3, MOVES * self.side**3
        turned, axes = generator.random(n) < 0.5, generator.integers(3, size=n)
        ways = 2 * generator.integers(2, size=n) - 1
        moves = zip(turned.tolist(), axes.tolist(), ways.tolist(), strict=True)
        coordinates = SPACING * compact_walk(self.side, moves)
        fields = random_fields(sites, generator)
        pairs = np.argwhere(np.triu(lattice_contacts(lattice_distances(coordinates))))
        interactions = self._interactions(len(pairs), generator)
        return PottsFamily(index, coordinates, fields, pairs, interactions)

    def _interactions(
        self, contacts: int, generator: np.random.Generator
    ) -> Float[ndarray, "C 20 20"]:
        if self.energies == "shared":
            return np.tile(-BETA * self.coupling_sd * contact_energies(), (contacts, 1, 1))
        drawn = generator.standard_normal((contacts, len(AMINO_ACIDS), len(AMINO_ACIDS)))
        drawn -= drawn.mean(axis=1, keepdims=True)
        drawn -= drawn.mean(axis=2, keepdims=True)
        return self.coupling_sd * drawn


@dataclass(frozen=True, eq=False)
class PottsFamily:
    """One family: a walk, and the fields and couplings of its sequences (nats).

    `coordinates` are in Å; contact c couples residues i < j of `pairs[c]` by `interactions[c]`, in
    the zero-sum gauge. The probability of a sequence x is proportional to
    exp(Σ_i fields[i, x_i] + Σ_c interactions[c, x_i, x_j]).
    """

    index: int
    coordinates: Float[ndarray, "L 3"]
    fields: Float[ndarray, "L 20"]
    pairs: Int[ndarray, "C 2"]
    interactions: Float[ndarray, "C 20 20"]

    @cached_property
    def distances(self) -> Float[ndarray, "L L"]:
        """Distances between residues in Å."""
        return lattice_distances(self.coordinates)

    @cached_property
    def contacts(self) -> Bool[ndarray, "L L"]:
        """Pairs of lattice neighbors that are not neighbors along the chain."""
        return lattice_contacts(self.distances)

    @property
    def couplings(self) -> Float[ndarray, "L 20 L 20"]:
        """The interactions at their places, symmetric; zero where there is no contact."""
        length, states = self.fields.shape
        couplings = np.zeros((length, states, length, states))
        for (i, j), interaction in zip(self.pairs, self.interactions, strict=True):
            couplings[i, :, j], couplings[j, :, i] = interaction, interaction.T
        return couplings

    def conditional_cross_entropy(self, sequences: Int[ndarray, "n L"]) -> float:
        """Mean -log p(residue | all others) in nats: what the best possible model reaches."""
        energies = np.tile(self.fields, (len(sequences), 1, 1))
        for (i, j), interaction in zip(self.pairs, self.interactions, strict=True):
            energies[:, i] += interaction[:, sequences[:, j]].T
            energies[:, j] += interaction[sequences[:, i]]
        chosen = np.take_along_axis(energies, sequences[..., None].astype(int), axis=2)[..., 0]
        return float(np.mean(np.log(np.exp(energies).sum(axis=-1)) - chosen))


def neighbor_table(
    families: Sequence[PottsFamily],
) -> tuple[Int[ndarray, "F L D"], Int[ndarray, "F L D"]]:
    """Of each residue its neighbors, and which of 2 C + 1 oriented interactions joins it to each.

    Contact c is number c as its first residue sees it, C + c as its second one does. A residue with
    fewer than D neighbors has residue L and interaction 2 C in the places that are left. C is the
    number of contacts, equal in all families: the edges of the lattice less those of the chain.
    """
    length, n_contacts = len(families[0].fields), len(families[0].pairs)
    degree = max(int(np.bincount(f.pairs.ravel(), minlength=1).max()) for f in families)
    neighbors = np.full((len(families), length, degree), length)
    through = np.full((len(families), length, degree), 2 * n_contacts)
    for f, family in enumerate(families):
        filled = [0] * length
        for c, (i, j) in enumerate(family.pairs.tolist()):
            for own, other, number in ((i, j, c), (j, i, n_contacts + c)):
                neighbors[f, own, filled[own]], through[f, own, filled[own]] = other, number
                filled[own] += 1
    return neighbors, through
