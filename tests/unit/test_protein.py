import dataclasses
from pathlib import Path

import pytest

from harness.errors import InputError
from harness.protein import Protein, check_id

PROTEIN = Protein("p", "ACDEF", Path("msa.a3m"))


def test_masking_hides_everything_but_the_visible_residues():
    assert PROTEIN.masked([1, 3]).sequence == "?C?E?"


def test_masking_keeps_id_and_alignment_and_leaves_the_protein_alone():
    masked = PROTEIN.masked([])
    assert (masked.id, masked.alignment) == ("p", Path("msa.a3m"))
    assert masked.sequence == "?????"
    assert PROTEIN.sequence == "ACDEF"


def test_masking_a_masked_protein_never_uncovers_a_residue():
    assert PROTEIN.masked([0, 1]).masked([1, 2]).sequence == "?C???"


@pytest.mark.parametrize("position", [-1, 5])
def test_a_visible_position_outside_the_protein_is_refused(position):
    with pytest.raises(ValueError, match=r"lie outside protein p \(0–4\)"):
        PROTEIN.masked([0, position])


def test_a_protein_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        PROTEIN.sequence = "A"


def test_the_length_counts_residues():
    assert len(PROTEIN) == 5


def test_an_empty_sequence_is_refused():
    with pytest.raises(InputError, match="protein p: the sequence is empty"):
        Protein("p", "")


def test_a_wrong_letter_is_reported_with_the_protein():
    with pytest.raises(InputError, match="protein p: '-' at position 1"):
        Protein("p", "A-A")


@pytest.mark.parametrize("name", ["1abc", "P-1_a.b", "x" * 128])
def test_a_safe_id_is_taken(name):
    assert check_id(name) == name


@pytest.mark.parametrize(
    "name", ["", "..", ".hidden", "-rf", "a/b", "../a", "a b", "a\n", "é", "x" * 129, "C:\\a"]
)
def test_an_id_that_is_no_safe_file_name_is_refused(name):
    with pytest.raises(InputError, match="cannot name a protein"):
        Protein(name, "A")


COMPLEX = Protein("c", "ACDEFGHIK", breaks=(2, 6))


def test_a_protein_is_one_chain_unless_it_says_otherwise():
    assert PROTEIN.breaks == ()
    assert PROTEIN.chain_sequences == ["ACDEF"]


def test_the_chains_of_a_complex_are_cut_at_its_breaks():
    assert COMPLEX.chain_sequences == ["AC", "DEFG", "HIK"]


def test_masking_keeps_the_chains():
    assert COMPLEX.masked([3]).chain_sequences == ["??", "?E??", "???"]


@pytest.mark.parametrize("breaks", [(0,), (9,), (5, 5), (6, 2), (-1,), (12,)])
def test_a_chain_without_residues_is_refused(breaks):
    with pytest.raises(ValueError, match=r"protein c: breaks .* of 9 residues"):
        Protein("c", "ACDEFGHIK", breaks=breaks)


@pytest.mark.parametrize(
    ("start", "end", "chains"),
    [(0, 9, ["AC", "DEFG", "HIK"]), (1, 7, ["C", "DEFG", "H"]), (2, 6, ["DEFG"]), (7, 9, ["IK"])],
)
def test_a_window_keeps_the_chains_inside(start, end, chains):
    assert COMPLEX.window(start, end).chain_sequences == chains


def test_a_window_has_no_alignment():
    assert PROTEIN.window(1, 3) == Protein("p", "CD")
