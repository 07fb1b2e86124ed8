"""Constructed isoforms: what is cut out of the proteins of another data set."""

import numpy as np
import pytest

from harness.datasets.deletions import CONSTRUCTED, Deletions
from harness.datasets.lattice import LatticeDataset
from harness.errors import InputError
from harness.protocols import Dataset
from tests.builders import folder_dataset, pdb_of, put

FIELDS = {"segments": None, "size": 6, "each": 1, "margin": 3, "seed": 0, "ranges": ["min3"]}
FIELDS |= {"ids": None, "limit": None}


@pytest.fixture
def lattice(tmp_path):
    shape = {"seed": 0, "families": 2, "sequences": 2, "labeled": 1, "depth": 4}
    return LatticeDataset(**shape, cache=str(tmp_path), ranges=["min3"], ids=None, limit=None)


def deletions(whole, **changes):
    return Deletions(whole, **(FIELDS | changes))


def test_each_protein_loses_a_segment(lattice):
    dataset = deletions(lattice)
    assert isinstance(dataset, Dataset)
    assert len(dataset.protein_ids) == 4
    for name in dataset.protein_ids:
        sample = dataset[name]
        whole, _, start, end = name.rsplit("_", 3)
        start, end, full = int(start), int(end), lattice[whole]
        assert 3 <= start < end == start + 6 <= 24
        letters = full.protein.sequence
        assert sample.protein.sequence == letters[:start] + letters[end:]
        assert sample.protein.alignment is None
        assert np.isnan(sample.distances).all()
        np.testing.assert_array_equal(sample.origin.full_length.distances, full.distances)
        assert sample.origin.notes["source"] == CONSTRUCTED
        assert sample.origin.places.tolist() == [*range(start), *range(end, 27)]
        assert f"residues {start} to {end - 1}" in sample.origin.notes["variant"]


def test_draws_are_those_of_the_seed_and_more_of_them_differ(lattice):
    assert deletions(lattice).protein_ids == deletions(lattice).protein_ids
    assert deletions(lattice).protein_ids != deletions(lattice, seed=1).protein_ids
    three = deletions(lattice, each=3).protein_ids
    assert len(set(three)) == 12


def test_named_segments_are_cut_out_of_every_protein(lattice):
    dataset = deletions(lattice, segments=[[0, 5], [20, 27]])
    assert dataset.protein_ids[:2] == ["family00_00_without_0_5", "family00_00_without_20_27"]
    assert len(dataset["family00_00_without_20_27"].protein) == 20
    assert dataset.lengths == dict.fromkeys(dataset.protein_ids, 27)


def test_selection_and_version(lattice):
    every = deletions(lattice)
    one = deletions(lattice, limit=1)
    assert one.protein_ids == every.protein_ids[:1]
    assert deletions(lattice, ids=every.protein_ids[2:3]).protein_ids == every.protein_ids[2:3]
    versions = {every.version, one.version, deletions(lattice, size=5).version}
    assert len(versions) == 3
    assert all(version.startswith(lattice.version) for version in versions)
    with pytest.raises(InputError, match="there is no 'family00_00'"):
        _ = deletions(lattice, ids=["family00_00"]).protein_ids


def test_proteins_set_aside_stay_whole(lattice):
    dataset = deletions(lattice)
    assert dataset.labeled_ids == lattice.labeled_ids
    assert len(dataset[dataset.labeled_ids[0]].protein) == 27
    with pytest.raises(KeyError):
        _ = dataset["family00_00"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 22}, r"family00_00 has 27 residues: no room for 1 segments of 22 with 3"),
        ({"each": 17}, r"no room for 17 segments of 6"),
        ({"segments": [[20, 28]]}, r"holds \[20, 28\], and family00_00 has residues 0 to 26"),
        ({"segments": [[0, 27]]}, r"of which one at least must stay"),
    ],
)
def test_no_room(lattice, changes, message):
    with pytest.raises(InputError, match=message):
        _ = deletions(lattice, **changes).protein_ids


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 0}, "size is 0; allowed are 1 and more"),
        ({"each": 0}, "each is 0; allowed are 1 and more"),
        ({"margin": -1}, "margin is -1; allowed are 0 and more"),
        ({"segments": [[3]]}, r"segments holds \[3\]; name a start and an end each"),
        ({"segments": [[5, 5]]}, "holds none"),
        ({"segments": [[-2, 5]]}, "holds none"),
    ],
)
def test_wrong_values(lattice, changes, message):
    with pytest.raises(ValueError, match=message):
        deletions(lattice, **changes)


def test_of_a_folder_with_groups_and_a_complex(tmp_path):
    root = put(
        tmp_path / "set", {"a/structure.pdb": pdb_of(), "b/sequence.fasta": ">x\nMK\n>y\nMK\n"}
    )
    (root / "groups.csv").write_text("id,tier\na,one\nb,two\n")
    whole = folder_dataset(root, groups="groups.csv", group_column="tier")
    dataset = deletions(whole, segments=[[0, 1]])
    assert dataset["a_without_0_1"].group == "one"
    assert dict(dataset.manifest) == dict(whole.manifest)
    with pytest.raises(InputError, match="b has several chains; isoforms are made of proteins"):
        _ = dataset["b_without_0_1"]
