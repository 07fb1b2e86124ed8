"""Chains of PDB and mmCIF files, and how they are laid onto a query."""

import csv
import gzip
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from harness.alignment import read_alignment
from harness.errors import InputError, PrerequisiteError
from harness.protein import Protein
from harness.structure import (
    Chain,
    atom_coordinates,
    map_to_query,
    read_chain,
    sample_of,
    secondary_structure,
)

DATA = Path(__file__).resolve().parents[2].parent / "shared/data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"real structures are not at {DATA}")

QUERY = "MKTAYIAKGRQISF"
ONE = "ARNDCQEGHILKMFPSTWYV"
THREE = "ALA ARG ASN ASP CYS GLN GLU GLY HIS ILE LEU LYS MET PHE PRO SER THR TRP TYR VAL"
NAMES = dict(zip(ONE, THREE.split(), strict=True))
# radius (Å), angle (°) and height (Å) of the atoms of an alpha helix, relative to CA
HELIX = {"N": (1.55, -27.0, -0.9), "CA": (2.3, 0, 0), "C": (1.65, 26, 1.1), "CB": (3.3, -20, 0.3)}


@dataclass(frozen=True)
class Line:
    """One atom of a file."""

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

    def pdb(self, serial: int) -> str:
        x, y, z = self.xyz
        return (
            f"{'HETATM' if self.hetero else 'ATOM':<6}{serial:>5}  {self.atom:<3}"
            f"{self.location:1}{self.residue:>3} {self.chain:1}{self.number:>4}{self.insertion:1}"
            f"   {x:8.3f}{y:8.3f}{z:8.3f}{self.occupancy:6.2f}{10:6.2f}"
        )

    def cif(self, serial: int) -> str:
        x, y, z = (f"{value:.3f}" for value in self.xyz)
        group = "HETATM" if self.hetero else "ATOM"
        return (
            f"{group} {serial} C {self.atom} {self.location or '.'} {self.residue} {self.label} "
            f"{self.number} {self.insertion or '?'} {x} {y} {z} {self.occupancy} {self.number} "
            f"{self.residue} {self.chain} {self.atom} {self.model}"
        )


CIF_COLUMNS = """
group_PDB id type_symbol label_atom_id label_alt_id label_comp_id label_asym_id label_seq_id
pdbx_PDB_ins_code Cartn_x Cartn_y Cartn_z occupancy auth_seq_id auth_comp_id auth_asym_id
auth_atom_id pdbx_PDB_model_num
"""


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


def write(path: Path, lines: list[Line]) -> Path:
    numbered = list(enumerate(lines, start=1))
    if ".cif" in path.name:
        header = [
            "data_test",
            "#",
            "loop_",
            *(f"_atom_site.{name}" for name in CIF_COLUMNS.split()),
        ]
        text = "\n".join([*header, *(line.cif(n) for n, line in numbered), "#", ""])
    else:
        text = "\n".join([*(line.pdb(n) for n, line in numbered), "END", ""])
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def read(tmp_path: Path, lines: list[Line], chain: str | None = "A") -> Chain:
    """The chain as read from a PDB file, which must not differ from what an mmCIF file gives."""
    first = read_chain(write(tmp_path / "s.pdb", lines), chain, 1)
    second = read_chain(write(tmp_path / "s.cif", lines), chain, 1)
    assert first.sequence == second.sequence
    assert np.array_equal(first.backbone, second.backbone, equal_nan=True)
    return first


def without(lines: list[Line], *numbers: int) -> list[Line]:
    return [line for line in lines if line.number not in numbers]


