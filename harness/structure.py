"""Structures: chains of PDB and mmCIF files, experimental or predicted.

Lengths are in Å. A residue is there when it has a CA atom.
"""

import io
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from biotite.file import DeserializationError, InvalidFileError
from biotite.structure import AtomArray, annotate_sse
from biotite.structure.io import pdb, pdbx
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from harness.errors import InputError
from harness.gzipped import bare_suffix, read_bytes
from harness.residues import (
    ATOMS,
    Residue,
    entity_places,
    finite,
    heavy_atoms,
    letter_of,
    of_chain,
    protein_chains,
    residues_of,
)

PDB_SUFFIXES = (".pdb", ".ent")
CIF_SUFFIXES = (".cif", ".mmcif")

CHAIN_BREAK = 4.5
"""Å between successive CA atoms that no peptide bond spans (trans 3.8, cis 2.9)."""

WIDEST = 2000.0
"""Å that a chain may span: more than any known one. Memory grows with the cube of it."""

_PLACE = ("label_entity_id", "label_seq_id")
_UNREADABLE = (
    *(InvalidFileError, DeserializationError, ValueError, LookupError),
    *(AttributeError, TypeError, ArithmeticError),
)


@dataclass(frozen=True, eq=False)
class Chain:
    """The residues of one chain in file order: one-letter codes and `ATOMS` (NaN if missing).

    `entity` is the whole sequence that was in the crystal (SEQRES), where the file states it, and
    `numbers` the place of each residue in it, counted from 0. `atoms` are all but hydrogens, for
    those who asked for them; their `res_id` counts the residues from 0.
    """

    name: str
    sequence: str
    backbone: Float[ndarray, "R 4 3"]
    entity: str | None = None
    numbers: Int[ndarray, " R"] | None = None
    atoms: AtomArray | None = None

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
    atoms, entities = _read_atoms(path, model)
    names = protein_chains(atoms)
    name = names[0] if chain is None and len(names) == 1 else chain
    residues = [] if name is None else list(residues_of(of_chain(atoms, name)))
    if not residues:
        problem = "name the chain to read" if name is None else f"no protein chain {name!r}"
        raise InputError(f"{path}: {problem}; its protein chains are {', '.join(names) or 'none'}")
    return _chain(f"{path} chain {name}", residues, entities)


def read_chains(path: Path) -> list[Chain]:
    """Every protein chain of the first model of a file, in file order, with all heavy atoms.

    InputError where there is none.
    """
    return _chains(*_read_atoms(path, 1), str(path))


def chains_in(pdb_text: str, name: str) -> list[Chain]:
    """The same of the text of a PDB file, which messages call by this name."""
    return _chains(*_usable(io.StringIO(pdb_text), ".pdb", 1, name), name)


def _chains(atoms: AtomArray, entities: dict[str, str], source: str) -> list[Chain]:
    chains = []
    for name in protein_chains(atoms):
        own = of_chain(atoms, name)
        residues = list(residues_of(own))
        chain = _chain(f"{source} chain {name}", residues, entities)
        chains.append(replace(chain, atoms=heavy_atoms(own, residues)))
    if not chains:
        raise InputError(f"{source}: it holds no protein chain")
    return chains


def _chain(name: str, residues: list[Residue], entities: dict[str, str]) -> Chain:
    """The chain of these residues; InputError where they are too far apart."""
    backbone = np.stack([residue.coordinates for residue in residues])
    span = np.ptp(backbone[:, ATOMS.index("CA")], axis=0).max()
    if span > WIDEST:
        raise InputError(f"{name} spans {span:.0f} Å; mend the coordinates")
    sequence = "".join(residue.letter for residue in residues)
    entity, numbers = entities.get(residues[0].place[0]), entity_places(residues)
    known = entity is not None and bool(np.isin(numbers, range(len(entity))).all())
    if not known or bool((np.diff(numbers) < 1).any()):
        return Chain(name, sequence, backbone)
    return Chain(name, sequence, backbone, entity, numbers)


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
    """All atoms of one model of a file, with all alternate locations; sequences of entities."""
    if model < 1:
        raise ValueError(f"model is {model}; models count from 1")
    if bare_suffix(path) not in PDB_SUFFIXES + CIF_SUFFIXES:
        allowed = ", ".join(PDB_SUFFIXES + CIF_SUFFIXES)
        raise InputError(f"{path}: no structure file by its name; use {allowed}, or these with .gz")
    text = io.StringIO(read_bytes(path).decode("latin-1"))  # remarks may hold any byte
    return _usable(text, bare_suffix(path), model, str(path))


def _usable(
    text: io.StringIO, suffix: str, model: int, name: str
) -> tuple[AtomArray, dict[str, str]]:
    """The same of a text; InputError where it cannot be read, or a backbone is not finite."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about elements and unit cells, which nobody reads
            atoms, entities = _parse(text, suffix, model)
    except _UNREADABLE as error:  # AttributeError: an mmCIF table without a column
        raise InputError(f"{name}: not usable as a structure: {error}") from error
    placed = finite(atoms)
    if not placed[np.isin(atoms.atom_name, ATOMS)].all():
        raise InputError(f"{name}: not usable as a structure: a coordinate is not a finite number")
    return atoms[placed], entities


def _parse(text: io.StringIO, suffix: str, model: int) -> tuple[AtomArray, dict[str, str]]:
    """All atoms of one model, and the sequences of the entities; raises one of `_UNREADABLE`."""
    if suffix in CIF_SUFFIXES:
        file = pdbx.CIFFile.read(text)
        table = file.block["atom_site"]
        stated = "label_entity_id" in table
        fields = ["occupancy", "label_asym_id", *(_PLACE if stated else ())]
        fields += ["b_factor"] if "B_iso_or_equiv" in table else []
        atoms = pdbx.get_structure(file, model=model, altloc="all", extra_fields=fields)
        return atoms, _entities(file.block) if stated else {}
    pdb_file, fields = pdb.PDBFile.read(text), ["occupancy", "b_factor"]
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
        letters.setdefault(entity, {}).setdefault(number, letter_of(residue))
    return {entity: "".join(found.values()) for entity, found in letters.items()}
