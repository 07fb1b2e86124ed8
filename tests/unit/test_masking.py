import numpy as np
import pytest

from harness.blocks import Block, Segment
from harness.errors import InputError
from harness.masking import Flank, Fraction, RandomPlaces, Unmasked, draw, draw_seed
from harness.protein import Protein
from harness.protocols import Masking, StepwiseMasking

PROTEIN = Protein("p", "ACDEFGHIKLMNPQRSTVWY")
SINGLE = Block(Segment(4, 7), Segment(4, 7))
PAIR = Block(Segment(3, 5), Segment(11, 13))
OUTWARD = Flank("both", "outward", 0)


def shown(masking, block=SINGLE, protein=PROTEIN):
    """Beside the block, what each step shows."""
    steps = list(masking.steps(protein, block))
    assert [step.flank for step in steps] == list(range(len(steps)))
    assert all(set(block.residues) <= set(step.visible) for step in steps)
    return [sorted(set(step.visible) - set(block.residues)) for step in steps]


def test_unmasked_leaves_every_residue_visible():
    assert Unmasked()(PROTEIN) == PROTEIN


@pytest.mark.parametrize("masking", [Unmasked(), Fraction(0.5, 0)])
def test_maskings_of_whole_proteins_are_of_one_kind(masking):
    assert isinstance(masking, Masking)
    assert not isinstance(masking, StepwiseMasking)


@pytest.mark.parametrize("masking", [OUTWARD, RandomPlaces(OUTWARD, 0, 0)])
def test_maskings_around_a_block_are_of_another(masking):
    assert isinstance(masking, StepwiseMasking)
    assert not isinstance(masking, Masking)


@pytest.mark.parametrize(("share", "hidden"), [(0, 0), (0.15, 3), (0.5, 10), (1, 20)])
def test_a_fraction_is_hidden_to_the_nearest_residue(share, hidden):
    assert Fraction(share, 0)(PROTEIN).n_hidden == hidden


def test_a_fraction_is_drawn_by_seed_and_protein():
    one = Fraction(0.5, 0)(PROTEIN)
    assert one == Fraction(0.5, 0)(PROTEIN)
    assert one.sequence != Fraction(0.5, 1)(PROTEIN).sequence
    assert one.sequence != Fraction(0.5, 0)(Protein("q", PROTEIN.sequence)).sequence


def test_no_share_beyond_the_whole():
    with pytest.raises(ValueError, match=r"hidden is 1.5; allowed are 0 to 1"):
        Fraction(1.5, 0)


def test_flanks_grow_on_both_sides_until_one_reaches_an_end():
    assert shown(OUTWARD) == [
        [],
        [3, 7],
        [2, 3, 7, 8],
        [1, 2, 3, 7, 8, 9],
        [0, 1, 2, 3, 7, 8, 9, 10],
    ]


def test_one_flank_grows_to_its_own_end():
    assert shown(Flank("left", "outward", 0)) == [[], [3], [2, 3], [1, 2, 3], [0, 1, 2, 3]]
    assert shown(Flank("right", "outward", 0))[-1] == list(range(7, 20))


def test_the_flank_that_does_not_grow_can_be_given():
    assert shown(Flank("left", "outward", 2))[1] == [3, 7, 8]
    assert shown(Flank("right", "outward", 9))[1] == [0, 1, 2, 3, 7]


def test_flanks_of_a_pair_grow_away_from_each_other():
    assert shown(OUTWARD, PAIR) == [[], [2, 13], [1, 2, 13, 14], [0, 1, 2, 13, 14, 15]]


def test_flanks_of_a_pair_grow_inward_until_they_meet():
    inward = shown(Flank("both", "inward", 0), PAIR)
    assert inward == [[], [5, 10], [5, 6, 9, 10], [5, 6, 7, 8, 9, 10]]
    assert shown(Flank("left", "inward", 0), PAIR)[-1] == [5, 6, 7, 8, 9, 10]


