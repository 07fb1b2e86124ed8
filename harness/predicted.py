"""A predicted structure of a protein: its atoms, and how sure the predictor is of them.

Lengths are in Å.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from biotite.structure import AtomArray, concatenate
from jaxtyping import Float
from numpy import ndarray

from harness.alphabet import AMINO_ACIDS
from harness.errors import InputError
from harness.placement import distances_between
from harness.protein import Protein
from harness.protocols import ContactMethod, GivesStructure
from harness.structure import Chain, atom_coordinates


@dataclass(frozen=True, eq=False)
class PredictedStructure:
    """The chains of a protein with their heavy atoms; every residue of it is there.

    `plddt` is the predicted lDDT of each residue, from 0 to 100. `pae` is the predicted aligned
    error: how far residue j is expected to be off when residue i is put where it belongs (index
    order i, j). Either is none where the predictor does not say. `source` is what messages call it.
    """

    chains: Sequence[Chain]
    plddt: Float[ndarray, " L"] | None
    pae: Float[ndarray, "L L"] | None
    source: str

    def __len__(self) -> int:
        return sum(len(chain.sequence) for chain in self.chains)

    @cached_property
    def atoms(self) -> AtomArray:
        """All heavy atoms; `res_id` counts the residues of the protein from 0."""
        parts, start = [], 0
        for chain in self.chains:
            if chain.atoms is None:
                raise ValueError(f"{chain.name} was read without its side chains")
            part = chain.atoms.copy()
            part.res_id += start
            parts.append(part)
            start += len(chain.sequence)
        return concatenate(parts)

    @cached_property
    def distances(self) -> Float[ndarray, "L L"]:
        """Distances between CB atoms (CA for glycine)."""
        return distances_between(self.places("CB"))

    def places(self, atom: str) -> Float[ndarray, "L 3"]:
        """Where the CA or CB atoms are (`harness.structure.atom_coordinates`)."""
        return np.concatenate([atom_coordinates(chain, atom) for chain in self.chains])


def plddt_of(chains: Sequence[Chain], source: str) -> Float[ndarray, " L"]:
    """Predicted lDDT of each residue, from 0 to 100, as predictors write it: in place of B-factors.

    Some write it as a fraction; values that are nowhere above 1 are taken for fractions. InputError
    for values that are no pLDDT, as those of experiments.
    """
    values = np.concatenate([_b_factors(chain, source) for chain in chains])
    if not values.any():
        raise InputError(
            f"{source}: B-factors are all 0, so no pLDDT was written; set method.confidence=none"
        )
    scaled = values * 100 if values.max() <= 1 else values
    if not ((scaled >= 0) & (scaled <= 100)).all():
        raise InputError(
            f"{source}: B-factors reach from {values.min():g} to {values.max():g}, so they are no "
            "pLDDT; for an experimental structure set method.confidence=none"
        )
    return scaled


def require_sequence(protein: Protein, chains: Sequence[Chain], source: str) -> None:
    """Nothing; raises InputError for chains that are not those of the protein.

    A residue outside the twenty is equal to any, and so is one that the protein hides.
    """
    wanted = protein.chain_sequences
    if len(wanted) != len(chains):
        named = ", ".join(chain.name.rpartition(" ")[2] for chain in chains)
        raise InputError(
            f"{source}: {len(chains)} protein chains ({named}), and {protein.id} has "
            f"{len(wanted)}; keep those of the protein in the file, in order"
        )
    for chain, sequence in zip(chains, wanted, strict=True):
        _require_same(protein.id, sequence, chain.sequence, source)


def _require_same(identifier: str, sequence: str, found: str, source: str) -> None:
    pairs = enumerate(zip(sequence, found, strict=False))
    known = ((n, a, b) for n, (a, b) in pairs if a in AMINO_ACIDS and b in AMINO_ACIDS)
    first = next(((n, a, b) for n, a, b in known if a != b), None)
    if len(sequence) == len(found) and first is None:
        return
    lengths = f"it has {len(found)} residues, {identifier} has {len(sequence)}"
    where = f"; residue {first[0]} (from 0) is {first[2]}, not {first[1]}" if first else ""
    raise InputError(
        f"{source}: predicted structure of another sequence? {lengths}{where}. Predict "
        f"{identifier} again, or name the file after the protein that it is of"
    )


def _b_factors(chain: Chain, source: str) -> Float[ndarray, " R"]:
    """B-factor of the CA atom of each residue."""
    atoms = chain.atoms
    if atoms is None or "b_factor" not in atoms.get_annotation_categories():
        raise InputError(f"{source}: it has no B-factors, so no pLDDT; set method.confidence=none")
    return np.asarray(atoms.b_factor[atoms.atom_name == "CA"], dtype=float)


def structure_of(method: ContactMethod, protein: Protein) -> PredictedStructure | None:
    """The structure behind the method's scores; none where it has none."""
    return method.structure(protein) if isinstance(method, GivesStructure) else None
