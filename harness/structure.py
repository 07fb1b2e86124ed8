"""Experimental structures: one chain of a PDB or mmCIF file.

Lengths are in Å. A residue is there when it has a CA atom.
"""

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from biotite.file import DeserializationError, InvalidFileError
from biotite.sequence import ProteinSequence
from biotite.structure import Atom, AtomArray, annotate_sse
from biotite.structure.info import link_type, one_letter_code
from biotite.structure.io import pdb, pdbx
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from harness.alphabet import AMBIGUOUS_LETTERS, AMINO_ACIDS
from harness.errors import InputError
from harness.gzipped import bare_suffix, read_bytes

PDB_SUFFIXES = (".pdb", ".ent")
CIF_SUFFIXES = (".cif", ".mmcif")
BLANK_CHAIN = "(blank)"  # an empty chain identifier in manifests and messages
ATOMS = ("N", "CA", "C", "CB")

CHAIN_BREAK = 4.5
"""Å between successive CA atoms that no peptide bond spans (trans 3.8, cis 2.9)."""

WIDEST = 2000.0
"""Å that a chain may span: more than any known one. Memory grows with the cube of it."""

_STANDARD = {ProteinSequence.convert_letter_1to3(letter) for letter in AMINO_ACIDS}
_PLACE = ("label_entity_id", "label_seq_id")
_UNREADABLE = (
    *(InvalidFileError, DeserializationError, ValueError, LookupError),
    *(AttributeError, TypeError, ArithmeticError),
)


@dataclass(frozen=True, eq=False)
class Chain:
    """The residues of one chain in file order: one-letter codes and `ATOMS` (NaN if missing).

    `entity` is the whole sequence that was in the crystal (SEQRES), where the file states it, and
    `numbers` the place of each residue in it, counted from 0.
    """

    name: str
    sequence: str
    backbone: Float[ndarray, "R 4 3"]
    entity: str | None = None
    numbers: Int[ndarray, " R"] | None = None

    @property
    def ca(self) -> Float[ndarray, "R 3"]:
        """CA coordinates."""
        return self.backbone[:, ATOMS.index("CA")]

    @property
    def breaks(self) -> Bool[ndarray, " steps"]:
        """Whether residues are missing between one residue and the next, judging by distance."""
        return np.linalg.norm(np.diff(self.ca, axis=0), axis=1) > CHAIN_BREAK


def read_chain(path: Path, chain: str | None, model: int) -> Chain:
    """One protein chain of a PDB or mmCIF file, gzipped or not; `model` counts from 1.

    In mmCIF the author's chain id comes first, then the label. No chain id means the only protein
    chain. Of alternate locations of an atom the one with the highest occupancy is read (the first
    of equals), modified residues as their parent (MSE as M) or X; ligands and water are left out.
    """
    if model < 1:
        raise ValueError(f"model is {model}; models count from 1")
    atoms, entities = _read_atoms(path, model)
    names = _protein_chains(atoms)
    name = names[0] if chain is None and len(names) == 1 else chain
    residues = [] if name is None else list(_residues(_of_chain(atoms, name)))
    if not residues:
        problem = "name the chain to read" if name is None else f"no protein chain {name!r}"
        raise InputError(f"{path}: {problem}; its protein chains are {', '.join(names) or 'none'}")
    letters, coordinates, places = zip(*residues, strict=True)
    span = np.ptp(np.stack(coordinates)[:, ATOMS.index("CA")], axis=0).max()
    if span > WIDEST:
        raise InputError(f"{path}: chain {name} spans {span:.0f} Å; mend the coordinates")
    entity = entities.get(places[0][0])
    numbers = np.array([number - 1 for _, number in places])
    known = entity is not None and bool(np.isin(numbers, range(len(entity))).all())
    chain_name, sequence = f"{path} chain {name}", "".join(letters)
    if not known or bool((np.diff(numbers) < 1).any()):
        return Chain(chain_name, sequence, np.stack(coordinates))
    return Chain(chain_name, sequence, np.stack(coordinates), entity, numbers)


def atom_coordinates(chain: Chain, atom: str) -> Float[ndarray, "R 3"]:
    """Coordinates of CA, or of CB: CA for glycine, an ideal CB where it is missing.

    The ideal CB needs N, CA and C (Yang et al., PNAS 2020, trRosetta); else it is NaN.
    """
    if atom not in ("CA", "CB"):
        raise ValueError(f"atom is {atom!r}; allowed are 'CA' and 'CB'")
    if atom == "CA":
        return chain.ca
    n, ca, c, cb = np.moveaxis(chain.backbone, 1, 0)
    normal = np.cross(ca - n, c - ca)
    ideal = -0.58273431 * normal + 0.56802827 * (ca - n) - 0.54067466 * (c - ca) + ca
    glycine = np.array([letter == "G" for letter in chain.sequence])[:, None]
    return np.where(glycine, ca, np.where(np.isnan(cb), ideal, cb))


