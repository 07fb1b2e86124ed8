from dataclasses import replace

import numpy as np
import pytest

from harness.corpus import CorpusSettings
from harness.datasets.potts import PottsDataset
from harness.errors import InputError

DATASET = PottsDataset(
    seed=0,
    side=2,
    energies="random",
    coupling_sd=1.0,
    families=3,
    measured=2,
    sequences=2,
    sweeps=5,
    ranges=["min3"],
    ids=None,
    limit=None,
)
SETTINGS = CorpusSettings(6, 4, False, 8, None)


def test_the_first_families_are_measured_one_sequence_after_the_other():
    assert DATASET.protein_ids == [
        *("family0000_00", "family0001_00", "family0000_01", "family0001_01")
    ]
    assert replace(DATASET, measured=9, limit=5).protein_ids[:3] == [
        *("family0000_00", "family0001_00", "family0002_00")
    ]


def test_a_sample_knows_its_couplings_and_how_many_families_there_are():
    sample = DATASET["family0001_01"]
    assert sample.facts == {"families": 3.0}
    contacts = np.abs(sample.couplings).max(axis=(1, 3)) > 0
    assert contacts.sum() == 2 * 5
    assert (sample.distances[contacts] == 6.5).all()
    assert sample.protein.alignment is None


def test_more_families_and_sequences_leave_a_sample_as_it_is():
    more = replace(DATASET, families=5, measured=5, sequences=3)
    first, second = DATASET["family0001_01"], more["family0001_01"]
    assert first.protein == second.protein
    assert np.array_equal(first.couplings, second.couplings)


def test_a_corpus_holds_all_families_and_other_sequences_of_those_measured():
    corpus = DATASET.corpus(SETTINGS, "cpu")
    assert corpus.training[0].sequences.shape == (3 * 6, 8)
    assert corpus.held_out[0].sequences.shape == (2 * 4, 8)
    scored = {DATASET[name].protein.sequence for name in DATASET.protein_ids}
    held_out = {
        "".join("ARNDCQEGHILKMFPSTWYV"[x] for x in row) for row in corpus.held_out[0].sequences
    }
    assert not scored & held_out
    assert corpus.bounds["exact"] < corpus.bounds["site_independent"]
    assert corpus.version != replace(DATASET, sweeps=6).corpus(SETTINGS, "cpu").version


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"limit": 0}, "dataset.limit is 0"),
        ({"ids": ["family0007_00"]}, "dataset.ids: .*unknown; there are family0000_00"),
    ],
)
def test_what_is_not_there_is_refused(changed, message):
    with pytest.raises(InputError, match=message):
        _ = replace(DATASET, **changed).protein_ids


@pytest.mark.parametrize("changed", [{"measured": 0}, {"families": 0}])
def test_no_family_is_refused(changed):
    with pytest.raises(ValueError, match="allowed are 1 and more"):
        replace(DATASET, **changed)


@pytest.mark.parametrize("name", ["family0002_00", "family0000_02", "../x", "family0000"])
def test_a_protein_that_is_not_scored_is_not_there(name):
    with pytest.raises(KeyError):
        _ = DATASET[name]


def test_the_version_names_everything():
    assert DATASET.version == "potts-1-seed0-side2-random-sd1-3x2-sweeps5"
    assert DATASET.manifest == {}
    assert DATASET.labeled_ids == []
