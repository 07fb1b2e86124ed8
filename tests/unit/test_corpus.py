import math

import numpy as np
import pytest

from harness.alphabet import UNKNOWN
from harness.corpus import Bucket, Corpus, CorpusSettings, bucketed, site_cross_entropy


def rows(*lengths):
    """Sequences that can be told apart by any of their residues."""
    return [np.arange(length, dtype=np.int8) + 30 * n for n, length in enumerate(lengths)]


def test_sequences_are_cropped_to_a_multiple_and_put_together_by_length():
    found = bucketed(rows(9, 4, 11, 3), None, 4, np.random.default_rng(0))
    assert [bucket.sequences.shape for bucket in found] == [(1, 4), (2, 8)]
    for bucket in found:
        assert (np.diff(bucket.sequences, axis=1) == 1).all()  # a piece, not a selection
        assert bucket.weights is None


def test_what_is_cropped_comes_off_either_end():
    starts = {
        int(bucketed(rows(6), None, 4, np.random.default_rng(seed))[0].sequences[0, 0])
        for seed in range(40)
    }
    assert starts == {0, 1, 2}


def test_weights_follow_their_sequences():
    found = bucketed(rows(4, 2, 4), [1.0, 2.0, 3.0], 2, np.random.default_rng(0))
    assert [bucket.weights.tolist() for bucket in found] == [[2.0], [1.0, 3.0]]


def test_nothing_is_left_of_sequences_shorter_than_the_multiple():
    assert bucketed(rows(3, 2), None, 4, np.random.default_rng(0)) == []


def test_site_frequencies_by_hand():
    """One site, three times residue 0 and once residue 1: (3 + 1) / 24 and (1 + 1) / 24."""
    seen, unseen = np.array([[0], [0], [0], [1]]), np.array([[0], [1]])
    expected = -(math.log(4 / 24) + math.log(2 / 24)) / 2
    assert site_cross_entropy(seen, unseen) == pytest.approx(expected)


def test_unknown_residues_count_nowhere():
    seen, unseen = np.array([[0, UNKNOWN], [UNKNOWN, 3]]), np.array([[0, UNKNOWN]])
    assert site_cross_entropy(seen, unseen) == pytest.approx(-math.log(2 / 21))


def test_the_residues_of_a_corpus_are_those_to_train_on():
    buckets = [Bucket(np.zeros((3, 4), np.int8)), Bucket(np.zeros((2, 5), np.int8))]
    assert Corpus("v", buckets, buckets[:1]).residues == 22


@pytest.mark.parametrize("changed", [(0, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_settings_of_nothing_are_refused(changed):
    training, held_out, multiple = changed
    with pytest.raises(ValueError, match="must be 1 or more"):
        CorpusSettings(training, held_out, False, multiple, None)
