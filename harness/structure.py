"""Experimental structures: one chain of a PDB or mmCIF file, laid onto a query sequence.

The only module that imports biotite. Lengths are in Å. A residue is there when it has a CA atom.
"""

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from biotite.file import DeserializationError, InvalidFileError
from biotite.sequence import ProteinSequence
from biotite.sequence.align import SubstitutionMatrix, align_optimal
from biotite.structure import Atom, AtomArray, annotate_sse
from biotite.structure.info import link_type, one_letter_code
from biotite.structure.io import pdb, pdbx
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from harness.alignment import bare_suffix, read_bytes
from harness.alphabet import AMBIGUOUS_LETTERS, AMINO_ACIDS
from harness.errors import InputError
from harness.protein import Protein
from harness.sample import Sample

PDB_SUFFIXES = (".pdb", ".ent")
CIF_SUFFIXES = (".cif", ".mmcif")
BLANK_CHAIN = "(blank)"  # an empty chain identifier in manifests and messages
ATOMS = ("N", "CA", "C", "CB")

MATCH, MISMATCH, GAP_PENALTY = 5, -4, (-6, 0)
"""Scores of the alignment to the query (opening, extending a gap). The two are one protein:
substitutions are rare, and a loop can be missing whatever its length."""

MIN_IDENTITY, MIN_SCORE = 0.9, 0.4
"""Least share of identical residues, and of the highest possible score, in one protein. Any few
residues match by chance, so identity is not enough: among all pairs of 62 proteins, chains of
others reach 0.23 of the score, the right ones 0.96."""

CHAIN_BREAK = 4.5
"""Å between successive CA atoms that no peptide bond spans (trans 3.8, cis 2.9)."""

_STANDARD = {ProteinSequence.convert_letter_1to3(letter) for letter in AMINO_ACIDS}
_UNREADABLE = (InvalidFileError, DeserializationError, ValueError, LookupError, AttributeError)


@dataclass(frozen=True, eq=False)
class Chain:
    """The residues of one chain in file order: one-letter codes and `ATOMS` (NaN if missing)."""

    name: str
    sequence: str
    backbone: Float[ndarray, "R 4 3"]

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
    atoms = _read_atoms(path, model)
    names = _protein_chains(atoms)
    name = names[0] if chain is None and len(names) == 1 else chain
    residues = [] if name is None else list(_residues(_of_chain(atoms, name)))
    if not residues:
        problem = "name the chain to read" if name is None else f"no protein chain {name!r}"
        raise InputError(f"{path}: {problem}; its protein chains are {', '.join(names) or 'none'}")
    letters, coordinates = zip(*residues, strict=True)
    return Chain(f"{path} chain {name}", "".join(letters), np.stack(coordinates))


def map_to_query(chain: Chain, sequence: str) -> tuple[Int[ndarray, " L"], float]:
    """For each query residue that of the chain (0-based) or -1, and the identity of the two.

    A global alignment with free ends. Repeats beside a missing loop fit equally well on either
    side of it; of equal alignments the one whose gaps fall on breaks of the chain is taken.
    Identity is the share of identical residues among aligned pairs; a pair with a letter outside
    the twenty says nothing and counts nowhere. Raises InputError for another protein's chain.
    """
    known = ["".join(c if c in AMINO_ACIDS else "X" for c in s) for s in (sequence, chain.sequence)]
    alignments = align_optimal(
        *map(ProteinSequence, known), _scores(), gap_penalty=GAP_PENALTY, terminal_penalty=False
    )
    candidates = [_index(alignment.trace, len(sequence)) for alignment in alignments]
    index = max(candidates, key=lambda candidate: _gaps_on_breaks(candidate, chain.breaks))
    identity = _identity(index, sequence, chain.sequence)
    possible = MATCH * min(len(sequence), len(chain.sequence))
    if identity < MIN_IDENTITY or alignments[0].score < MIN_SCORE * possible:
        raise InputError(
            f"{chain.name}: structure of another protein? {(index >= 0).sum()} residues align, "
            f"{identity:.0%} identical (chain {chain.sequence:.30}…, query {sequence:.30}…)"
        )
    return index, identity


def sample_of(protein: Protein, chain: Chain, atom: str) -> Sample:
    """The protein with distances between its `CB` or `CA` atoms, and secondary structure.

    Secondary structure is H, E or C by P-SEA (Labesse et al., 1997) on the CA atoms.
    """
    index, identity = map_to_query(chain, protein.sequence)
    places = np.full((len(protein), 3), np.nan)
    places[index >= 0] = atom_coordinates(chain, atom)[index[index >= 0]]
    distances = np.sqrt(((places[:, None] - places[None]) ** 2).sum(-1))
    resolved = ~np.isnan(places[:, 0])
    letters = secondary_structure(chain)
    states = [letters[i] if there else "-" for i, there in zip(index, resolved, strict=True)]
    facts = {"structure_identity": identity, "resolved_fraction": float(resolved.mean())}
    return Sample(protein, distances, "".join(states), facts)


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
    return "".join({"a": "H", "b": "E", "c": "C"}[state] for state in annotate_sse(trace))


