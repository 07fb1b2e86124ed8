import numpy as np
import pytest

from harness.blocks import Block, Segment, blocks_of
from harness.errors import InputError
from harness.protein import Protein

PAIR = Block(Segment(1, 3), Segment(5, 8))
ON_DIAGONAL = Block(Segment(2, 4), Segment(2, 4))
MAP = np.arange(64.0).reshape(8, 8)


@pytest.mark.parametrize(("start", "end"), [(-1, 3), (3, 3), (4, 3)])
def test_a_segment_without_residues_is_refused(start, end):
    with pytest.raises(InputError, match="holds none"):
        Segment(start, end)


@pytest.mark.parametrize("columns", [Segment(2, 5), Segment(0, 1), Segment(1, 2)])
def test_overlapping_or_unordered_segments_are_refused(columns):
    with pytest.raises(InputError, match="overlap, or are not in order"):
        Block(Segment(1, 3), columns)


def test_segments_may_touch():
    assert Block(Segment(1, 3), Segment(3, 5)).residues == [1, 2, 3, 4]


def test_the_center_is_the_residue_in_the_middle():
    assert (Segment(4, 15).center, Segment(4, 6).center) == (9, 5)


def test_a_block_is_cut_out_of_a_map():
    np.testing.assert_array_equal(PAIR.of(MAP), MAP[1:3, 5:8])
    np.testing.assert_array_equal(ON_DIAGONAL.of(MAP), MAP[2:4, 2:4])


def test_residues_are_those_of_all_segments_once():
    assert PAIR.residues == [1, 2, 5, 6, 7]
    assert ON_DIAGONAL.residues == [2, 3]
    assert (str(PAIR), str(ON_DIAGONAL)) == ("1:3–5:8", "2:4")


def test_a_block_beyond_the_end_is_refused_by_the_name_of_the_protein():
    PAIR.require_within(Protein("p", "A" * 8))
    with pytest.raises(InputError, match="block 1:3–5:8 lies beyond the end of p, which has 7 res"):
        PAIR.require_within(Protein("p", "A" * 7))


def test_blocks_of_a_method_that_makes_whole_maps_are_cut_out_of_them():
    found = list(blocks_of(lambda protein: MAP * len(protein), [Protein("p", "A" * 8)] * 2, PAIR))
    assert len(found) == 2
    np.testing.assert_array_equal(found[1], 8 * MAP[1:3, 5:8])


def test_a_method_that_makes_blocks_is_asked_for_them():
    class Blocks:
        def __call__(self, protein):
            raise AssertionError("the whole map was asked for")

        def blocks(self, proteins, block):
            return iter([np.full((2, 3), len(proteins))])

    (found,) = blocks_of(Blocks(), [Protein("p", "A" * 8)], PAIR)
    assert (found == 1).all()
