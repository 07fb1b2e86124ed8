import numpy as np

from harness.metrics import CONTACTS, RANGES, rank_pairs
from harness.pairs import DEPTH, kept_pairs, read_pairs
from harness.protein import Protein
from harness.sample import Sample
from tests.reports import LENGTH, sample_of, scores_of

CONTACT = CONTACTS["cb8"]


def test_the_best_pairs_of_each_range_are_kept_in_the_order_of_its_precision():
    sample, scores = sample_of("a"), scores_of(1)
    kept = kept_pairs(sample, scores, CONTACT, ["short", "long"])
    for name in ("short", "long"):
        ranked = rank_pairs(scores, sample.distances, RANGES[name], CONTACT.cutoff)
        apart = kept.pairs[:, 1] - kept.pairs[:, 0]
        own = kept.pairs[RANGES[name].contains(apart.astype(float))]
        best = slice(DEPTH * LENGTH)
        np.testing.assert_array_equal(own, np.column_stack([ranked.i[best], ranked.j[best]]))


def test_no_more_than_five_times_the_length_is_kept_of_a_range():
    kept = kept_pairs(sample_of("a", 60), scores_of(1, 60), CONTACT, ["min3"])
    assert len(kept.pairs) == DEPTH * 60
    assert (np.diff(kept.scores) <= 0).all()


def test_equal_scores_are_in_the_order_of_residues():
    kept = kept_pairs(sample_of("a"), np.zeros((LENGTH, LENGTH)), CONTACT, ["min6"])
    assert kept.pairs.tolist() == sorted(kept.pairs.tolist())


def test_unresolved_residues_are_named_and_have_no_pairs():
    kept = kept_pairs(sample_of("a"), scores_of(1), CONTACT, ["min3"])
    assert kept.unresolved.tolist() == [2]
    assert 2 not in kept.pairs
    assert 2 not in kept.contacts


def test_the_contacts_are_those_of_the_definition_beyond_neighbors():
    kept = kept_pairs(sample_of("a"), scores_of(1), CONTACT, ["long"])
    i, j = kept.contacts.T
    assert (sample_of("a").distances[i, j] < 8).all()
    assert (j - i >= 3).all()
    assert [0, LENGTH - 1] in kept.contacts.tolist()


def test_contacts_and_pairs_between_chains_are_kept_however_near_their_numbers():
    distances = np.full((6, 6), 5.0)
    complex_ = Sample(Protein("a", "ACDEFG", breaks=(3,)), distances)
    kept = kept_pairs(complex_, scores_of(0, 6), CONTACT, ["inter"])
    assert [2, 3] in kept.contacts.tolist()
    assert [2, 3] in kept.pairs.tolist()
    assert len(kept.pairs) == 9


def test_what_is_saved_is_read_back(tmp_path):
    kept = kept_pairs(sample_of("a"), scores_of(1), CONTACT, ["min6"])
    kept.save(tmp_path / "pairs" / "a.npz")
    again = read_pairs(tmp_path / "pairs" / "a.npz")
    assert again.sequence == kept.sequence
    for name in ("breaks", "unresolved", "contacts", "pairs"):
        np.testing.assert_array_equal(getattr(again, name), getattr(kept, name))
    np.testing.assert_allclose(again.scores, kept.scores, rtol=1e-6)  # float32
    assert [path.name for path in (tmp_path / "pairs").iterdir()] == ["a.npz"]
