"""A data set made of folders."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from harness.errors import InputError
from harness.protocols import Dataset
from tests.builders import ALIGNMENT, DATA, QUERY, folder_dataset, manifest, needs_data, pdb_of, put


class TestSamples:
    def test_is_a_dataset_of_the_folders_by_name(self, root: Path) -> None:
        assert folder_dataset(root).protein_ids == ["aligned", "both", "folded"]
        assert isinstance(folder_dataset(root), Dataset)

    def test_alignment_and_structure(self, root: Path) -> None:
        sample = folder_dataset(root)["both"]
        assert sample.protein.id == "both"
        assert sample.protein.sequence == QUERY
        assert sample.protein.alignment == root / "both" / "msa.a3m"
        assert sample.resolved.all()
        assert len(sample.secondary_structure or "") == len(QUERY)
        assert sample.facts == {
            "structure_identity": 1.0,
            "resolved_fraction": 1.0,
            "alignment_depth": 2.0,
        }

    def test_alignment_only(self, root: Path) -> None:
        sample = folder_dataset(root)["aligned"]
        assert np.isnan(sample.distances).all()
        assert sample.secondary_structure is None
        assert sample.facts == {"alignment_depth": 1.0}

    def test_structure_only(self, root: Path) -> None:
        sample = folder_dataset(root)["folded"]
        assert sample.protein.sequence == QUERY
        assert sample.protein.alignment is None
        assert sample.resolved.all()

    def test_sequence_only(self, root: Path) -> None:
        put(root, {"plain/sequence.fasta": ">x\nMKXTW\n"})
        sample = folder_dataset(root)["plain"]
        assert sample.protein.sequence == "MKXTW"
        assert np.isnan(sample.distances).all()
        assert sample.facts == {}

    def test_sequence_comes_before_the_structure(self, root: Path) -> None:
        put(root, {"folded/sequence.fasta": f">x\nWW{QUERY}W\n"})
        sample = folder_dataset(root)["folded"]
        assert sample.protein.sequence == f"WW{QUERY}W"
        assert np.flatnonzero(~sample.resolved).tolist() == [0, 1, len(QUERY) + 2]

    def test_unknown_letters_of_the_alignment_stay(self, root: Path) -> None:
        put(root, {"both/msa.a3m": ALIGNMENT.replace("MKTAY", "MKXAU")})
        assert folder_dataset(root)["both"].protein.sequence.startswith("MKXAU")

    def test_contact_decides_the_atom(self, root: Path) -> None:
        beta, alpha = folder_dataset(root)["both"], folder_dataset(root, contact="ca8")["both"]
        assert (beta.distances[0, 1:] != alpha.distances[0, 1:]).all()

    def test_nothing_is_read_before_it_is_asked_for(self, root: Path) -> None:
        put(root, {"bad/msa.a3m": "", "bad/structure.pdb": ""})
        data = folder_dataset(root)
        assert "bad" in data.protein_ids
        assert data.version
        with pytest.raises(InputError, match="holds no sequence"):
            data["bad"]


TWO_CHAINS = {"two/structure.pdb": pdb_of().replace("END\n", "") + pdb_of("WWKKWWKK", "B")}


class TestChains:
    @pytest.mark.parametrize("place", ["manifest.csv", "../manifest.csv"])
    def test_manifest_names_the_chain(self, root: Path, place: str) -> None:
        put(root, {**TWO_CHAINS, place: "id,tier,chain\ntwo,A,B\nabsent,A,Q\nboth,B,\n"})
        assert folder_dataset(root)["two"].protein.sequence == "WWKKWWKK"
        assert folder_dataset(root)["both"].resolved.all()

    def test_manifest_inside_wins(self, root: Path) -> None:
        manifests = {"manifest.csv": "id,chain\ntwo,B\n", "../manifest.csv": "id,chain\ntwo,A\n"}
        put(root, {**TWO_CHAINS, **manifests})
        assert folder_dataset(root)["two"].protein.sequence == "WWKKWWKK"

    def test_chain_na_is_a_name(self, root: Path) -> None:
        put(root, {"manifest.csv": "id,chain\nboth,NA\n"})
        with pytest.raises(InputError, match="no protein chain 'NA'; its protein chains are A"):
            folder_dataset(root)["both"]

    def test_blank_chain(self, root: Path) -> None:
        chains = pdb_of(chain=" ").replace("END\n", "") + pdb_of("WWKKWWKK", "B")
        put(root, {"two/structure.pdb": chains, "manifest.csv": "id,chain\ntwo,(blank)\n"})
        assert folder_dataset(root)["two"].protein.sequence == QUERY

    def test_several_chains_and_no_manifest(self, root: Path) -> None:
        put(root, TWO_CHAINS)
        with pytest.raises(InputError, match="name the chain to read; its protein chains are A, B"):
            folder_dataset(root)["two"]

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
            folder_dataset(root)["both"]


class TestManifest:
    def test_every_file_has_its_digest(self, root: Path) -> None:
        assert sorted(folder_dataset(root).manifest) == [
            "aligned/msa.sto.gz",
            "both/msa.a3m",
            "both/structure.pdb",
            "folded/structure.pdb.gz",
        ]
        text = (root / "both" / "msa.a3m").read_bytes()
        assert folder_dataset(root).manifest["both/msa.a3m"] == hashlib.sha256(text).hexdigest()
        assert list(folder_dataset(root, ids=["aligned"]).manifest) == ["aligned/msa.sto.gz"]


class TestSelection:
    def test_ids_and_limit(self, root: Path) -> None:
        assert folder_dataset(root, ids=["folded", "aligned", "folded"]).protein_ids == [
            "aligned",
            "folded",
        ]
        assert folder_dataset(root, limit=2).protein_ids == ["aligned", "both"]
        assert folder_dataset(root, ids=["folded", "both"], limit=1).protein_ids == ["both"]
        assert folder_dataset(root, limit=99).protein_ids == ["aligned", "both", "folded"]

    def test_ids_that_yaml_reads_as_numbers(self, root: Path) -> None:
        put(root, {"1234/sequence.fasta": ">x\nMK\n"})
        assert folder_dataset(root, ids=[1234]).protein_ids == ["1234"]

    def test_unknown_id(self, root: Path) -> None:
        with pytest.raises(InputError, match=r"holds no 'fodled'\. Did you mean folded\?"):
            _ = folder_dataset(root, ids=["fodled"]).protein_ids
        with pytest.raises(InputError, match=r"holds no 'Q9'\. Did you mean aligned or both or"):
            folder_dataset(root)["Q9"]

    @pytest.mark.parametrize("identifier", ["../set/both", "..", "/etc", "a/b", ".hidden", ""])
    def test_unsafe_id(self, root: Path, identifier: str) -> None:
        with pytest.raises(InputError, match="cannot name a protein"):
            _ = folder_dataset(root, ids=[identifier]).protein_ids
        with pytest.raises(InputError, match="cannot name a protein"):
            folder_dataset(root)[identifier]

    @pytest.mark.parametrize("limit", [0, -1])
    def test_limit_below_one(self, root: Path, limit: int) -> None:
        with pytest.raises(InputError, match=r"dataset\.limit is"):
            _ = folder_dataset(root, limit=limit).protein_ids


class TestVersion:
    def test_same_files_same_version(self, root: Path, tmp_path: Path) -> None:
        moved = root.rename(tmp_path / "moved")
        version = folder_dataset(moved).version
        assert folder_dataset(moved.rename(root)).version == version
        assert version.startswith("folder-")
        assert len(version) == len("folder-") + 12

    @pytest.mark.parametrize(
        "files",
        [
            {"both/msa.a3m": ALIGNMENT + ">more\n" + QUERY + "\n"},
            {"both/sequence.fasta": f">x\n{QUERY}\n"},
            {"manifest.csv": "id,chain\nboth,A\n"},
            {"new/sequence.fasta": ">x\nMK\n"},
        ],
        ids=["file", "file more", "chain", "protein"],
    )
    def test_changes_with_what_samples_are_built_from(
        self, root: Path, files: dict[str, str]
    ) -> None:
        before = folder_dataset(root).version
        assert folder_dataset(put(root, files)).version != before

    def test_changes_with_selection_and_contact(self, root: Path) -> None:
        changes = [{}, {"limit": 2}, {"ids": ["both"]}, {"contact": "ca8"}, {"contact": "cb10"}]
        assert len({folder_dataset(root, **change).version for change in changes}) == len(changes)

    def test_other_files_do_not_matter(self, root: Path) -> None:
        before = folder_dataset(root).version
        put(root, {"both/notes.txt": "", "notes.txt": ""})
        assert folder_dataset(root).version == before


@needs_data
def test_all_real_proteins_load() -> None:
    data = folder_dataset(DATA / "proteins")
    rows = {row["id"]: row for row in manifest()}
    assert data.protein_ids == sorted(rows)
    for name in data.protein_ids:
        sample, row = data[name], rows[name]
        assert len(sample.protein) == int(row["length"])
        assert sample.facts["alignment_depth"] == int(row["n_seqs"])
        assert sample.resolved.sum() == int(row["n_aligned"])
        i, j = np.triu_indices(len(sample.protein), k=6)
        contacts = int((sample.distances[i, j] < 8).sum())
        # the manifest gives glycine an ideal CB, the harness its CA: see test_structure_real.py
        assert abs(contacts - int(row["n_contacts_sep6"])) <= 10