class TestReadChain:
    @pytest.mark.parametrize("name", ["s.pdb", "s.ent", "s.cif", "s.mmcif", "s.pdb.gz", "s.cif.gz"])
    def test_every_suffix(self, tmp_path: Path, name: str) -> None:
        lines = helix(QUERY)
        text = "cif" if "cif" in name else "pdb"
        source = write(tmp_path / (f"x.{text}" + (".gz" if name.endswith(".gz") else "")), lines)
        chain = read_chain(source.rename(tmp_path / name), "A", 1)
        assert chain.sequence == QUERY
        assert chain.ca[2] == pytest.approx(lines[9].xyz, abs=6e-4)

    def test_glycine_has_no_cb(self, tmp_path: Path) -> None:
        chain = read(tmp_path, helix(QUERY))
        assert np.flatnonzero(np.isnan(chain.backbone).any(axis=(1, 2))).tolist() == [8]

    def test_highest_occupancy_of_alternate_locations(self, tmp_path: Path) -> None:
        lines = helix("MKTA")
        high = replace(lines[5], location="B", occupancy=0.6, xyz=(9.0, 9.0, 9.0))
        lines[5] = replace(lines[5], location="A", occupancy=0.4)
        assert read(tmp_path, [*lines[:6], high, *lines[6:]]).ca[1].tolist() == [9, 9, 9]

    @pytest.mark.parametrize("labels", [("A", "B"), ("B", "A"), ("", "")])
    def test_first_of_equal_alternate_locations(
        self, tmp_path: Path, labels: tuple[str, str]
    ) -> None:
        lines = helix("MKTA")
        second = replace(lines[5], location=labels[1], occupancy=0.5, xyz=(9.0, 9.0, 9.0))
        lines[5] = replace(lines[5], location=labels[0], occupancy=0.5)
        chain = read(tmp_path, [*lines[:6], second, *lines[6:]])
        assert chain.ca[1] == pytest.approx(lines[5].xyz, abs=6e-4)

    def test_alternate_residues_at_one_place(self, tmp_path: Path) -> None:
        lines = helix("MKTA")
        serine = [
            replace(a, residue="SER", location="B", occupancy=0.7) for a in lines if a.number == 3
        ]
        lines = [replace(a, location="A", occupancy=0.3) if a.number == 3 else a for a in lines]
        assert read(tmp_path, [*lines[:12], *serine, *lines[12:]]).sequence == "MKSA"

    @pytest.mark.parametrize(
        ("name", "letter"),
        [("MSE", "M"), ("SEP", "S"), ("MLY", "K"), ("DAL", "A"), ("SEC", "U"), ("4HH", "X")],
    )
    def test_modified_residues(self, tmp_path: Path, name: str, letter: str) -> None:
        lines = helix("MKTA")
        changed = [replace(a, residue=name, hetero=True) if a.number == 2 else a for a in lines]
        assert read(tmp_path, changed).sequence == f"M{letter}TA"

    @pytest.mark.parametrize("name", ["UNK", "HID", "QZX"])
    def test_residues_without_a_letter(self, tmp_path: Path, name: str) -> None:
        lines = [replace(a, residue=name) if a.number == 2 else a for a in helix("MKTA")]
        assert read(tmp_path, lines).sequence == "MXTA"

    @pytest.mark.parametrize(
        ("atom", "name"), [("O", "HOH"), ("CA", "CA"), ("CA", "GLU"), ("CA", "QZX"), ("C", "ATP")]
    )
    def test_ligands_are_left_out(self, tmp_path: Path, atom: str, name: str) -> None:
        ligand = Line(atom, name, 99, (1.0, 2.0, 3.0), hetero=True)
        assert read(tmp_path, [*helix("MKTA"), ligand]).sequence == "MKTA"

    def test_insertion_codes_are_residues(self, tmp_path: Path) -> None:
        numbers = {1: (52, ""), 2: (52, "A"), 3: (52, "B"), 4: (53, "")}
        lines = [
            replace(a, number=numbers[a.number][0], insertion=numbers[a.number][1])
            for a in helix("AAAA")
        ]
        chain = read(tmp_path, lines)
        assert chain.sequence == "AAAA"
        assert not chain.breaks.any()

    @pytest.mark.parametrize("chain", ["(blank)", "", None])
    def test_blank_chain(self, tmp_path: Path, chain: str | None) -> None:
        path = write(tmp_path / "s.pdb", helix("MKTA", chain=""))
        assert read_chain(path, chain, 1).sequence == "MKTA"

    def test_residues_without_ca_are_left_out(self, tmp_path: Path) -> None:
        lines = [a for a in helix("MKTA") if (a.number, a.atom) != (2, "CA")]
        assert read(tmp_path, lines).sequence == "MTA"

    def test_chain_is_chosen(self, tmp_path: Path) -> None:
        lines = [*helix("MKTA"), *helix("WWYY", chain="B", label="B")]
        assert read(tmp_path, lines, "B").sequence == "WWYY"

    def test_only_protein_chain(self, tmp_path: Path) -> None:
        water = Line("O", "HOH", 1, (0.0, 0.0, 0.0), chain="W", label="W", hetero=True)
        assert read(tmp_path, [water, *helix("MKTA", chain="C")], None).sequence == "MKTA"

    def test_author_chain_comes_before_label(self, tmp_path: Path) -> None:
        lines = [*helix("MKTA", chain="B", label="A"), *helix("WWYY", chain="C", label="B")]
        path = write(tmp_path / "s.cif", lines)
        assert read_chain(path, "B", 1).sequence == "MKTA"
        assert read_chain(path, "A", 1).sequence == "MKTA"
        assert read_chain(path, "C", 1).sequence == "WWYY"

    def test_model_is_chosen(self, tmp_path: Path) -> None:
        two = [*helix("MKTA"), *helix("WWYY", model=2)]
        assert read_chain(write(tmp_path / "s.cif", two), "A", 2).sequence == "WWYY"
        parts = [
            "\n".join([f"MODEL     {m:>4}", *(a.pdb(1) for a in two if a.model == m), "ENDMDL"])
            for m in (1, 2)
        ]
        path = tmp_path / "s.pdb"
        path.write_text("\n".join([*parts, "END\n"]), encoding="ascii")
        assert read_chain(path, "A", 2).sequence == "WWYY"


