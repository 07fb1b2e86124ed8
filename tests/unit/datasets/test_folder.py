"""A data set made of folders."""

import csv
import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.datasets.folder import FolderDataset
from harness.errors import InputError, PrerequisiteError
from harness.protocols import Dataset

DATA = Path(__file__).resolve().parents[3].parent / "shared/data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"real proteins are not at {DATA}")

SEQUENCE = "MKTAYIAKQRQISF"
A3M = f">query\n{SEQUENCE}\n>other\n{SEQUENCE.replace('K', '-')}\n"
ONE, THREE = "MKTAYIQRSFW", "MET LYS THR ALA TYR ILE GLN ARG SER PHE TRP"
NAMES = dict(zip(ONE, THREE.split(), strict=True))


def pdb(sequence: str = SEQUENCE, chain: str = "A") -> str:
    """A chain of CA and CB atoms on a spiral, numbered from 1."""
    lines = []
    for i, letter in enumerate(sequence):
        for atom, radius in (("CA", 2.3), ("CB", 3.3)):
            x, y = radius * np.cos(1.745 * i), radius * np.sin(1.745 * i)
            lines.append(
                f"ATOM  {len(lines) + 1:>5}  {atom:<3} {NAMES[letter]} {chain}{i + 1:>4}    "
                f"{x:8.3f}{y:8.3f}{1.5 * i:8.3f}  1.00 10.00"
            )
    return "\n".join([*lines, "END", ""])


def put(root: Path, files: dict[str, str]) -> Path:
    """The folder, with these files written into it (gzipped where the name says so)."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return root


def dataset(path: Path | str | None, **changes: Any) -> FolderDataset:
    fields = {"contact": "cb8", "ranges": ["min6"], "ids": None, "limit": None}
    return FolderDataset(path=None if path is None else str(path), **(fields | changes))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three proteins: with everything, with an alignment, with a structure."""
    files = {
        "both/msa.a3m": A3M,
        "both/structure.pdb": pdb(),
        "aligned/msa.sto.gz": f"# STOCKHOLM 1.0\nquery {SEQUENCE}\n//\n",
        "folded/structure.pdb.gz": pdb(),
        ".hidden/notes.txt": "",
        "README.md": "",
    }
    return put(tmp_path / "set", files)


class TestSamples:
    def test_is_a_dataset_of_the_folders_by_name(self, root: Path) -> None:
        assert dataset(root).protein_ids == ["aligned", "both", "folded"]
        assert isinstance(dataset(root), Dataset)

    def test_alignment_and_structure(self, root: Path) -> None:
        sample = dataset(root)["both"]
        assert sample.protein.id == "both"
        assert sample.protein.sequence == SEQUENCE
        assert sample.protein.alignment == root / "both" / "msa.a3m"
        assert sample.resolved.all()
        assert len(sample.secondary_structure or "") == len(SEQUENCE)
        assert sample.facts == {
            "structure_identity": 1.0,
            "resolved_fraction": 1.0,
            "alignment_depth": 2.0,
        }

    def test_alignment_only(self, root: Path) -> None:
        sample = dataset(root)["aligned"]
        assert np.isnan(sample.distances).all()
        assert sample.secondary_structure is None
        assert sample.facts == {"alignment_depth": 1.0}

    def test_structure_only(self, root: Path) -> None:
        sample = dataset(root)["folded"]
        assert sample.protein.sequence == SEQUENCE
        assert sample.protein.alignment is None
        assert sample.resolved.all()

    def test_sequence_only(self, root: Path) -> None:
        put(root, {"plain/sequence.fasta": ">x\nMKXTW\n"})
        sample = dataset(root)["plain"]
        assert sample.protein.sequence == "MKXTW"
        assert np.isnan(sample.distances).all()
        assert sample.facts == {}

    def test_sequence_comes_before_the_structure(self, root: Path) -> None:
        put(root, {"folded/sequence.fasta": f">x\nWW{SEQUENCE}W\n"})
        sample = dataset(root)["folded"]
        assert sample.protein.sequence == f"WW{SEQUENCE}W"
        assert np.flatnonzero(~sample.resolved).tolist() == [0, 1, len(SEQUENCE) + 2]

    def test_unknown_letters_of_the_alignment_stay(self, root: Path) -> None:
        put(root, {"both/msa.a3m": A3M.replace("MKTAY", "MKXAU")})
        assert dataset(root)["both"].protein.sequence.startswith("MKXAU")

    def test_contact_decides_the_atom(self, root: Path) -> None:
        beta, alpha = dataset(root)["both"], dataset(root, contact="ca8")["both"]
        assert (beta.distances[0, 1:] != alpha.distances[0, 1:]).all()

    def test_nothing_is_read_before_it_is_asked_for(self, root: Path) -> None:
        put(root, {"bad/msa.a3m": "", "bad/structure.pdb": ""})
        data = dataset(root)
        assert "bad" in data.protein_ids
        assert data.version
        with pytest.raises(InputError, match="holds no sequence"):
            data["bad"]