def secondary_structure(chain: Chain) -> str:
    """H, E or C for each residue of the chain."""
    trace = AtomArray(len(chain.sequence))
    trace.coord = chain.ca.astype(np.float32)
    trace.atom_name[:] = "CA"
    trace.res_name[:] = "ALA"  # any amino acid: P-SEA looks at CA atoms only
    # biotite sees a break where numbers jump; those of the file also jump at insertion codes
    trace.res_id[1:] = np.cumsum(1 + chain.breaks)
    with np.errstate(divide="ignore", invalid="ignore"):  # atoms in one place have no direction
        states = annotate_sse(trace)
    return "".join({"a": "H", "b": "E", "c": "C"}[state] for state in states)


def _read_atoms(path: Path, model: int) -> tuple[AtomArray, dict[str, str]]:
    """N, CA, C and CB atoms of one model, with all alternate locations; sequences of entities."""
    if bare_suffix(path) not in PDB_SUFFIXES + CIF_SUFFIXES:
        allowed = ", ".join(PDB_SUFFIXES + CIF_SUFFIXES)
        raise InputError(f"{path}: no structure file by its name; use {allowed}, or these with .gz")
    text = io.StringIO(read_bytes(path).decode("latin-1"))  # remarks may hold any byte
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about elements and unit cells, which nobody reads
            atoms, entities = _parse(text, bare_suffix(path), model)
    except _UNREADABLE as error:  # AttributeError: an mmCIF table without a column
        raise InputError(f"{path}: not usable as a structure: {error}") from error
    atoms = atoms[np.isin(atoms.atom_name, ATOMS)]
    if not np.isfinite(atoms.coord).all():
        raise InputError(f"{path}: not usable as a structure: a coordinate is not a finite number")
    return atoms, entities


def _parse(text: io.StringIO, suffix: str, model: int) -> tuple[AtomArray, dict[str, str]]:
    """All atoms of one model, and the sequences of the entities; raises one of `_UNREADABLE`."""
    if suffix in CIF_SUFFIXES:
        file = pdbx.CIFFile.read(text)
        stated = "label_entity_id" in file.block["atom_site"]
        fields = ["occupancy", "label_asym_id", *(_PLACE if stated else ())]
        atoms = pdbx.get_structure(file, model=model, altloc="all", extra_fields=fields)
        return atoms, _entities(file.block) if stated else {}
    pdb_file, fields = pdb.PDBFile.read(text), ["occupancy"]
    atoms = pdb_file.get_structure(model=model, altloc="all", extra_fields=fields)
    atoms.set_annotation("label_asym_id", atoms.chain_id)
    return atoms, {}


def _entities(block: pdbx.CIFBlock) -> dict[str, str]:
    """The sequence of each polymer of an mmCIF file; of alternatives at one place the first."""
    if "entity_poly_seq" not in block:
        return {}
    table = block["entity_poly_seq"]
    columns = (table[name].as_array(str) for name in ("entity_id", "num", "mon_id"))
    letters: dict[str, dict[str, str]] = {}
    for entity, number, residue in zip(*columns, strict=True):
        letters.setdefault(entity, {}).setdefault(number, _letter_of(residue))
    return {entity: "".join(found.values()) for entity, found in letters.items()}


def _protein_chains(atoms: AtomArray) -> list[str]:
    """Names of the chains with at least one residue, in file order."""
    names = [name or BLANK_CHAIN for name in dict.fromkeys(atoms.chain_id.tolist())]
    return [name for name in names if any(_residues(_of_chain(atoms, name)))]


def _of_chain(atoms: AtomArray, name: str) -> AtomArray:
    """The atoms of a chain, by the author's id or else by the label."""
    wanted = "" if name == BLANK_CHAIN else name
    mine = atoms.chain_id == wanted
    return atoms[mine if mine.any() else atoms.label_asym_id == wanted]


def _residues(
    atoms: AtomArray,
) -> Iterator[tuple[str, Float[ndarray, "4 3"], tuple[str, int]]]:
    """Letter, coordinates, and entity and number in it, of each residue that has a CA atom."""
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
            yield letter, coordinates, _place(atoms[place["CA"]])


def _letter(atom: Atom, names: set[str]) -> str | None:
    """One-letter code of a residue of a chain (X when it has none); None for anything else."""
    link = (link_type(atom.res_name) or "").upper()
    peptide = "PEPTIDE" in link and link != "PEPTIDE-LIKE"
    if atom.hetero and (atom.res_name in _STANDARD or not peptide):
        return None  # a standard amino acid written as HETATM is a free ligand
    if not peptide and not {"N", "C"} <= names:
        return None  # with N and C it is one: force fields borrow names of ligands (HID, CYX)
    return _letter_of(atom.res_name) if peptide else "X"


def _letter_of(residue: str) -> str:
    """One-letter code of a residue's name, its parent's if it is modified; X when it has none."""
    letter = one_letter_code(residue)
    return letter if letter in (*AMINO_ACIDS, *AMBIGUOUS_LETTERS) else "X"


def _place(atom: Atom) -> tuple[str, int]:
    """Entity of an atom, and the number of its residue in it from 1; nothing and 0 if unknown."""
    number: str = getattr(atom, "label_seq_id", "")
    return (atom.label_entity_id, int(number)) if number.isdecimal() else ("", 0)