class TestBadFiles:
    @pytest.mark.parametrize("name", ["s.pdb", "s.cif"])
    def test_chain_that_does_not_exist(self, tmp_path: Path, name: str) -> None:
        path = write(tmp_path / name, [*helix("MKTA"), *helix("WWYY", chain="B", label="B")])
        with pytest.raises(InputError, match="no protein chain 'Q'; its protein chains are A, B"):
            read_chain(path, "Q", 1)

    def test_chain_left_open(self, tmp_path: Path) -> None:
        path = write(tmp_path / "s.pdb", [*helix("MKTA", chain=""), *helix("WWYY", chain="B")])
        with pytest.raises(InputError, match=r"name the chain .* chains are \(blank\), B"):
            read_chain(path, None, 1)

    def test_no_protein(self, tmp_path: Path) -> None:
        path = write(tmp_path / "s.pdb", [Line("O", "HOH", 1, (0.0, 0.0, 0.0), hetero=True)])
        with pytest.raises(InputError, match="chains are none"):
            read_chain(path, None, 1)

    @pytest.mark.parametrize("name", ["s.pdb", "s.cif"])
    def test_model_that_does_not_exist(self, tmp_path: Path, name: str) -> None:
        path = write(tmp_path / name, helix("MKTA"))
        with pytest.raises(InputError, match="1 models, the given model 2 does not exist"):
            read_chain(path, "A", 2)

    def test_model_zero(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="model is 0; models count from 1"):
            read_chain(tmp_path / "s.pdb", "A", 0)

    @pytest.mark.parametrize("name", ["s.pdb.gz", "s.cif.gz"])
    def test_truncated_gzip(self, tmp_path: Path, name: str) -> None:
        path = write(tmp_path / name, helix(QUERY))
        path.write_bytes(path.read_bytes()[:-30])
        with pytest.raises(InputError, match="damaged or truncated gzip"):
            read_chain(path, "A", 1)

    @pytest.mark.parametrize("name", ["s.pdb", "s.cif"])
    @pytest.mark.parametrize(
        "text", ["", "<html>not found</html>\n", "data_x\n", "ATOM      1  CA  GLU A   2\n", "\x00"]
    )
    def test_no_structure(self, tmp_path: Path, name: str, text: str) -> None:
        path = tmp_path / name
        path.write_text(text, encoding="ascii")
        with pytest.raises(InputError, match="not usable as a structure"):
            read_chain(path, "A", 1)

    @pytest.mark.parametrize("column", ["label_alt_id", "label_asym_id", "pdbx_PDB_model_num"])
    def test_mmcif_without_a_column(self, tmp_path: Path, column: str) -> None:
        path = write(tmp_path / "s.cif", helix("MKTA"))
        path.write_text(path.read_text("ascii").replace(column, "other"), encoding="ascii")
        with pytest.raises(InputError, match="not usable as a structure"):
            read_chain(path, "A", 1)

    def test_unknown_suffix(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"use \.pdb, \.ent, \.cif"):
            read_chain(tmp_path / "s.xyz", "A", 1)

    def test_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(PrerequisiteError, match=r"s\.pdb is not there"):
            read_chain(tmp_path / "s.pdb", "A", 1)