TWO_CHAINS = {"two/structure.pdb": pdb().replace("END\n", "") + pdb("WWKKWWKK", "B")}


class TestChains:
    @pytest.mark.parametrize("place", ["manifest.csv", "../manifest.csv"])
    def test_manifest_names_the_chain(self, root: Path, place: str) -> None:
        put(root, {**TWO_CHAINS, place: "id,tier,chain\ntwo,A,B\nabsent,A,Q\nboth,B,\n"})
        assert dataset(root)["two"].protein.sequence == "WWKKWWKK"
        assert dataset(root)["both"].resolved.all()

    def test_manifest_inside_wins(self, root: Path) -> None:
        manifests = {"manifest.csv": "id,chain\ntwo,B\n", "../manifest.csv": "id,chain\ntwo,A\n"}
        put(root, {**TWO_CHAINS, **manifests})
        assert dataset(root)["two"].protein.sequence == "WWKKWWKK"

    def test_chain_na_is_a_name(self, root: Path) -> None:
        put(root, {"manifest.csv": "id,chain\nboth,NA\n"})
        with pytest.raises(InputError, match="no protein chain 'NA'; its protein chains are A"):
            dataset(root)["both"]

    def test_blank_chain(self, root: Path) -> None:
        chains = pdb(chain=" ").replace("END\n", "") + pdb("WWKKWWKK", "B")
        put(root, {"two/structure.pdb": chains, "manifest.csv": "id,chain\ntwo,(blank)\n"})
        assert dataset(root)["two"].protein.sequence == SEQUENCE

    def test_several_chains_and_no_manifest(self, root: Path) -> None:
        put(root, TWO_CHAINS)
        with pytest.raises(InputError, match="name the chain to read; its protein chains are A, B"):
            dataset(root)["two"]

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("id,length\nboth,3\n", "no column chain"),
            ("name\nboth\n", "no column id or chain"),
            ("", "not readable as a table"),
            ("id,chain\nboth,A\nboth,B\n", "more than one row for both"),
        ],
    )
    def test_bad_manifest(self, root: Path, text: str, problem: str) -> None:
        put(root, {"manifest.csv": text})
        with pytest.raises(InputError, match=rf"manifest\.csv: {problem}"):
            dataset(root)["both"]


class TestSelection:
    def test_ids_and_limit(self, root: Path) -> None:
        assert dataset(root, ids=["folded", "aligned", "folded"]).protein_ids == [
            "aligned",
            "folded",
        ]
        assert dataset(root, limit=2).protein_ids == ["aligned", "both"]
        assert dataset(root, ids=["folded", "both"], limit=1).protein_ids == ["both"]
        assert dataset(root, limit=99).protein_ids == ["aligned", "both", "folded"]

    def test_ids_that_yaml_reads_as_numbers(self, root: Path) -> None:
        put(root, {"1234/sequence.fasta": ">x\nMK\n"})
        assert dataset(root, ids=[1234]).protein_ids == ["1234"]

    def test_unknown_id(self, root: Path) -> None:
        with pytest.raises(InputError, match=r"holds no 'fodled'\. Did you mean folded\?"):
            _ = dataset(root, ids=["fodled"]).protein_ids
        with pytest.raises(InputError, match=r"holds no 'Q9'\. Did you mean aligned or both or"):
            dataset(root)["Q9"]

    @pytest.mark.parametrize("identifier", ["../set/both", "..", "/etc", "a/b", ".hidden", ""])
    def test_unsafe_id(self, root: Path, identifier: str) -> None:
        with pytest.raises(InputError, match="cannot name a protein"):
            _ = dataset(root, ids=[identifier]).protein_ids
        with pytest.raises(InputError, match="cannot name a protein"):
            dataset(root)[identifier]

    @pytest.mark.parametrize("limit", [0, -1])
    def test_limit_below_one(self, root: Path, limit: int) -> None:
        with pytest.raises(InputError, match=r"dataset\.limit is"):
            _ = dataset(root, limit=limit).protein_ids


