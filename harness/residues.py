"""From the atoms of a structure file to the residues of its protein chains."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from biotite.sequence import ProteinSequence
from biotite.structure import Atom, AtomArray
from biotite.structure.info import link_type, one_letter_code
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from harness.alphabet import AMBIGUOUS_LETTERS, AMINO_ACIDS

BLANK_CHAIN = "(blank)"  # an empty chain identifier in manifests and messages
ATOMS = ("N", "CA", "C", "CB")

_STANDARD = {ProteinSequence.convert_letter_1to3(letter) for letter in AMINO_ACIDS}


@dataclass(frozen=True, eq=False)
class Residue:
    """A residue that has a CA atom.

    `coordinates` are those of `ATOMS` (NaN if missing), `place` the entity and the number of the
    residue in it (nothing and 0 if unknown), `key` what its atoms share in the file.
    """

    letter: str
    coordinates: Float[ndarray, "4 3"]
    place: tuple[str, int]
    key: tuple[int, str, str]


def protein_chains(atoms: AtomArray) -> list[str]:
    """Names of the chains with at least one residue, in file order."""
    names = [name or BLANK_CHAIN for name in dict.fromkeys(atoms.chain_id.tolist())]
    return [name for name in names if any(residues_of(of_chain(atoms, name)))]


def of_chain(atoms: AtomArray, name: str) -> AtomArray:
    """The atoms of a chain, by the author's id or else by the label."""
    wanted = "" if name == BLANK_CHAIN else name
    mine = atoms.chain_id == wanted
    return atoms[mine if mine.any() else atoms.label_asym_id == wanted]


def residues_of(atoms: AtomArray) -> Iterator[Residue]:
    """Each residue of a chain, in file order."""
    atoms = atoms[np.isin(atoms.atom_name, ATOMS)]
    new = (np.diff(atoms.res_id) != 0) | (atoms.ins_code[1:] != atoms.ins_code[:-1])
    for members in np.split(np.arange(len(atoms)), np.flatnonzero(new) + 1):
        # a repeated atom is an alternate location, whether labeled or not (16PK is not)
        best_last = members[np.argsort(-atoms.occupancy[members], kind="stable")][::-1]
        place = dict(zip(atoms.atom_name[best_last].tolist(), best_last, strict=True))
        letter = _letter(atoms[place["CA"]], set(place)) if "CA" in place else None
        if letter is not None:
            coordinates = np.full((len(ATOMS), 3), np.nan)
            for name, atom in place.items():
                coordinates[ATOMS.index(name)] = atoms.coord[atom]
            ca = atoms[place["CA"]]
            key = (int(ca.res_id), str(ca.ins_code), str(ca.res_name))
            yield Residue(letter, coordinates, _place(ca), key)


def heavy_atoms(atoms: AtomArray, residues: list[Residue]) -> AtomArray:
    """All atoms of these residues but hydrogens; `res_id` counts the residues from 0.

    Of alternate locations the one with the highest occupancy.
    """
    at = {residue.key: n for n, residue in enumerate(residues)}
    own = np.array([at.get(key, -1) for key in _keys(atoms)], dtype=int)
    heavy = (own >= 0) & ~np.isin(atoms.element, ("H", "D"))
    atoms, own = atoms[heavy], own[heavy]
    atoms.res_id = own
    best_first = np.argsort(-atoms.occupancy, kind="stable")
    names = zip(own[best_first].tolist(), atoms.atom_name[best_first].tolist(), strict=True)
    chosen: dict[tuple[int, str], int] = {}
    for place, name in zip(best_first.tolist(), names, strict=True):
        chosen.setdefault(name, place)
    order = np.array(sorted(chosen.values()), dtype=int)
    return atoms[order[np.argsort(own[order], kind="stable")]]


def letter_of(residue: str) -> str:
    """One-letter code of a residue's name, its parent's if it is modified; X when it has none."""
    letter = one_letter_code(residue)
    return letter if letter in (*AMINO_ACIDS, *AMBIGUOUS_LETTERS) else "X"


def finite(atoms: AtomArray) -> Bool[ndarray, " n"]:
    """Which atoms have three coordinates that are numbers."""
    return np.isfinite(atoms.coord).all(axis=1)


def entity_places(residues: list[Residue]) -> Int[ndarray, " R"]:
    """The number of each residue in its entity, counted from 0."""
    return np.array([residue.place[1] - 1 for residue in residues])


def _keys(atoms: AtomArray) -> list[tuple[int, str, str]]:
    """Number, insertion code and name of each atom's residue."""
    parts = (atoms.res_id.tolist(), atoms.ins_code.tolist(), atoms.res_name.tolist())
    return list(zip(*parts, strict=True))


def _letter(atom: Atom, names: set[str]) -> str | None:
    """One-letter code of a residue of a chain (X when it has none); None for anything else."""
    link = (link_type(atom.res_name) or "").upper()
    peptide = "PEPTIDE" in link and link != "PEPTIDE-LIKE"
    if atom.hetero and (atom.res_name in _STANDARD or not peptide):
        return None  # a standard amino acid written as HETATM is a free ligand
    if not peptide and not {"N", "C"} <= names:
        return None  # with N and C it is one: force fields borrow names of ligands (HID, CYX)
    return letter_of(atom.res_name) if peptide else "X"


def _place(atom: Atom) -> tuple[str, int]:
    """Entity of an atom, and the number of its residue in it from 1; nothing and 0 if unknown."""
    number: str = getattr(atom, "label_seq_id", "")
    return (atom.label_entity_id, int(number)) if number.isdecimal() else ("", 0)