def _read_atoms(path: Path, model: int) -> AtomArray:
    """N, CA, C and CB atoms of one model, with all alternate locations."""
    if bare_suffix(path) not in PDB_SUFFIXES + CIF_SUFFIXES:
        allowed = ", ".join(PDB_SUFFIXES + CIF_SUFFIXES)
        raise InputError(f"{path}: no structure file by its name; use {allowed}, or these with .gz")
    text = io.StringIO(read_bytes(path).decode("latin-1"))  # remarks may hold any byte
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about elements and unit cells, which nobody reads
            atoms = _parse(text, bare_suffix(path), model)
    except _UNREADABLE as error:  # AttributeError: an mmCIF table without a column
        raise InputError(f"{path}: not usable as a structure: {error}") from error
    return atoms[np.isin(atoms.atom_name, ATOMS)]


def _parse(text: io.StringIO, suffix: str, model: int) -> AtomArray:
    """All atoms of one model; raises one of `_UNREADABLE`."""
    if suffix in CIF_SUFFIXES:
        file, fields = pdbx.CIFFile.read(text), ["occupancy", "label_asym_id"]
        return pdbx.get_structure(file, model=model, altloc="all", extra_fields=fields)
    file, fields = pdb.PDBFile.read(text), ["occupancy"]
    atoms = file.get_structure(model=model, altloc="all", extra_fields=fields)
    atoms.set_annotation("label_asym_id", atoms.chain_id)
    return atoms


def _protein_chains(atoms: AtomArray) -> list[str]:
    """Names of the chains with at least one residue, in file order."""
    names = [name or BLANK_CHAIN for name in dict.fromkeys(atoms.chain_id.tolist())]
    return [name for name in names if any(_residues(_of_chain(atoms, name)))]


def _of_chain(atoms: AtomArray, name: str) -> AtomArray:
    """The atoms of a chain, by the author's id or else by the label."""
    wanted = "" if name == BLANK_CHAIN else name
    mine = atoms.chain_id == wanted
    return atoms[mine if mine.any() else atoms.label_asym_id == wanted]


def _residues(atoms: AtomArray) -> Iterator[tuple[str, Float[ndarray, "4 3"]]]:
    """Letter and coordinates of each residue that has a CA atom, in file order."""
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
            yield letter, coordinates


def _letter(atom: Atom, names: set[str]) -> str | None:
    """One-letter code of a residue of a chain (X when it has none); None for anything else."""
    link = (link_type(atom.res_name) or "").upper()
    peptide = "PEPTIDE" in link and link != "PEPTIDE-LIKE"
    if atom.hetero and (atom.res_name in _STANDARD or not peptide):
        return None  # a standard amino acid written as HETATM is a free ligand
    if not peptide and not {"N", "C"} <= names:
        return None  # with N and C it is one: force fields borrow names of ligands (HID, CYX)
    letter = one_letter_code(atom.res_name) if peptide else None
    return letter if letter in (*AMINO_ACIDS, *AMBIGUOUS_LETTERS) else "X"


def _scores() -> SubstitutionMatrix:
    """`MATCH` or `MISMATCH`, and 0 with an unknown residue."""
    alphabet = ProteinSequence.alphabet
    unknown = alphabet.encode("X")
    scores = np.where(np.eye(len(alphabet), dtype=bool), MATCH, MISMATCH)
    scores[unknown] = scores[:, unknown] = 0
    return SubstitutionMatrix(alphabet, alphabet, scores)


def _index(trace: Int[ndarray, "columns 2"], length: int) -> Int[ndarray, " L"]:
    """For each query residue the chain residue in the same column, or -1."""
    index = np.full(length, -1)
    query, chain = trace[(trace >= 0).all(axis=1)].T
    index[query] = chain
    return index


def _gaps_on_breaks(index: Int[ndarray, " L"], breaks: Bool[ndarray, " steps"]) -> int:
    """Number of chain breaks at which query residues are left out."""
    query = np.flatnonzero(index >= 0)
    gap = (np.diff(query) > 1) & (np.diff(index[query]) == 1)
    return int(breaks[index[query[:-1][gap]]].sum())


def _identity(index: Int[ndarray, " L"], query: str, chain: str) -> float:
    """Share of identical residues among the aligned pairs of known residues; 0 without any."""
    pairs = [(query[i], chain[j]) for i, j in enumerate(index) if j >= 0]
    same = [a == b for a, b in pairs if a in AMINO_ACIDS and b in AMINO_ACIDS]
    return sum(same) / len(same) if same else 0.0