class TestBadFolders:
    @pytest.mark.parametrize("path", [None, "", "???"])
    def test_path_not_set(self, path: str | None) -> None:
        with pytest.raises(InputError, match=r"add dataset\.path=DIR"):
            _ = dataset(path).protein_ids

    def test_path_missing(self, tmp_path: Path) -> None:
        with pytest.raises(PrerequisiteError, match="absent is no folder"):
            _ = dataset(tmp_path / "absent").protein_ids

    def test_empty(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="holds no folder; make one for each protein"):
            _ = dataset(tmp_path).protein_ids

    def test_folder_with_an_unsafe_name(self, root: Path) -> None:
        (root / "my protein").mkdir()
        with pytest.raises(InputError, match="'my protein' cannot name a protein"):
            _ = dataset(root).protein_ids

    def test_folder_without_a_known_file(self, root: Path) -> None:
        put(root, {"odd/alignment.a3m": A3M})
        with pytest.raises(InputError, match=r"odd holds none of msa\.a3m"):
            dataset(root)["odd"]

    def test_two_files_of_a_kind(self, root: Path) -> None:
        put(root, {"both/msa.sto": "", "aligned/msa.sto": ""})
        with pytest.raises(InputError, match=r"holds both msa\.a3m and msa\.sto; keep one"):
            dataset(root)["both"]
        with pytest.raises(InputError, match=r"holds both msa\.sto and msa\.sto\.gz; keep one"):
            dataset(root)["aligned"]

    def test_several_sequences(self, root: Path) -> None:
        put(root, {"both/sequence.fasta": ">x\nMK\n>y\nMK\n"})
        with pytest.raises(InputError, match=r"sequence\.fasta: 2 sequences; keep the one meant"):
            dataset(root)["both"]

    def test_sequence_and_alignment_disagree(self, root: Path) -> None:
        put(root, {"both/sequence.fasta": f">x\nW{SEQUENCE[1:]}\n"})
        with pytest.raises(InputError, match=r"msa\.a3m: the first row has M in column 1"):
            dataset(root)["both"]

    def test_structure_of_another_protein(self, root: Path) -> None:
        put(root, {"both/structure.pdb": pdb("WWFFWWSSYYWWTT")})
        with pytest.raises(InputError, match=r"structure\.pdb chain A: structure of another"):
            dataset(root)["both"]

    def test_unknown_contact(self, root: Path) -> None:
        with pytest.raises(InputError, match="contact is 'cb9'; allowed are cb8, ca8, cb10"):
            _ = dataset(root, contact="cb9").version


class TestVersion:
    def test_same_files_same_version(self, root: Path, tmp_path: Path) -> None:
        moved = root.rename(tmp_path / "moved")
        version = dataset(moved).version
        assert dataset(moved.rename(root)).version == version
        assert version.startswith("folder-")
        assert len(version) == len("folder-") + 12

    @pytest.mark.parametrize(
        "files",
        [
            {"both/msa.a3m": A3M + ">more\n" + SEQUENCE + "\n"},
            {"both/sequence.fasta": f">x\n{SEQUENCE}\n"},
            {"manifest.csv": "id,chain\nboth,A\n"},
            {"new/sequence.fasta": ">x\nMK\n"},
        ],
        ids=["file", "file more", "chain", "protein"],
    )
    def test_changes_with_what_samples_are_built_from(
        self, root: Path, files: dict[str, str]
    ) -> None:
        before = dataset(root).version
        assert dataset(put(root, files)).version != before

    def test_changes_with_selection_and_contact(self, root: Path) -> None:
        changes = [{}, {"limit": 2}, {"ids": ["both"]}, {"contact": "ca8"}, {"contact": "cb10"}]
        assert len({dataset(root, **change).version for change in changes}) == len(changes)

    def test_other_files_do_not_matter(self, root: Path) -> None:
        before = dataset(root).version
        put(root, {"both/notes.txt": "", "notes.txt": ""})
        assert dataset(root).version == before


@needs_data
def test_all_real_proteins_load() -> None:
    data = dataset(DATA / "proteins")
    rows = csv.DictReader((DATA / "manifest.csv").read_text("utf-8").splitlines())
    manifest = {row["id"]: row for row in rows}
    assert data.protein_ids == sorted(manifest)
    for name in data.protein_ids:
        sample, row = data[name], manifest[name]
        assert len(sample.protein) == int(row["length"])
        assert sample.facts["alignment_depth"] == int(row["n_seqs"])
        assert sample.resolved.sum() == int(row["n_aligned"])
        i, j = np.triu_indices(len(sample.protein), k=6)
        contacts = int((sample.distances[i, j] < 8).sum())
        # the manifest gives glycine an ideal CB, the harness its CA: see test_structure.py
        assert abs(contacts - int(row["n_contacts_sep6"])) <= 10
