"""Which residues an isoform keeps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.alphabet import AMINO_ACIDS
from harness.blocks import Segment
from harness.errors import InputError
from harness.isoform import Kept, kept_residues
from harness.protein import Protein

FULL = "MKTAYIAKGRQISFVLDERWHCNGPQTYEMLSAVKDIG"
SHORTEST = 4


def kept(isoform: str, full: str = FULL, shortest: int = SHORTEST) -> Kept:
    return kept_residues(Protein("iso", isoform), Protein("full", full), shortest)


def spans(segments: list[Segment]) -> list[tuple[int, int]]:
    return [(segment.start, segment.end) for segment in segments]


def test_a_deletion_leaves_two_segments() -> None:
    found = kept(FULL[:10] + FULL[18:])
    assert spans(found.segments) == [(0, 10), (18, 38)]
    assert spans(found.lost) == [(10, 18)]
    assert found.new == []
    assert found.segment.tolist() == [0] * 10 + [1] * 20


@pytest.mark.parametrize(("start", "end"), [(0, 9), (30, 38)])
def test_an_end_that_is_missing_leaves_one_segment(start: int, end: int) -> None:
    found = kept(FULL[:start] + FULL[end:])
    assert spans(found.lost) == [(start, end)]
    assert len(found.segments) == 1


def test_a_replaced_segment_is_lost_and_new() -> None:
    found = kept(FULL[:14] + "WWHWWPWW" + FULL[24:])
    assert spans(found.lost) == [(14, 24)]
    assert spans(found.new) == [(14, 22)]
    assert found.isoform.tolist() == [*range(14), *range(22, 36)]
    assert found.full.tolist() == [*range(14), *range(24, 38)]


def test_an_insertion_is_new_and_parts_the_segments() -> None:
    found = kept(FULL[:20] + "DDDDD" + FULL[20:])
    assert (spans(found.lost), spans(found.new)) == ([], [(20, 25)])
    assert spans(found.segments) == [(0, 38)]  # nothing is missing between them
    assert set(found.segment.tolist()) == {0, 1}


def test_a_substitution_is_not_kept() -> None:
    found = kept(FULL[:18] + "A" + FULL[19:])
    assert (spans(found.lost), spans(found.new)) == ([(18, 19)], [(18, 19)])


def test_short_matches_among_new_residues_are_chance() -> None:
    """What replaces a segment has four of its residues in common with it."""
    isoform = FULL[:12] + "W" * 6 + FULL[14:18] + "W" * 6 + FULL[28:]
    assert spans(kept(isoform, shortest=5).new) == [(12, 28)]
    assert spans(kept(isoform, shortest=4).new) == [(12, 18), (22, 28)]


@pytest.mark.parametrize("letter", ["X", "U", "B"])
def test_residues_outside_the_twenty_equal_nothing(letter: str) -> None:
    full = FULL[:20] + letter + FULL[21:]
    found = kept(full[:6] + full[12:], full)
    assert 20 not in found.full


def test_pairs_are_apart_in_both_sequences() -> None:
    found = kept(FULL[:10] + FULL[18:])
    far = found.in_both(6)
    assert not far[9, 10]  # neighbors in the isoform, nine apart in the full length
    assert far[4, 10]
    assert not far[5, 10]


@pytest.mark.parametrize(
    ("isoform", "message"),
    [
        (FULL[::-1], r"iso shares \d+ of its 38 residues with full: no isoform of it\?"),
        ("W" * 30 + FULL[:12], r"iso shares 12 of its 42 residues"),
        (FULL, "iso is full itself"),
        ("WW", r"iso shares 0 of its 2 residues"),
    ],
)
def test_what_is_no_isoform_is_refused(isoform: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        kept(isoform)


@given(st.integers(0, 10_000), st.integers(40, 120), st.data())
def test_every_long_deletion_is_found(seed: int, length: int, data: st.DataObject) -> None:
    """Where the same letters stand at both ends of what is lost, it may as well be shifted."""
    letters = np.random.default_rng(seed).integers(0, 20, length)
    full = "".join(AMINO_ACIDS[x] for x in letters)
    start = data.draw(st.integers(5, length // 2))
    end = data.draw(st.integers(start + 3, length - 5))
    isoform = full[:start] + full[end:]
    found = kept(isoform, full, shortest=1)
    assert (found.places >= 0).all()
    assert [full[at] for at in found.places] == list(isoform)
    assert [len(segment) for segment in found.lost] == [end - start]
