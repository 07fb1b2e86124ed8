"""Proteins that a data set sets aside: answered, and never scored."""

from pathlib import Path

import numpy as np
import pytest

from harness.datasets.lattice import LatticeDataset
from harness.errors import InputError
from harness.lattice import family_sequences, generate_family
from harness.protocols import Dataset
from tests.builders import QUERY, folder_dataset, pdb_of, put


def lattice(cache: Path, **changes: int) -> LatticeDataset:
    settings = {"seed": 0, "families": 2, "sequences": 2, "labeled": 2, "depth": 5, "limit": None}
    return LatticeDataset(**(settings | changes), cache=str(cache), ranges=["min3"], ids=None)


class TestLattice:
    def test_they_are_the_next_held_out_sequences_of_each_family(self, tmp_path: Path) -> None:
        data = lattice(tmp_path)
        assert isinstance(data, Dataset)
        expected = ["family00_02", "family01_02", "family00_03", "family01_03"]
        assert data.labeled_ids == expected
        held_out = family_sequences(generate_family(0, 1), 0, "held_out", 4)
        assert data["family01_03"].protein.sequence == held_out[3]

    def test_they_have_an_answer_and_no_alignment(self, tmp_path: Path) -> None:
        sample = lattice(tmp_path)["family01_02"]
        np.testing.assert_array_equal(sample.distances, generate_family(0, 1).distances)
        assert sample.protein.alignment is None
        assert list(tmp_path.iterdir()) == []

    def test_they_are_never_among_the_scored(self, tmp_path: Path) -> None:
        data = lattice(tmp_path)
        assert set(data.protein_ids).isdisjoint(data.labeled_ids)

    def test_setting_some_aside_changes_no_scored_protein(self, tmp_path: Path) -> None:
        with_some, with_none = lattice(tmp_path), lattice(tmp_path, labeled=0)
        assert with_some.protein_ids == with_none.protein_ids
        assert with_some.version == with_none.version
        for identifier in with_none.protein_ids:
            assert with_some[identifier].protein == with_none[identifier].protein
        assert with_none.labeled_ids == []

    def test_a_limit_does_not_move_them(self, tmp_path: Path) -> None:
        assert lattice(tmp_path, limit=1).labeled_ids == lattice(tmp_path).labeled_ids

    def test_they_cannot_be_chosen_for_scoring(self, tmp_path: Path) -> None:
        data = lattice(tmp_path)
        chosen = LatticeDataset(**(vars(data) | {"ids": ["family00_02"]}))
        with pytest.raises(InputError, match=r"\['family00_02'\] unknown"):
            _ = chosen.protein_ids

    def test_a_negative_number_is_refused(self, tmp_path: Path) -> None:
        data = lattice(tmp_path, labeled=-1)
        with pytest.raises(InputError, match=r"dataset\.labeled is -1; allowed are 0 and more"):
            _ = data.labeled_ids
        with pytest.raises(InputError, match=r"dataset\.labeled is -1"):
            data["family00_00"]


@pytest.fixture
def folded(tmp_path: Path) -> Path:
    """Six proteins with a structure and one without."""
    files = {f"p{n}/structure.pdb": pdb_of() for n in range(6)}
    return put(tmp_path / "set", files | {"plain/sequence.fasta": f">x\n{QUERY}\n"})


class TestFolder:
    def test_they_are_drawn_from_those_with_a_structure(self, folded: Path) -> None:
        data = folder_dataset(folded, labeled=6)
        assert sorted(data.labeled_ids) == [f"p{n}" for n in range(6)]
        assert data.protein_ids == ["plain"]

    def test_they_are_never_scored_and_the_rest_is(self, folded: Path) -> None:
        data = folder_dataset(folded, labeled=2)
        assert sorted(data.protein_ids + data.labeled_ids) == [
            *(f"p{n}" for n in range(6)),
            "plain",
        ]
        assert len(data.labeled_ids) == 2

    def test_the_seed_decides_and_more_add_to_fewer(self, folded: Path) -> None:
        draws = [folder_dataset(folded, labeled=3, seed=seed).labeled_ids for seed in range(10)]
        assert len(set(map(tuple, draws))) > 5
        assert folder_dataset(folded, labeled=4).labeled_ids[:3] == draws[0]
        assert folder_dataset(folded, labeled=3).labeled_ids == draws[0]

    def test_a_protein_that_ids_names_is_scored_and_not_drawn(self, folded: Path) -> None:
        drawn = folder_dataset(folded, labeled=3).labeled_ids
        data = folder_dataset(folded, labeled=3, ids=drawn)
        assert data.protein_ids == sorted(drawn)
        assert set(data.labeled_ids).isdisjoint(drawn)

    def test_a_limit_counts_scored_proteins_and_does_not_move_the_draw(self, folded: Path) -> None:
        data, whole = (folder_dataset(folded, labeled=3, limit=n) for n in (2, None))
        assert data.labeled_ids == whole.labeled_ids
        assert data.protein_ids == whole.protein_ids[:2]

    def test_they_have_samples(self, folded: Path) -> None:
        data = folder_dataset(folded, labeled=1)
        assert data[data.labeled_ids[0]].resolved.all()

    @pytest.mark.parametrize("labeled", [7, -1])
    def test_more_than_there_are_or_fewer_than_none(self, folded: Path, labeled: int) -> None:
        with pytest.raises(InputError, match=f"dataset.labeled is {labeled}; allowed are 0 to 6"):
            _ = folder_dataset(folded, labeled=labeled).protein_ids

    def test_with_none_set_aside_nothing_changes(self, folded: Path) -> None:
        first, second = (folder_dataset(folded, seed=seed) for seed in (0, 1))
        assert first.labeled_ids == []
        assert first.protein_ids == second.protein_ids
        assert first.version == second.version

    def test_their_files_are_part_of_the_version(self, folded: Path) -> None:
        data = folder_dataset(folded, labeled=2)
        before = data.version
        put(folded / data.labeled_ids[0], {"structure.pdb": pdb_of("W" + QUERY)})
        assert folder_dataset(folded, labeled=2).version != before

    def test_the_version_tells_them_from_scored_ones(self, folded: Path) -> None:
        versions = {folder_dataset(folded, labeled=n).version for n in range(4)}
        assert len(versions) == 4
