"""Small inputs that several test files share, and where the real proteins are."""

import csv
import gzip
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.datasets.folder import FolderDataset
from harness.structure import Chain, read_chain

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"real proteins are not at {DATA}")

QUERY = "MKTAYIAKGRQISF"
ALIGNMENT = f">query\n{QUERY}\n>other\n{QUERY.replace('K', '-')}\n"

ONE = "ARNDCQEGHILKMFPSTWYV"
THREE = "ALA ARG ASN ASP CYS GLN GLU GLY HIS ILE LEU LYS MET PHE PRO SER THR TRP TYR VAL"
NAMES = dict(zip(ONE, THREE.split(), strict=True))
# radius (Å), angle (°) and height (Å) of the atoms of an alpha helix, relative to CA
HELIX = {"N": (1.55, -27.0, -0.9), "CA": (2.3, 0, 0), "C": (1.65, 26, 1.1), "CB": (3.3, -20, 0.3)}
CIF_COLUMNS = """
group_PDB id type_symbol label_atom_id label_alt_id label_comp_id label_asym_id label_seq_id
pdbx_PDB_ins_code Cartn_x Cartn_y Cartn_z occupancy B_iso_or_equiv auth_seq_id
auth_comp_id auth_asym_id auth_atom_id pdbx_PDB_model_num
"""


def manifest() -> list[dict[str, str]]:
    """The rows of the real proteins' table."""
    return list(csv.DictReader((DATA / "manifest.csv").read_text("utf-8").splitlines()))


def write(path: Path, content: str | bytes) -> Path:
    """The path, with this content written there (gzipped where the name says so)."""
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def put(root: Path, files: dict[str, str]) -> Path:
    """The folder, with these files written into it and into folders below."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, text)
    return root


@dataclass(frozen=True)
class Line:
    """One atom of a structure file."""

    atom: str
    residue: str
    number: int
    xyz: tuple[float, float, float]
    chain: str = "A"
    label: str = "A"
    insertion: str = ""
    location: str = ""
    occupancy: float = 1.0
    hetero: bool = False
    model: int = 1
    b: float = 10.0

    def pdb(self, serial: int) -> str:
        x, y, z = self.xyz
        return (
            f"{'HETATM' if self.hetero else 'ATOM':<6}{serial:>5}  {self.atom:<3}"
            f"{self.location:1}{self.residue:>3} {self.chain:1}{self.number:>4}{self.insertion:1}"
            f"   {x:8.3f}{y:8.3f}{z:8.3f}{self.occupancy:6.2f}{self.b:6.2f}"
        )

    def cif(self, serial: int) -> str:
        x, y, z = (f"{value:.3f}" for value in self.xyz)
        group = "HETATM" if self.hetero else "ATOM"
        return (
            f"{group} {serial} C {self.atom} {self.location or '.'} {self.residue} {self.label} "
            f"{self.number} {self.insertion or '?'} {x} {y} {z} {self.occupancy} {self.b} "
            f"{self.number} {self.residue} {self.chain} {self.atom} {self.model}"
        )


def helix(sequence: str, **fields: object) -> list[Line]:
    """An alpha helix numbered from 1."""
    lines = []
    for i, letter in enumerate(sequence):
        for atom, (radius, angle, height) in HELIX.items():
            turn = np.deg2rad(100 * i + angle)
            xyz = (radius * np.cos(turn), radius * np.sin(turn), 1.5 * i + height)
            if (atom, letter) != ("CB", "G"):
                lines.append(Line(atom, NAMES[letter], i + 1, xyz))
    return [replace(line, **fields) for line in lines]  # type: ignore[arg-type]


def without(lines: list[Line], *numbers: int) -> list[Line]:
    """The atoms of all residues but those with these numbers."""
    return [line for line in lines if line.number not in numbers]


def pdb_text(lines: list[Line]) -> str:
    return "\n".join([*(line.pdb(n) for n, line in enumerate(lines, start=1)), "END", ""])


def cif_text(lines: list[Line]) -> str:
    header = ["data_test", "#", "loop_", *(f"_atom_site.{name}" for name in CIF_COLUMNS.split())]
    return "\n".join([*header, *(line.cif(n) for n, line in enumerate(lines, start=1)), "#", ""])


def write_structure(path: Path, lines: list[Line]) -> Path:
    """The path, with these atoms written there in the format of its name."""
    return write(path, cif_text(lines) if ".cif" in path.name else pdb_text(lines))


def chain_of(tmp_path: Path, lines: list[Line], chain: str | None = "A") -> Chain:
    """The chain as read from a PDB file, which must not differ from what an mmCIF file gives."""
    first = read_chain(write_structure(tmp_path / "s.pdb", lines), chain, 1)
    second = read_chain(write_structure(tmp_path / "s.cif", lines), chain, 1)
    assert first.sequence == second.sequence, f"PDB {first.sequence}, mmCIF {second.sequence}"
    np.testing.assert_array_equal(first.backbone, second.backbone)
    return first


def pdb_of(sequence: str = QUERY, chain: str = "A") -> str:
    """A helix with no atoms but CA and CB, which is all that contacts need."""
    return pdb_text([a for a in helix(sequence, chain=chain) if a.atom in ("CA", "CB")])


def folder_dataset(path: Path | str | None, **changes: Any) -> FolderDataset:
    fields = {"contact": "cb8", "ranges": ["min6"], "labeled": 0, "seed": 0, "ids": None}
    fields |= {"limit": None, "groups": None, "group_column": None}
    return FolderDataset(path=None if path is None else str(path), **(fields | changes))
