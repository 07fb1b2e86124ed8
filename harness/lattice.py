"""Lattice protein families whose contacts and couplings are known exactly.

A family is a compact self-avoiding walk on a 3 × 3 × 3 cubic lattice (27 residues) and a Potts
model of its sequences, with couplings on the contacts only. Its sequences are drawn by Gibbs
sampling from random starts: their conditionals are those of the model, while the shares of its
deep basins are those of a quench (see `SWEEPS`). Such models are the standard exactly solvable
test of coevolution methods (Jacquin et al., PLoS Comput. Biol. 2016); the energies here are our
own, from five physical properties of the amino acids.

A cubic lattice is two-colored: neighbors differ in the parity of their position, so contacts lie
at odd |i - j| only, and all residues of one color can be resampled at once, exactly.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from harness.alphabet import AMINO_ACIDS

GENERATOR = "lattice-1"
"""Version of everything below that shapes a sequence; a change that moves one raises it."""

SIDE = 3
LENGTH = SIDE**3
SPACING = 6.5
"""Å between lattice neighbors: contacts fall below the usual 8 Å, diagonals (9.2 Å) do not."""

BETA = 1.0
"""Inverse temperature of the contact energies, whose standard deviation is 1."""

ANCHORS, ANCHOR_SD, FIELD_SD = 0.3, 3.0, 0.5
"""Share of strongly conserved sites, and the standard deviations of the fields in nats."""

SWEEPS = 60
"""Gibbs sweeps from a random start. Then each residue follows its conditional given the others,
but the deep basins still fill: the contact energy of family 0 is -53.7 (-58.5 after 600)."""

# In the order of AMINO_ACIDS: hydropathy of Kyte & Doolittle (1982); volume in Å³ of Zamyatnin
# (1972). Charges are those at pH 7.
_HYDROPATHY = [1.8, -4.5, -3.5, -3.5, 2.5, -3.5, -3.5, -0.4, -3.2, 4.5]
_HYDROPATHY += [3.8, -3.9, 1.9, 2.8, -1.6, -0.8, -0.7, -0.9, -1.3, 4.2]
_VOLUME = [88.6, 173.4, 114.1, 111.1, 108.5, 143.8, 138.4, 60.1, 153.2, 166.7]
_VOLUME += [166.7, 168.6, 162.9, 189.9, 112.7, 89.0, 116.1, 227.8, 193.6, 140.0]
_CHARGE = {"R": 1.0, "K": 1.0, "D": -1.0, "E": -1.0}
_AROMATIC = "FWYH"


@dataclass(frozen=True, eq=False)
class LatticeFamily:
    """One family: a walk, and the fields and couplings of its sequences (nats).

    `coordinates` are in Å. The probability of a sequence x is proportional to
    exp(Σ_i fields[i, x_i] + Σ_{i<j} couplings[i, x_i, j, x_j]).
    """

    index: int
    coordinates: Float[ndarray, "L 3"]
    fields: Float[ndarray, "L 20"]

    @cached_property
    def distances(self) -> Float[ndarray, "L L"]:
        """Distances between residues in Å."""
        return lattice_distances(self.coordinates)

    @cached_property
    def contacts(self) -> Bool[ndarray, "L L"]:
        """Pairs of lattice neighbors that are not neighbors along the chain."""
        return lattice_contacts(self.distances)

    @cached_property
    def couplings(self) -> Float[ndarray, "L 20 L 20"]:
        """Couplings in nats, in the zero-sum gauge by construction."""
        return np.einsum("ij,ab->iajb", self.contacts, -BETA * contact_energies())

    def conditional_cross_entropy(self, sequences: Int[ndarray, "n L"]) -> float:
        """Mean -log p(residue | all others) in nats: what the best possible model reaches."""
        one_hot = np.eye(len(AMINO_ACIDS))[sequences]
        energies = self.fields + np.tensordot(one_hot, self.couplings, 2)
        partition = np.log(np.exp(energies).sum(axis=-1))
        return float(np.mean(partition - (energies * one_hot).sum(axis=-1)))

    def sample(self, n: int, generator: np.random.Generator) -> Int[ndarray, "n L"]:
        """Independent sequences, by block Gibbs sampling of the two colors in turn.

        Only additions, multiplications and comparisons touch the random numbers, so that the
        same seed gives the same sequences on every machine.
        """
        field_factor = _factors(self.fields)
        pair_factor = _factors(-BETA * contact_energies())
        neighbors = [np.flatnonzero(row) for row in self.contacts]
        sequences = generator.integers(0, len(AMINO_ACIDS), size=(n, LENGTH))
        for _ in range(SWEEPS):
            for color in (0, 1):
                for i in range(color, LENGTH, 2):
                    weights = np.tile(field_factor[i], (n, 1))
                    for j in neighbors[i]:
                        weights *= pair_factor[sequences[:, j]]
                    sequences[:, i] = _draw(weights, generator)
        return sequences


def generate_family(seed: int, index: int) -> LatticeFamily:
    """Family number `index` of the collection with this seed."""
    generator = np.random.default_rng([seed, index])
    walk = compact_walk(SIDE, _moves(generator))
    fields = random_fields(LENGTH, generator)
    return LatticeFamily(index, SPACING * walk, fields.round(6))


def random_fields(length: int, generator: np.random.Generator) -> Float[ndarray, "L 20"]:
    """Fields in nats: strong at the anchors, weak elsewhere."""
    anchored = generator.random(length) < ANCHORS
    scale = np.where(anchored, ANCHOR_SD, FIELD_SD)
    return scale[:, None] * generator.standard_normal((length, len(AMINO_ACIDS)))


def lattice_distances(coordinates: Float[ndarray, "L 3"]) -> Float[ndarray, "L L"]:
    """Distances between residues in Å."""
    difference = coordinates[:, None] - coordinates[None]
    return np.sqrt((difference**2).sum(-1))


def lattice_contacts(distances: Float[ndarray, "L L"]) -> Bool[ndarray, "L L"]:
    """Pairs of lattice neighbors that are not neighbors along the chain."""
    places = np.arange(len(distances))
    return (distances < 1.1 * SPACING) & (np.abs(np.subtract.outer(places, places)) > 1)


def family_sequences(family: LatticeFamily, seed: int, part: str, n: int) -> list[str]:
    """The first `n` sequences of a part ("train" or "held_out") of a family."""
    if part not in ("train", "held_out"):
        raise ValueError(f"part is {part!r}; allowed are 'train' and 'held_out'")
    generator = np.random.default_rng([seed, family.index, 1 + (part == "held_out")])
    blocks, missing = [], n
    while missing > 0:  # in blocks of a fixed size, so that a larger n only adds sequences
        blocks.append(family.sample(1024, generator)[:missing])
        missing -= 1024
    letters = np.array(list(AMINO_ACIDS))
    return ["".join(row) for block in blocks for row in letters[block]]


def contact_energies() -> Float[ndarray, "20 20"]:
    """Energy of two amino acids in contact: double-centered, standard deviation 1 (no unit).

    Like hydropathies, aromatic rings and cysteines attract; like charges and like volumes repel.
    """
    features = [
        (_HYDROPATHY, -1.0),
        ([_CHARGE.get(letter, 0.0) for letter in AMINO_ACIDS], 0.4),
        (_VOLUME, 0.5),
        ([float(letter in _AROMATIC) for letter in AMINO_ACIDS], -0.3),
        ([float(letter == "C") for letter in AMINO_ACIDS], -0.1),
    ]
    energies = np.zeros((len(AMINO_ACIDS), len(AMINO_ACIDS)))
    for values, weight in features:
        standardized = (np.array(values) - np.mean(values)) / np.std(values)
        energies += weight * np.outer(standardized, standardized)
    return energies / energies.std()


def compact_walk(side: int, moves: Iterable[tuple[bool, int, int]]) -> Float[ndarray, "L 3"]:
    """A walk over every site of a cubic lattice, randomized by backbite moves (Mansfield, 1982).

    A move says whether the walk is turned round first, and then along which axis, and which way
    (1 or -1), its first site looks for a new neighbor.
    """
    walk = [(x, y if x % 2 == 0 else side - 1 - y, 0) for x in range(side) for y in range(side)]
    layers = [walk[:: 1 if z % 2 == 0 else -1] for z in range(side)]
    walk = [(x, y, z) for z, layer in enumerate(layers) for x, y, _ in layer]
    for turned, axis, way in moves:
        if turned:
            walk.reverse()
        x, y, z = walk[0]
        site = (x + way * (axis == 0), y + way * (axis == 1), z + way * (axis == 2))
        if site in walk[2:]:
            k = walk.index(site)
            walk[:k] = walk[k - 1 :: -1]
    return np.array(walk, dtype=float)


def _moves(generator: np.random.Generator) -> Iterator[tuple[bool, int, int]]:
    """Random moves, as many as randomize a walk."""
    for _ in range(400 * LENGTH):
        turned, way = generator.random() < 0.5, int(generator.choice([-1, 1]))
        yield turned, int(generator.integers(3)), way


def _factors(energies: Float[ndarray, "..."]) -> Float[ndarray, "..."]:
    """exp, rounded to single precision so that no machine's last bit can differ."""
    return np.exp(energies).astype(np.float32).astype(np.float64)


def _draw(weights: Float[ndarray, "n 20"], generator: np.random.Generator) -> Int[ndarray, " n"]:
    """One state per row, with probabilities proportional to the weights."""
    cumulative = np.cumsum(weights, axis=1)
    threshold = generator.random(len(weights)) * cumulative[:, -1]
    return (cumulative[:, :-1] <= threshold[:, None]).sum(axis=1)