def test_flanks_of_a_pair_grow_both_ways():
    both = shown(Flank("both", "both", 0), PAIR)
    assert both[1] == [2, 5, 10, 13]
    assert both[3] == [0, 1, 2, 5, 6, 7, 8, 9, 10, 13, 14, 15]
    assert len(both) == 4


def test_inner_flanks_end_at_the_other_segment():
    far = Block(Segment(8, 10), Segment(12, 14))
    assert shown(Flank("left", "both", 0), far)[-1] == [*range(8), 10, 11]


def test_only_the_first_or_the_second_of_a_pair_grows():
    assert shown(Flank("left", "outward", 0), PAIR) == [[], [2], [1, 2], [0, 1, 2]]
    assert shown(Flank("right", "outward", 1), PAIR)[2] == [2, 13, 14]


def test_a_block_over_the_whole_protein_has_one_step():
    whole = Block(Segment(0, 20), Segment(0, 20))
    assert shown(OUTWARD, whole) == [[]]
    assert shown(RandomPlaces(OUTWARD, 30, 0), whole) == [[]]


@pytest.mark.parametrize("masking", [OUTWARD, RandomPlaces(OUTWARD, 0, 0)])
def test_a_block_beyond_the_end_is_refused(masking):
    with pytest.raises(InputError, match="beyond the end of short"):
        list(masking.steps(Protein("short", "ACDEF"), SINGLE))


@pytest.mark.parametrize("block", [SINGLE, PAIR], ids=str)
@pytest.mark.parametrize("direction", ["outward", "inward", "both"])
def test_random_places_are_as_many_as_the_flanks_show(block, direction):
    like = Flank("both", direction, 0)
    expected = [len(places) for places in shown(like, block)]
    assert [len(places) for places in shown(RandomPlaces(like, 0, 7), block)] == expected


def test_random_places_are_drawn_by_seed_protein_block_and_step():
    masking = RandomPlaces(OUTWARD, 0, 0)
    steps = list(masking.steps(PROTEIN, SINGLE))
    assert steps == list(masking.steps(PROTEIN, SINGLE))
    assert len({step.draw for step in steps}) == len(steps)
    assert all(0 < step.draw < 2**48 for step in steps)
    others = [
        list(RandomPlaces(OUTWARD, 0, 1).steps(PROTEIN, SINGLE)),
        list(masking.steps(Protein("q", PROTEIN.sequence), SINGLE)),
    ]
    assert all(other[-1].visible != steps[-1].visible for other in others)


def test_the_recorded_draw_says_which_places():
    step = list(RandomPlaces(OUTWARD, 0, 0).steps(PROTEIN, SINGLE))[2]
    places = [i for i in range(20) if i not in SINGLE.residues]
    expected = draw(places, 4, np.random.default_rng(step.draw))
    assert set(step.visible) == {*SINGLE.residues, *expected}


def test_a_seed_and_a_draw_are_the_same_on_every_machine():
    assert draw_seed(0, "1ABCA", "4:7", "2") == 130620080768366
    assert draw(range(20), 4, np.random.default_rng(5)) == [7, 8, 4, 19]


def test_far_places_keep_their_distance_and_steps_end_where_there_are_too_few():
    long = Protein("long", "A" * 30)
    steps = shown(RandomPlaces(OUTWARD, 3, 0), Block(Segment(10, 13), Segment(10, 13)), long)
    assert all(i < 7 or i >= 16 for places in steps for i in places)
    assert len(steps) == 11  # flanks up to 10 take 20 places, and there are 21
    assert len(shown(RandomPlaces(OUTWARD, 4, 0), PAIR)) == 2  # three places are left


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Flank("up", "outward", 0), "sides is 'up'; allowed are both, left, right"),
        (lambda: Flank("both", "away", 0), "direction is 'away'; allowed are outward, inward"),
        (lambda: Flank("both", "outward", -1), "other is -1"),
        (lambda: RandomPlaces(OUTWARD, -1, 0), "far is -1"),
    ],
)
def test_what_a_masking_cannot_mean_is_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
