import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harness import lattice
from harness.datasets.lattice import LatticeDataset
from harness.errors import InputError
from harness.lattice import family_sequences, generate_family
from harness.metrics import CONTACTS

DEPTH = 5


def dataset(cache, **changes):
    settings = {"seed": 0, "families": 2, "sequences": 2, "labeled": 1, "depth": DEPTH}
    settings |= {"ranges": ["min3"], "ids": None, "limit": None}
    return LatticeDataset(**(settings | changes), cache=str(cache))


def test_one_protein_of_each_family_comes_before_the_second_of_any(tmp_path):
    expected = ["family00_00", "family01_00", "family00_01", "family01_01"]
    assert dataset(tmp_path).protein_ids == expected


def test_a_limit_takes_the_first_proteins(tmp_path):
    assert dataset(tmp_path, limit=2).protein_ids == ["family00_00", "family01_00"]


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_that_leaves_nothing_is_refused(tmp_path, limit):
    with pytest.raises(InputError, match=f"dataset.limit is {limit}"):
        _ = dataset(tmp_path, limit=limit).protein_ids


def test_chosen_proteins_come_once_each_in_the_order_they_were_named(tmp_path):
    chosen = dataset(tmp_path, ids=["family01_01", "family00_00", "family01_01"])
    assert chosen.protein_ids == ["family01_01", "family00_00"]


def test_an_unknown_protein_is_named_with_what_there_is(tmp_path):
    with pytest.raises(InputError, match=r"\['family09_00'\] unknown; there are family00_00 …"):
        _ = dataset(tmp_path, ids=["family09_00"]).protein_ids


@pytest.mark.parametrize("name", ["family02_00", "family00_03", "other", "../family00_00"])
def test_a_protein_that_is_not_in_the_data_set_has_no_sample(tmp_path, name):
    with pytest.raises(KeyError):
        dataset(tmp_path)[name]


def test_the_alignment_holds_the_query_and_then_training_sequences(tmp_path):
    protein = dataset(tmp_path)["family01_00"].protein
    names, rows = protein.alignment.read_text().split()[::2], protein.alignment.read_text().split()
    family = generate_family(0, 1)
    assert names == [">family01_00", ">t0", ">t1", ">t2", ">t3"]
    assert rows[1] == protein.sequence == family_sequences(family, 0, "held_out", 1)[0]
    assert rows[3::2] == family_sequences(family, 0, "train", DEPTH - 1)


def test_contacts_of_the_default_definition_are_those_of_the_family(tmp_path):
    sample = dataset(tmp_path)["family01_00"]
    separation = np.abs(np.subtract.outer(np.arange(27), np.arange(27)))
    contacts = (sample.distances < CONTACTS["cb8"].cutoff) & (separation >= 3)
    np.testing.assert_array_equal(contacts, generate_family(0, 1).contacts)


def test_more_sequences_leave_the_proteins_that_are_there(tmp_path):
    few, more = dataset(tmp_path), dataset(tmp_path, sequences=3, families=1)
    assert few["family00_01"].protein == more["family00_01"].protein


def test_an_alignment_of_another_depth_is_another_file(tmp_path):
    shallow, deep = (dataset(tmp_path, depth=n)["family00_00"].protein for n in (2, 3))
    lines = [len(protein.alignment.read_text().split()) for protein in (shallow, deep)]
    assert lines == [4, 6]


def test_a_hundred_and_first_family_has_a_sample_too(tmp_path):
    data = dataset(tmp_path, families=101, sequences=1, depth=1)
    assert data["family100_00"].protein.id == data.protein_ids[-1]


@pytest.mark.parametrize("change", [{"seed": 1}, {"families": 3}, {"sequences": 3}, {"depth": 6}])
def test_the_version_changes_with_whatever_shapes_a_sample(tmp_path, change):
    assert dataset(tmp_path, **change).version != dataset(tmp_path).version
    assert dataset(tmp_path).version.startswith(lattice.GENERATOR)


def test_the_selection_is_no_part_of_the_version(tmp_path):
    assert dataset(tmp_path, limit=1).version == dataset(tmp_path).version


WRITE = """
import sys, time
from harness.datasets import lattice

generate = lattice._training

def slowly(*arguments):
    print("generates")
    time.sleep(1)  # so that the other process comes while this one is at it
    return generate(*arguments)

lattice._training = slowly
settings = {"seed": 0, "families": 1, "sequences": 1, "labeled": 0, "depth": 2000}
settings |= {"cache": sys.argv[1], "ranges": ["min3"], "ids": None, "limit": None}
data = lattice.LatticeDataset(**settings)
print(data["family00_00"].protein.alignment)
"""


def test_of_two_processes_that_want_a_file_at_once_one_writes_it_whole(tmp_path):
    root = Path(lattice.__file__).parent.parent
    command = [sys.executable, "-c", WRITE, str(tmp_path)]
    both = [subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) for _ in "ab"]
    said = [line for process in both for line in process.communicate()[0].split()]
    assert [process.returncode for process in both] == [0, 0]
    assert said.count("generates") == 1
    (path,) = set(said) - {"generates"}
    lines = Path(path).read_text().split("\n")
    assert len(lines) == 2 * 2000 + 1
    assert {len(line) for line in lines[1:-1:2]} == {lattice.LENGTH}
    assert not list(tmp_path.rglob("*.partial"))


def test_no_two_proteins_of_a_family_share_their_training_sequences(tmp_path):
    data = dataset(tmp_path)
    texts = [data[f"family00_{n:02}"].protein.alignment.read_text() for n in (0, 1)]
    first, second = (text.split()[3::2] for text in texts)
    assert first + second == family_sequences(generate_family(0, 0), 0, "train", 2 * (DEPTH - 1))