class TestAtomCoordinates:
    def test_measured_cb_and_ca_of_glycine(self, tmp_path: Path) -> None:
        chain = read(tmp_path, helix("AGA"))
        places = atom_coordinates(chain, "CB")
        assert np.array_equal(places[[0, 2]], chain.backbone[[0, 2], 3])
        assert np.array_equal(places[1], chain.ca[1])
        assert np.array_equal(atom_coordinates(chain, "CA"), chain.ca)

    def test_missing_cb_is_ideal(self) -> None:
        # ideal alanine (Engh & Huber, 1991) with CA at the origin
        n, c = [1.458, 0.0, 0.0], [-0.551, 1.421, 0.0]
        backbone = np.array([[n, [0.0, 0.0, 0.0], c, [np.nan] * 3]])
        (place,) = atom_coordinates(Chain("x", "A", backbone), "CB")
        assert np.linalg.norm(place) == pytest.approx(1.53, abs=0.02)
        for neighbor in (n, c):
            cosine = place @ neighbor / np.linalg.norm(place) / np.linalg.norm(neighbor)
            assert np.degrees(np.arccos(cosine)) == pytest.approx(110, abs=2)
        assert np.cross(np.array(n), np.array(c)) @ place > 0  # L-amino acid: N, C, CB turn right

    @pytest.mark.parametrize("absent", ["N", "C"])
    def test_no_ideal_cb_without_backbone(self, tmp_path: Path, absent: str) -> None:
        gone = {(2, "CB"), (2, absent)}
        chain = read(tmp_path, [a for a in helix("AAA") if (a.number, a.atom) not in gone])
        assert np.isnan(atom_coordinates(chain, "CB")[1]).all()
        assert not np.isnan(atom_coordinates(chain, "CA")).any()

    def test_other_atoms(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="atom is 'SG'; allowed are 'CA' and 'CB'"):
            atom_coordinates(read(tmp_path, helix("AAA")), "SG")


