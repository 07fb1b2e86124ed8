"""Folders that make no data set, and proteins whose files do not fit together."""

from pathlib import Path

import pytest

from harness.errors import InputError, PrerequisiteError
from tests.builders import ALIGNMENT, QUERY, folder_dataset, pdb_of, put


class TestBadFolders:
    @pytest.mark.parametrize("path", [None, "", "???"])
    def test_path_not_set(self, path: str | None) -> None:
        with pytest.raises(InputError, match=r"add dataset\.path=DIR"):
            _ = folder_dataset(path).protein_ids

    def test_path_missing(self, tmp_path: Path) -> None:
        with pytest.raises(PrerequisiteError, match="absent is no folder"):
            _ = folder_dataset(tmp_path / "absent").protein_ids

    def test_empty(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="holds no folder; make one for each protein"):
            _ = folder_dataset(tmp_path).protein_ids

    def test_folder_with_an_unsafe_name(self, root: Path) -> None:
        (root / "my protein").mkdir()
        with pytest.raises(InputError, match="'my protein' cannot name a protein"):
            _ = folder_dataset(root).protein_ids

    def test_folder_without_a_known_file(self, root: Path) -> None:
        put(root, {"odd/alignment.a3m": ALIGNMENT})
        with pytest.raises(InputError, match=r"odd holds none of msa\.a3m"):
            folder_dataset(root)["odd"]

    def test_two_files_of_a_kind(self, root: Path) -> None:
        put(root, {"both/msa.sto": "", "aligned/msa.sto": ""})
        with pytest.raises(InputError, match=r"holds both msa\.a3m and msa\.sto; keep one"):
            folder_dataset(root)["both"]
        with pytest.raises(InputError, match=r"holds both msa\.sto and msa\.sto\.gz; keep one"):
            folder_dataset(root)["aligned"]

    def test_several_sequences(self, root: Path) -> None:
        put(root, {"both/sequence.fasta": ">x\nMK\n>y\nMK\n"})
        with pytest.raises(InputError, match=r"both: 2 sequences for 1 chains\. A complex has"):
            folder_dataset(root)["both"]

    def test_sequence_and_alignment_disagree(self, root: Path) -> None:
        put(root, {"both/sequence.fasta": f">x\nW{QUERY[1:]}\n"})
        with pytest.raises(InputError, match=r"msa\.a3m: the first row has M in column 1"):
            folder_dataset(root)["both"]

    def test_structure_of_another_protein(self, root: Path) -> None:
        put(root, {"both/structure.pdb": pdb_of("WWFFWWSSYYWWTT")})
        with pytest.raises(InputError, match=r"structure\.pdb chain A: structure of another"):
            folder_dataset(root)["both"]

    def test_unknown_contact(self, root: Path) -> None:
        with pytest.raises(InputError, match="contact is 'cb9'; allowed are cb8, ca8, cb10"):
            _ = folder_dataset(root, contact="cb9").version
