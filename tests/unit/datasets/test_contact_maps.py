import numpy as np
import pytest

from harness.datasets.contact_maps import ContactMaps
from harness.datasets.published_files import PublishedFiles
from harness.errors import InputError, PrerequisiteError
from harness.evaluations.precision import Precision
from harness.masking import Unmasked
from harness.protocols import Dataset, Fetched, KnowsLengths
from tests.builders import DATA, needs_data

PLACES = np.array([[0, 0, 0], [3.8, 0, 0], [3.8, 3.8, 0], [20, 0, 0]], dtype=np.float32)
TRUE = np.linalg.norm(PLACES[:, None] - PLACES, axis=-1) < 8
VALID = np.array([True, True, True, True])
SOURCE = PublishedFiles("casp14_fm", "http://127.0.0.1:9", None, True)


@pytest.fixture
def folder(tmp_path):
    """A set of two proteins, one with positions."""
    (tmp_path / "contacts").mkdir()
    (tmp_path / "sequences.fasta").write_text(">with\nMKLA\n>without\nMKLA\n", encoding="utf-8")
    write(tmp_path, "with", positions=PLACES)
    write(tmp_path, "without")
    return tmp_path


def write(folder, name, contacts=TRUE, valid_residues=VALID, **more):
    contacts = contacts & ~np.eye(len(contacts), dtype=bool)
    path = folder / "contacts" / f"{name}.npz"
    np.savez(path, contacts=contacts, valid_residues=valid_residues, **more)


def maps(path, **changes):
    fields = {"source": SOURCE, "contact": "ca8", "ranges": ["long"], "ids": None}
    fields |= {"subset": None, "seed": 0, "limit": None, "labeled": 0}
    return ContactMaps(str(path) if path else None, **(fields | changes))


def test_it_keeps_the_protocols(folder):
    assert isinstance(maps(folder), Dataset)
    assert isinstance(maps(folder), Fetched)
    assert isinstance(maps(folder), KnowsLengths)
    assert maps(folder, limit=1).lengths == {"with": 4}


def test_with_positions_distances_are_those_of_ca(folder):
    expected = np.linalg.norm(PLACES[:, None] - PLACES, axis=-1)
    np.testing.assert_allclose(maps(folder)["with"].distances, expected, atol=1e-6)


def test_without_them_a_pair_is_near_or_far(folder):
    distances = maps(folder)["without"].distances
    assert (distances < 8).tolist() == TRUE.tolist()
    assert set(np.unique(distances)) == {0.0, np.inf}


def test_a_residue_that_is_not_valid_has_no_distances(folder):
    write(folder, "without", valid_residues=np.array([True, False, True, True]))
    sample = maps(folder)["without"]
    assert sample.resolved.tolist() == [True, False, True, True]
    assert np.isnan(sample.distances[1]).all()
    assert sample.facts["resolved_fraction"] == 0.75


@pytest.mark.parametrize("contact", ["cb8", "cb10"])
def test_another_definition_of_contact_is_refused(folder, contact):
    with pytest.raises(InputError, match=f"contact is '{contact}', but .*; add contact=ca8"):
        maps(folder, contact=contact)


def test_a_changed_file_is_another_version(folder):
    before = maps(folder).version
    assert maps(folder).version == before
    write(folder, "without", valid_residues=np.array([True, False, True, True]))
    assert maps(folder).version != before


def test_labeled_proteins_are_part_of_the_version_and_never_scored(folder):
    data = maps(folder, labeled=1)
    assert sorted(data.protein_ids + data.labeled_ids) == ["with", "without"]
    assert len({maps(folder, labeled=n).version for n in (0, 1)}) == 2
    assert f"contacts/{data.labeled_ids[0]}.npz" in data.manifest
    assert data[data.labeled_ids[0]].protein.sequence == "MKLA"


def test_every_file_has_its_digest(folder):
    files = ["contacts/with.npz", "contacts/without.npz", "sequences.fasta"]
    assert sorted(maps(folder).manifest) == files
    assert sorted(maps(folder, ids=["with"]).manifest) == [files[0], files[2]]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"contacts": TRUE[:3, :3]}, r"contacts \(3, 3\) and valid_residues \(4,\) do not fit a"),
        ({"positions": PLACES[::-1]}, "contacts are not the pairs of positions below 8 Å"),
        ({"valid_residues": np.array(["a"])}, r"valid_residues \(1,\) do not fit"),
    ],
)
def test_what_does_not_fit_is_named(folder, change, complaint):
    write(folder, "with", **change)
    with pytest.raises(InputError, match=rf"with\.npz: .*{complaint}"):
        maps(folder)["with"]


def test_a_pickle_is_never_opened(folder):
    np.savez(folder / "contacts" / "with.npz", contacts=np.array([{}], dtype=object))
    with pytest.raises(InputError, match=r"with\.npz: not a file of contacts"):
        maps(folder)["with"]


def test_a_damaged_file_is_named(folder):
    (folder / "contacts" / "with.npz").write_bytes(b"PK\x03\x04 damaged")
    with pytest.raises(InputError, match=r"with\.npz: not a file of contacts"):
        maps(folder)["with"]


def test_what_is_absent_is_named(folder):
    (folder / "contacts" / "with.npz").unlink()
    with pytest.raises(PrerequisiteError, match=r"with\.npz is not there; it holds the contacts"):
        maps(folder)["with"]
    (folder / "sequences.fasta").unlink()
    with pytest.raises(PrerequisiteError, match=r"sequences\.fasta is not there"):
        _ = maps(folder).protein_ids
    with pytest.raises(PrerequisiteError, match=r"is no folder: set dataset\.path=DIR"):
        _ = maps(folder / "none").protein_ids


def test_only_proteins_of_the_set_are_given(folder):
    with pytest.raises(InputError, match="holds no 'other'"):
        maps(folder)["other"]


def test_a_folder_of_ones_own_cannot_be_verified(folder):
    with pytest.raises(InputError, match="a folder of your own, which nobody has recorded"):
        maps(folder).verify()


def test_without_a_folder_files_are_fetched(tmp_path):
    with pytest.raises(PrerequisiteError, match="offline mode forbids to fetch it"):
        _ = maps(None).protein_ids
    assert any("is not there" in problem for problem in maps(None).verify())


@needs_data
@pytest.mark.parametrize(("name", "number"), [("cameo_pta25", 56), ("casp14_fm", 16)])
def test_the_published_sets_are_whole(name, number):
    dataset = maps(DATA / name)
    assert len(dataset.protein_ids) == number
    evaluation = Precision("ca8", ["long"], Unmasked())
    for identifier in dataset.protein_ids:
        sample = dataset[identifier]
        flat = np.zeros(sample.distances.shape)
        rows = {row.metric: row for row in evaluation(lambda protein, flat=flat: flat, sample)}
        peptide = identifier in ("8X3S_B", "8YPF_B")  # seven residues are resolved
        assert (rows["p_at_L"].coordinates["n_valid"] == 0) == peptide
