"""How alike two structures of the same residues are: RMSD, TM-score, lDDT.

Of CA atoms, in Å.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from biotite.structure import AtomArray, lddt, rmsd, superimpose, tm_score
from jaxtyping import Float, Int
from numpy import ndarray

FEWEST = 3
"""Atoms that fix a superposition."""

SHORTEST_SEED = 4
"""Residues of the shortest fragment that a search for the best TM-score begins with."""

ROUNDS = 20
"""Superpositions on what is near, at most, from one beginning."""


@dataclass(frozen=True)
class Likeness:
    """RMSD after the superposition of all residues (Å); TM-score; lDDT of CA atoms.

    NaN where there are fewer than `FEWEST` residues.
    """

    rmsd: float
    tm_score: float
    lddt: float


def likeness(reference: Float[ndarray, "K 3"], other: Float[ndarray, "K 3"]) -> Likeness:
    """How like the reference the other structure is, residue by residue.

    The TM-score is the highest that a search over superpositions finds, normalized by the number of
    residues (Zhang & Skolnick, Proteins 2004); lDDT within 15 Å of the reference
    (Mariani et al., Bioinformatics 2013).
    """
    if len(reference) < FEWEST:
        return Likeness(np.nan, np.nan, np.nan)
    fitted, _ = superimpose(reference, other)
    fixed, mobile = _trace(reference), _trace(other)
    every = np.arange(len(reference))
    best = max(tm_score(fixed, place, every, every) for place in _superpositions(fixed, mobile))
    return Likeness(float(rmsd(reference, fitted)), float(best), float(lddt(fixed, mobile)))


def laid_on(
    reference: Float[ndarray, "K 3"], other: Float[ndarray, "K 3"], atoms: AtomArray
) -> AtomArray:
    """The atoms, moved as the other structure is when all its residues are superposed."""
    if len(reference) < FEWEST:
        return atoms
    _, moved = superimpose(reference, other)
    return moved.apply(atoms)


def _superpositions(reference: AtomArray, other: AtomArray) -> Iterator[AtomArray]:
    """The other structure laid onto the reference in many ways.

    As in the search of Zhang & Skolnick: on a fragment, then, again and again, on the residues
    that are near each other after the last time; what is near is tried at three distances.
    """
    size = len(reference)
    scale = max(0.5, 1.24 * max(size - 15, 0) ** (1 / 3) - 1.8)  # d0 of the TM-score, in Å
    for seed, reach in product(_seeds(size), (scale, 2 * scale, 8.0)):
        chosen = seed
        for _ in range(ROUNDS):
            _, moved = superimpose(reference[chosen], other[chosen])
            placed = moved.apply(other)
            yield placed
            distances = np.linalg.norm(reference.coord - placed.coord, axis=1)
            near = np.flatnonzero(distances < max(reach, np.sort(distances)[FEWEST - 1] + 1e-6))
            if np.array_equal(near, chosen):
                break
            chosen = near


def _seeds(length: int) -> Iterator[Int[ndarray, " n"]]:
    """Fragments of all, a half, a quarter, … of the residues, overlapping by a half."""
    size = length
    while size >= min(SHORTEST_SEED, length):
        for start in range(0, length - size + 1, max(1, size // 2)):
            yield np.arange(start, start + size)
        size //= 2


def _trace(places: Float[ndarray, "K 3"]) -> AtomArray:
    """CA atoms, each of a residue of its own."""
    atoms = AtomArray(len(places))
    atoms.coord = places.astype(np.float32)
    atoms.res_id = np.arange(len(places))
    atoms.atom_name[:], atoms.element[:] = "CA", "C"
    atoms.res_name[:] = "ALA"  # any amino acid: the scores look at CA atoms only
    return atoms
