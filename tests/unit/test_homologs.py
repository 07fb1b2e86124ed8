import numpy as np
import pytest

from harness.alignment import read_alignment, read_rows
from harness.alphabet import GAP, encode
from harness.homologs import homolog, likeness, unambiguous
from tests.builders import DATA, needs_data


@pytest.mark.parametrize(
    ("row", "query", "sequence", "places"),
    [
        ("ACDE", "ACDE", "ACDE", [0, 1, 2, 3]),
        ("A-DE", "ACDE", "ADE", [0, -1, 1, 2]),
        ("wwA-DkkEr", "ACDE", "WWADKKER", [2, -1, 3, 6]),
        ("AWDE", "A-DE", "AWDE", [0, 2, 3]),  # where the query has a gap, it is an insertion too
        ("aWA--", "-CDE", "AWA", [2, -1, -1]),
    ],
)
def test_residues_are_found_behind_gaps_and_insertions(row, query, sequence, places):
    found = homolog(row, query)
    assert found.sequence == sequence
    assert found.places.tolist() == places


def test_likeness_counts_columns_in_which_both_have_a_residue(write_alignment):
    found = likeness(read_alignment(write_alignment(["ACXE", "ACDE", "AkkW--", "----", "XCDW"])))
    assert found.identity.tolist() == [1, 1, 0.5, 0, 0.5]
    assert found.coverage.tolist() == [0.75, 0.75, 0.5, 0, 0.5]


def test_rows_with_ambiguous_residues_are_told_even_in_insertions():
    rows = ["ACDE", "A-xDE", "AC-E", "ABDE", "AkC-E"]
    assert unambiguous(rows).tolist() == [True, False, True, False, True]


def test_rows_are_read_as_they_were_written(write_alignment):
    path = write_alignment(["AC-DE", "a.cA-kDDw", "ACDDE"])
    assert read_rows(path) == ["AC-DE", "acA-kDDw", "ACDDE"]
    same = read_alignment(write_alignment(["AC-DE", "A-DDE", "ACDDE"])).states
    np.testing.assert_array_equal(same[:, 0], [0, 0, 0])


def test_rows_of_stockholm_have_no_insertions(tmp_path):
    path = tmp_path / "msa.sto"
    path.write_text("# STOCKHOLM 1.0\nquery AC.DE\nother acwD~\n//\n")
    assert read_rows(path) == ["AC-DE", "ACWD-"]


@needs_data
@pytest.mark.parametrize("protein", ["102MA", "5PTIA", "1ECMA"])
def test_of_real_rows_every_residue_is_found_again(protein):
    """The letters at `places` are the states of the row, which another reader has made."""
    path = DATA / "proteins" / protein / "msa.a3m.gz"
    rows, states = read_rows(path), read_alignment(path).states
    assert any(row != row.upper() for row in rows)
    for row, state in zip(rows[:500], states[:500], strict=True):
        found = homolog(row, rows[0])
        aligned = found.places >= 0
        np.testing.assert_array_equal(encode(found.sequence)[found.places[aligned]], state[aligned])
        assert (state[~aligned] == GAP).all()
