from dataclasses import replace

import numpy as np
import pytest

from harness.alphabet import AMINO_ACIDS, GAP, encode
from harness.corpus import CorpusSettings
from harness.datasets.folder_corpus import family_corpus
from harness.errors import InputError

QUERY = "ACDEFGHIKL"
SETTINGS = CorpusSettings(training=100, held_out=3, aligned=False, multiple=2, weight_identity=None)


def write(folder, rows, name="p"):
    path = folder / f"{name}.a3m"
    path.write_text("".join(f">r{n}\n{row}\n" for n, row in enumerate(rows)))
    return {name: path}


def relatives(n):
    """The query and distinct rows of equal length."""
    others = [QUERY[:-2] + AMINO_ACIDS[k // 20] + AMINO_ACIDS[k % 20] for k in range(n - 1)]
    return [QUERY, *others]


def texts(buckets):
    return {"".join(AMINO_ACIDS[x] for x in row) for b in buckets for row in b.sequences}


def test_whole_sequences_are_without_gaps_and_with_insertions(tmp_path):
    rows = [*relatives(30), "ACDwwEFGHIWW", "AC--FGHIKL"]
    corpus = family_corpus(write(tmp_path, rows), 0, SETTINGS, "v")
    assert texts([*corpus.training, *corpus.held_out]) >= {"ACDWWEFGHIWW", "ACFGHIKL", QUERY}
    assert corpus.bounds == {}
    assert corpus.version == "v"


def test_aligned_sequences_keep_their_columns(tmp_path):
    rows = [*relatives(30), "ACDwwEFGHIWW", "AC--FGHIKL"]
    corpus = family_corpus(write(tmp_path, rows), 0, replace(SETTINGS, aligned=True), "v")
    (bucket,) = corpus.training
    assert bucket.sequences.shape == (32 - 3, 10)
    gapped = encode(QUERY)
    gapped[2:4] = GAP
    everything = [*bucket.sequences, *corpus.held_out[0].sequences]
    assert any(np.array_equal(row, gapped) for row in everything)
    assert 0 < corpus.bounds["site_independent"] < np.log(20)


def test_what_is_held_out_is_not_trained_on_and_never_the_query(tmp_path):
    for seed in range(5):
        corpus = family_corpus(write(tmp_path, relatives(40)), seed, SETTINGS, "v")
        held_out, seen = texts(corpus.held_out), texts(corpus.training)
        assert len(held_out) == 3
        assert not held_out & seen
        assert QUERY in seen


def test_at_most_one_row_in_ten_is_held_out(tmp_path):
    corpus = family_corpus(write(tmp_path, relatives(25)), 0, SETTINGS, "v")
    assert len(corpus.held_out[0].sequences) == 2


def test_a_draw_does_not_depend_on_other_families(tmp_path):
    alone = write(tmp_path, relatives(40))
    both = alone | write(tmp_path, ["ACDE", "ACDF"], "q")
    first, second = (family_corpus(files, 0, SETTINGS, "v") for files in (alone, both))
    assert texts(first.held_out) == texts(second.held_out)


def test_a_number_of_sequences_can_be_asked_for(tmp_path):
    files = write(tmp_path, relatives(40))
    corpus = family_corpus(files, 0, replace(SETTINGS, training=5), "v")
    assert len(corpus.training[0].sequences) == 5
    assert QUERY in texts(corpus.training)


def test_similar_rows_share_one_weight(tmp_path):
    """All rows share eight of ten columns with all others."""
    files = write(tmp_path, relatives(30))
    corpus = family_corpus(files, 0, replace(SETTINGS, weight_identity=0.8), "v")
    weights = corpus.training[0].weights
    assert weights == pytest.approx(np.full(27, 1 / 27))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (relatives(9), "leave 1 lengths to train on and 0 to hold out; a family needs 10 distinct"),
        (["A", *(AMINO_ACIDS[1:])], "0 lengths to train on"),
    ],
)
def test_too_little_is_an_error_that_says_so(tmp_path, rows, message):
    with pytest.raises(InputError, match=message):
        family_corpus(write(tmp_path, rows), 0, SETTINGS, "v")


def test_no_alignment_is_an_error_that_says_so():
    with pytest.raises(InputError, match="no protein has an alignment to train on"):
        family_corpus({}, 0, SETTINGS, "v")


def test_one_sequence_aligned_in_two_ways_is_one(tmp_path):
    """Else a row that is held out is trained on under another alignment."""
    same = ["W" + "-" * k + "CDE" + "-" * (6 - k) for k in range(7)]
    files = write(tmp_path, [*relatives(30), *same])
    for seed in range(20):
        corpus = family_corpus(files, seed, replace(SETTINGS, multiple=1), "v")
        assert sum(len(b.sequences) for b in [*corpus.training, *corpus.held_out]) == 31
        assert not texts(corpus.training) & texts(corpus.held_out)


def test_a_row_of_gaps_is_left_out(tmp_path):
    files = write(tmp_path, [*relatives(10), "-" * 10])
    for seed in range(20):
        corpus = family_corpus(files, seed, replace(SETTINGS, aligned=True), "v")
        assert corpus.bounds["site_independent"] > 0
        assert corpus.training[0].sequences.shape == (9, 10)
