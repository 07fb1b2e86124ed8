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
