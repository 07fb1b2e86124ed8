from hypothesis import given
from hypothesis import strategies as st

from harness.alphabet import MASK_LETTER, SEQUENCE_LETTERS, encode
from harness.protein import Protein

SEQUENCES = st.text(SEQUENCE_LETTERS, min_size=1, max_size=40)


@st.composite
def sequences_with_positions(draw):
    sequence = draw(SEQUENCES)
    positions = st.sets(st.integers(0, len(sequence) - 1))
    return sequence, draw(positions), draw(positions)


@given(sequences_with_positions())
def test_masking_keeps_what_is_visible_and_hides_the_rest(case):
    sequence, visible, _ = case
    protein = Protein("p", sequence)
    masked = protein.masked(visible).sequence
    assert len(masked) == len(protein)
    for i, letter in enumerate(masked):
        assert letter == (protein.sequence[i] if i in visible else MASK_LETTER)


@given(sequences_with_positions())
def test_masking_twice_shows_what_both_leave_visible(case):
    sequence, first, second = case
    protein = Protein("p", sequence)
    assert protein.masked(first).masked(second) == protein.masked(first & second)


@given(sequences_with_positions())
def test_the_kind_of_collection_does_not_matter(case):
    sequence, visible, _ = case
    protein = Protein("p", sequence)
    assert protein.masked(visible) == protein.masked(sorted(visible) * 2)


@given(SEQUENCES)
def test_every_residue_has_an_index_below_22(sequence):
    states = encode(sequence)
    assert len(states) == len(sequence)
    assert ((states >= 0) & (states < 22)).all()