class TestMapToQuery:
    def map(self, tmp_path: Path, full: str, *missing: int) -> tuple[list[int], float]:
        """Where the residues stand after those with these numbers were taken out."""
        index, identity = map_to_query(read(tmp_path, without(helix(full), *missing)), full)
        expected = np.cumsum([n not in missing for n in range(1, len(full) + 1)]) - 1
        expected[[n - 1 for n in missing]] = -1
        assert index.tolist() == expected.tolist()
        return index.tolist(), identity

    @pytest.mark.parametrize("missing", [(), (1, 2, 3), (13, 14), (5, 6, 7), (1, 6, 7, 14)])
    def test_missing_residues_leave_a_gap(self, tmp_path: Path, missing: tuple[int, ...]) -> None:
        assert self.map(tmp_path, QUERY, *missing)[1] == 1.0

    @pytest.mark.parametrize("first", range(4, 9))
    @pytest.mark.parametrize("length", [1, 2, 3])
    def test_chain_breaks_tell_repeats_apart(self, tmp_path: Path, first: int, length: int) -> None:
        self.map(tmp_path, "AKTSGSGSGSTVWLLK", *range(first, first + length))

    def test_single_residue_between_gaps(self, tmp_path: Path) -> None:
        # as in 2HZR, where substitution scores would rather align the E with the N
        self.map(tmp_path, "NGRCIQANYSLMENGKIKVLNQ", 12, 14)

    def test_long_loop(self, tmp_path: Path) -> None:
        loop = range(9, 49)
        self.map(tmp_path, QUERY[:8] + "DPEVNLCWHR" * 4 + QUERY[8:], *loop)

    def test_part_of_a_longer_chain(self, tmp_path: Path) -> None:
        index, identity = map_to_query(read(tmp_path, helix("WWWW" + QUERY + "CCC")), QUERY)
        assert index.tolist() == list(range(4, 4 + len(QUERY)))
        assert identity == 1.0

    def test_substitution(self, tmp_path: Path) -> None:
        chain = read(tmp_path, helix(QUERY[:6] + "W" + QUERY[7:]))
        index, identity = map_to_query(chain, QUERY)
        assert index.tolist() == list(range(len(QUERY)))
        assert identity == pytest.approx(13 / 14)

    @pytest.mark.parametrize("query", [QUERY.replace("AK", "XK"), QUERY.replace("AK", "?U")])
    def test_unknown_residues_count_nowhere(self, tmp_path: Path, query: str) -> None:
        index, identity = map_to_query(read(tmp_path, helix(QUERY)), query)
        assert index.tolist() == list(range(len(QUERY)))
        assert identity == 1.0

    @pytest.mark.parametrize("other", ["WDHPCNVWELDPVH", "MKTWWWWWWRQISF", "WWWWWWWWWWWMKT", "GG"])
    def test_structure_of_another_protein(self, tmp_path: Path, other: str) -> None:
        with pytest.raises(InputError, match="another protein") as caught:
            map_to_query(read(tmp_path, helix(other)), QUERY)
        assert "s.pdb chain A" in str(caught.value)
        assert QUERY in str(caught.value)


class TestSampleOf:
    def test_missing_residues_are_nan_at_their_place(self, tmp_path: Path) -> None:
        full = sample_of(Protein("p", QUERY), read(tmp_path, helix(QUERY)), "CB")
        lines = without(helix(QUERY), 1, 6, 7)
        part = sample_of(Protein("p", QUERY), read(tmp_path, lines), "CB")
        gone = [0, 5, 6]
        there = [i for i in range(len(QUERY)) if i not in gone]
        assert np.isnan(part.distances[gone]).all()
        assert np.isnan(part.distances[:, gone]).all()
        pairs = np.ix_(there, there)
        assert np.array_equal(part.distances[pairs], full.distances[pairs])
        states = np.array(list(part.secondary_structure or ""))
        assert np.flatnonzero(states == "-").tolist() == gone
        assert part.facts == {"structure_identity": 1.0, "resolved_fraction": 11 / 14}

    @pytest.mark.parametrize("atom", ["CA", "CB"])
    def test_distances_are_those_of_the_coordinates(self, tmp_path: Path, atom: str) -> None:
        sample = sample_of(Protein("p", QUERY), read(tmp_path, helix(QUERY)), atom)
        places = {
            a.number - 1: a.xyz
            for a in helix(QUERY)
            if a.atom == ("CA" if QUERY[a.number - 1] == "G" else atom)
        }
        for i, j in [(0, 1), (2, 8), (13, 4), (8, 9)]:
            expected = np.linalg.norm(np.subtract(places[i], places[j]))
            assert sample.distances[i, j] == pytest.approx(expected, abs=2e-3)
        assert np.array_equal(sample.distances, sample.distances.T)
        assert (np.diagonal(sample.distances) == 0).all()

    def test_residue_without_its_atom_is_unresolved(self, tmp_path: Path) -> None:
        gone = {(4, "CB"), (4, "N")}
        lines = [a for a in helix(QUERY) if (a.number, a.atom) not in gone]
        sample = sample_of(Protein("p", QUERY), read(tmp_path, lines), "CB")
        assert np.flatnonzero(~sample.resolved).tolist() == [3]
        assert (sample.secondary_structure or "")[3] == "-"
        assert sample.facts["resolved_fraction"] == 13 / 14

    def test_one_residue(self, tmp_path: Path) -> None:
        sample = sample_of(Protein("p", "M"), read(tmp_path, helix("M")), "CB")
        assert sample.distances.tolist() == [[0.0]]
        assert sample.secondary_structure == "C"


