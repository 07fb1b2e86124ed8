import numpy as np
import pytest

from harness.alphabet import (
    AMBIGUOUS_LETTERS,
    AMINO_ACIDS,
    GAP,
    MASK,
    MASK_LETTER,
    UNKNOWN,
    encode,
    encode_aligned,
)


def test_the_order_of_amino_acids_is_alphabetical_by_three_letter_name():
    names = "Ala Arg Asn Asp Cys Gln Glu Gly His Ile Leu Lys Met Phe Pro Ser Thr Trp Tyr Val"
    letters = dict(zip(AMINO_ACIDS, names.split(), strict=True))
    assert names.split() == sorted(names.split())
    assert letters["A"] == "Ala"
    assert letters["K"] == "Lys"
    assert letters["W"] == "Trp"
    assert len(letters) == 20


def test_each_amino_acid_is_encoded_by_its_place():
    assert encode(AMINO_ACIDS).tolist() == list(range(20))


@pytest.mark.parametrize("letter", list(AMBIGUOUS_LETTERS))
def test_an_ambiguous_residue_is_unknown_in_a_sequence_and_a_gap_in_an_alignment(letter):
    assert encode(letter).tolist() == [UNKNOWN]
    assert encode_aligned(letter).tolist() == [GAP]


def test_a_hidden_residue_is_told_from_an_unknown_one():
    assert encode("A" + MASK_LETTER + "X").tolist() == [0, MASK, UNKNOWN]


@pytest.mark.parametrize("letter", ["-", ".", "a", "*", " ", "1", "é"])
def test_a_letter_that_is_no_residue_is_named_with_its_position(letter):
    with pytest.raises(ValueError, match="at position 2 is no residue"):
        encode("AC" + letter + "A")


def test_aligned_letters_are_the_twenty_and_the_gap():
    assert encode_aligned("AV-").tolist() == [0, 19, GAP]


@pytest.mark.parametrize("letter", ["a", ".", "*", MASK_LETTER, "é", "λ"])
def test_a_letter_that_is_not_allowed_in_an_alignment_gets_minus_one(letter):
    assert encode_aligned("A" + letter).tolist() == [0, -1]


def test_a_sequence_indexes_arrays_directly():
    assert np.eye(22)[encode("ARN")].argmax(axis=1).tolist() == [0, 1, 2]
