"""Chains of PDB and mmCIF files, and files that hold none."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.errors import InputError, PrerequisiteError
from harness.structure import read_chain
from tests.builders import QUERY, Line, chain_of, helix, write_structure


class TestReadChain:
    @pytest.mark.parametrize("name", ["s.pdb", "s.ent", "s.cif", "s.mmcif", "s.pdb.gz", "s.cif.gz"])
    def test_every_suffix(self, tmp_path: Path, name: str) -> None:
        lines = helix(QUERY)
        text = "cif" if "cif" in name else "pdb"
        source = write_structure(
            tmp_path / (f"x.{text}" + (".gz" if name.endswith(".gz") else "")), lines
        )
        chain = read_chain(source.rename(tmp_path / name), "A", 1)
        assert chain.sequence == QUERY
        assert chain.ca[2] == pytest.approx(lines[9].xyz, abs=6e-4)

    def test_glycine_has_no_cb(self, tmp_path: Path) -> None:
        chain = chain_of(tmp_path, helix(QUERY))
        assert np.flatnonzero(np.isnan(chain.backbone).any(axis=(1, 2))).tolist() == [8]

    def test_highest_occupancy_of_alternate_locations(self, tmp_path: Path) -> None:
        lines = helix("MKTA")
        high = replace(lines[5], location="B", occupancy=0.6, xyz=(9.0, 9.0, 9.0))
        lines[5] = replace(lines[5], location="A", occupancy=0.4)
        assert chain_of(tmp_path, [*lines[:6], high, *lines[6:]]).ca[1].tolist() == [9, 9, 9]

    @pytest.mark.parametrize("labels", [("A", "B"), ("B", "A"), ("", "")])
    def test_first_of_equal_alternate_locations(
        self, tmp_path: Path, labels: tuple[str, str]
    ) -> None:
        lines = helix("MKTA")
        second = replace(lines[5], location=labels[1], occupancy=0.5, xyz=(9.0, 9.0, 9.0))
        lines[5] = replace(lines[5], location=labels[0], occupancy=0.5)
        chain = chain_of(tmp_path, [*lines[:6], second, *lines[6:]])
        assert chain.ca[1] == pytest.approx(lines[5].xyz, abs=6e-4)

    def test_alternate_residues_at_one_place(self, tmp_path: Path) -> None:
        lines = helix("MKTA")
        serine = [
            replace(a, residue="SER", location="B", occupancy=0.7) for a in lines if a.number == 3
        ]
        lines = [replace(a, location="A", occupancy=0.3) if a.number == 3 else a for a in lines]
        assert chain_of(tmp_path, [*lines[:12], *serine, *lines[12:]]).sequence == "MKSA"

    @pytest.mark.parametrize(
        ("name", "letter"),
        [("MSE", "M"), ("SEP", "S"), ("MLY", "K"), ("DAL", "A"), ("SEC", "U"), ("4HH", "X")],
    )
    def test_modified_residues(self, tmp_path: Path, name: str, letter: str) -> None:
        lines = helix("MKTA")
        changed = [replace(a, residue=name, hetero=True) if a.number == 2 else a for a in lines]
        assert chain_of(tmp_path, changed).sequence == f"M{letter}TA"

    @pytest.mark.parametrize("name", ["UNK", "HID", "QZX"])
    def test_residues_without_a_letter(self, tmp_path: Path, name: str) -> None:
        lines = [replace(a, residue=name) if a.number == 2 else a for a in helix("MKTA")]
        assert chain_of(tmp_path, lines).sequence == "MXTA"

    @pytest.mark.parametrize(
        ("atom", "name"), [("O", "HOH"), ("CA", "CA"), ("CA", "GLU"), ("CA", "QZX"), ("C", "ATP")]
    )
    def test_ligands_are_left_out(self, tmp_path: Path, atom: str, name: str) -> None:
        ligand = Line(atom, name, 99, (1.0, 2.0, 3.0), hetero=True)
        assert chain_of(tmp_path, [*helix("MKTA"), ligand]).sequence == "MKTA"

    def test_insertion_codes_are_residues(self, tmp_path: Path) -> None:
        numbers = {1: (52, ""), 2: (52, "A"), 3: (52, "B"), 4: (53, "")}
        lines = [
            replace(a, number=numbers[a.number][0], insertion=numbers[a.number][1])
            for a in helix("AAAA")
        ]
        chain = chain_of(tmp_path, lines)
        assert chain.sequence == "AAAA"
        assert not chain.breaks.any()

    @pytest.mark.parametrize("chain", ["(blank)", "", None])
    def test_blank_chain(self, tmp_path: Path, chain: str | None) -> None:
        path = write_structure(tmp_path / "s.pdb", helix("MKTA", chain=""))
        assert read_chain(path, chain, 1).sequence == "MKTA"

    def test_residues_without_ca_are_left_out(self, tmp_path: Path) -> None:
        lines = [a for a in helix("MKTA") if (a.number, a.atom) != (2, "CA")]
        assert chain_of(tmp_path, lines).sequence == "MTA"

    def test_chain_is_chosen(self, tmp_path: Path) -> None:
        lines = [*helix("MKTA"), *helix("WWYY", chain="B", label="B")]
        assert chain_of(tmp_path, lines, "B").sequence == "WWYY"

    def test_only_protein_chain(self, tmp_path: Path) -> None:
        water = Line("O", "HOH", 1, (0.0, 0.0, 0.0), chain="W", label="W", hetero=True)
        assert chain_of(tmp_path, [water, *helix("MKTA", chain="C")], None).sequence == "MKTA"

    def test_author_chain_comes_before_label(self, tmp_path: Path) -> None:
        lines = [*helix("MKTA", chain="B", label="A"), *helix("WWYY", chain="C", label="B")]
        path = write_structure(tmp_path / "s.cif", lines)
        assert read_chain(path, "B", 1).sequence == "MKTA"
        assert read_chain(path, "A", 1).sequence == "MKTA"
        assert read_chain(path, "C", 1).sequence == "WWYY"

    def test_model_is_chosen(self, tmp_path: Path) -> None:
        two = [*helix("MKTA"), *helix("WWYY", model=2)]
        assert read_chain(write_structure(tmp_path / "s.cif", two), "A", 2).sequence == "WWYY"
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
        path = write_structure(
            tmp_path / name, [*helix("MKTA"), *helix("WWYY", chain="B", label="B")]
        )
        with pytest.raises(InputError, match="no protein chain 'Q'; its protein chains are A, B"):
            read_chain(path, "Q", 1)

    def test_chain_left_open(self, tmp_path: Path) -> None:
        path = write_structure(
            tmp_path / "s.pdb", [*helix("MKTA", chain=""), *helix("WWYY", chain="B")]
        )
        with pytest.raises(InputError, match=r"name the chain .* chains are \(blank\), B"):
            read_chain(path, None, 1)

    def test_no_protein(self, tmp_path: Path) -> None:
        path = write_structure(
            tmp_path / "s.pdb", [Line("O", "HOH", 1, (0.0, 0.0, 0.0), hetero=True)]
        )
        with pytest.raises(InputError, match="chains are none"):
            read_chain(path, None, 1)

    @pytest.mark.parametrize("name", ["s.pdb", "s.cif"])
    def test_model_that_does_not_exist(self, tmp_path: Path, name: str) -> None:
        path = write_structure(tmp_path / name, helix("MKTA"))
        with pytest.raises(InputError, match="1 models, the given model 2 does not exist"):
            read_chain(path, "A", 2)

    def test_model_zero(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="model is 0; models count from 1"):
            read_chain(tmp_path / "s.pdb", "A", 0)

    @pytest.mark.parametrize("name", ["s.pdb.gz", "s.cif.gz"])
    def test_truncated_gzip(self, tmp_path: Path, name: str) -> None:
        path = write_structure(tmp_path / name, helix(QUERY))
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
        path = write_structure(tmp_path / "s.cif", helix("MKTA"))
        path.write_text(path.read_text("ascii").replace(column, "other"), encoding="ascii")
        with pytest.raises(InputError, match="not usable as a structure"):
            read_chain(path, "A", 1)

    def test_unknown_suffix(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"use \.pdb, \.ent, \.cif"):
            read_chain(tmp_path / "s.xyz", "A", 1)

    def test_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(PrerequisiteError, match=r"s\.pdb is not there"):
            read_chain(tmp_path / "s.pdb", "A", 1)