class TestSecondaryStructure:
    def test_helix(self, tmp_path: Path) -> None:
        assert secondary_structure(read(tmp_path, helix(QUERY)))[2:-2] == "H" * 10

    def test_numbering_of_the_file_does_not_matter(self, tmp_path: Path) -> None:
        lines = [replace(a, number=3 * a.number) for a in helix(QUERY)]
        plain = secondary_structure(read(tmp_path, helix(QUERY)))
        assert secondary_structure(read(tmp_path, lines)) == plain

    def test_no_helix_across_a_break(self, tmp_path: Path) -> None:
        letters = secondary_structure(read(tmp_path, without(helix("MKTAYIAKGR"), 4, 7)))
        assert set(letters) == {"C"}


def real() -> dict[str, tuple[dict[str, str], Chain, str]]:
    """Manifest row, chain and query of each shared protein."""
    rows = csv.DictReader((DATA / "manifest.csv").read_text("utf-8").splitlines())
    folder = DATA / "proteins"
    return {
        row["id"]: (
            row,
            read_chain(folder / row["id"] / row["structure_file"], row["chain"], 1),
            read_alignment(folder / row["id"] / "msa.a3m.gz").query,
        )
        for row in rows
    }


@needs_data
def test_real_structures_fit_as_the_manifest_says() -> None:
    differences = {}
    for name, (row, chain, query) in real().items():
        index, identity = map_to_query(chain, query)
        sample = sample_of(Protein(name, query), chain, "CB")
        resolved = round(sample.facts["resolved_fraction"], 4)
        found = (round(identity, 4), int((index >= 0).sum()), resolved)
        stated = tuple(
            float(row[c]) for c in ("query_structure_identity", "n_aligned", "frac_resolved")
        )
        if found != stated:
            differences[name] = (found, stated)
    # M49 and N51 of 2HZR are missing around E50 (author numbers): the manifest's BLOSUM62
    # alignment puts that E on the N, which it counts as a mismatch
    assert differences == {"2HZRA": ((1.0, 158, 0.9518), (0.9937, 158.0, 0.9518))}


@needs_data
def test_real_contacts_are_those_of_the_manifest() -> None:
    differences = {}
    for name, (row, chain, query) in real().items():
        index, _ = map_to_query(chain, query)
        ca, cb = chain.ca, chain.backbone[:, 3]
        ideal = atom_coordinates(replace(chain, sequence="A" * len(ca)), "CB")
        glycine = np.array([letter == "G" for letter in chain.sequence])[:, None]
        # the manifest gives glycine the ideal CB, and CA to other residues without CB
        places = np.where(np.isnan(cb) & ~glycine, ca, ideal)[index[index >= 0]]
        distances = np.linalg.norm(places[:, None] - places[None], axis=-1)
        apart = np.subtract.outer(np.flatnonzero(index >= 0), np.flatnonzero(index >= 0)) >= 6
        off = int((distances[apart] < 8).sum()) - int(row["n_contacts_sep6"])
        if off:
            differences[name] = off
    # and it takes the first of alternate locations where these two have a likelier one
    assert differences == {"1LU4A": -1, "5O45A": -2}
