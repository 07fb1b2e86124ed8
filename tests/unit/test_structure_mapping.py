"""How a chain is laid onto a query: coordinates, residue by residue, and what a sample gets."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.errors import InputError
from harness.placement import map_to_query, sample_of
from harness.protein import Protein
from harness.structure import Chain, atom_coordinates, secondary_structure
from tests.builders import QUERY, chain_of, helix, without


class TestAtomCoordinates:
    def test_measured_cb_and_ca_of_glycine(self, tmp_path: Path) -> None:
        chain = chain_of(tmp_path, helix("AGA"))
        places = atom_coordinates(chain, "CB")
        assert np.array_equal(places[[0, 2]], chain.backbone[[0, 2], 3])
        assert np.array_equal(places[1], chain.ca[1])
        assert np.array_equal(atom_coordinates(chain, "CA"), chain.ca)

    def test_missing_cb_is_ideal(self) -> None:
        # ideal alanine (Engh & Huber, 1991) with CA at the origin
        n, c = [1.458, 0.0, 0.0], [-0.551, 1.421, 0.0]
        backbone = np.array([[n, [0.0, 0.0, 0.0], c, [np.nan] * 3]])
        (place,) = atom_coordinates(Chain("x", "A", backbone), "CB")
        assert np.linalg.norm(place) == pytest.approx(1.53, abs=0.02)
        for neighbor in (n, c):
            cosine = place @ neighbor / np.linalg.norm(place) / np.linalg.norm(neighbor)
            assert np.degrees(np.arccos(cosine)) == pytest.approx(110, abs=2)
        assert np.cross(np.array(n), np.array(c)) @ place > 0  # L-amino acid: N, C, CB turn right

    @pytest.mark.parametrize("absent", ["N", "C"])
    def test_no_ideal_cb_without_backbone(self, tmp_path: Path, absent: str) -> None:
        gone = {(2, "CB"), (2, absent)}
        chain = chain_of(tmp_path, [a for a in helix("AAA") if (a.number, a.atom) not in gone])
        assert np.isnan(atom_coordinates(chain, "CB")[1]).all()
        assert not np.isnan(atom_coordinates(chain, "CA")).any()

    def test_other_atoms(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="atom is 'SG'; allowed are 'CA' and 'CB'"):
            atom_coordinates(chain_of(tmp_path, helix("AAA")), "SG")


class TestMapToQuery:
    def map(self, tmp_path: Path, full: str, *missing: int) -> tuple[list[int], float]:
        """Where the residues stand after those with these numbers were taken out."""
        index, identity = map_to_query(chain_of(tmp_path, without(helix(full), *missing)), full)
        expected = np.cumsum([n not in missing for n in range(1, len(full) + 1)]) - 1
        expected[[n - 1 for n in missing]] = -1
        assert index.tolist() == expected.tolist()
        return index.tolist(), identity

    @pytest.mark.parametrize("missing", [(), (1, 2, 3), (13, 14), (5, 6, 7), (1, 6, 7, 14)])
    def test_missing_residues_leave_a_gap(self, tmp_path: Path, missing: tuple[int, ...]) -> None:
        assert self.map(tmp_path, QUERY, *missing)[1] == 1.0

    @pytest.mark.parametrize("first", range(4, 9))
    @pytest.mark.parametrize("length", [1, 2, 3])
    def test_chain_breaks_tell_repeats_apart(self, tmp_path: Path, first: int, length: int) -> None:
        self.map(tmp_path, "AKTSGSGSGSTVWLLK", *range(first, first + length))

    def test_single_residue_between_gaps(self, tmp_path: Path) -> None:
        # as in 2HZR, where substitution scores would rather align the E with the N
        self.map(tmp_path, "NGRCIQANYSLMENGKIKVLNQ", 12, 14)

    def test_long_loop(self, tmp_path: Path) -> None:
        loop = range(9, 49)
        self.map(tmp_path, QUERY[:8] + "DPEVNLCWHR" * 4 + QUERY[8:], *loop)

    def test_part_of_a_longer_chain(self, tmp_path: Path) -> None:
        index, identity = map_to_query(chain_of(tmp_path, helix("WWWW" + QUERY + "CCC")), QUERY)
        assert index.tolist() == list(range(4, 4 + len(QUERY)))
        assert identity == 1.0

    def test_substitution(self, tmp_path: Path) -> None:
        chain = chain_of(tmp_path, helix(QUERY[:6] + "W" + QUERY[7:]))
        index, identity = map_to_query(chain, QUERY)
        assert index.tolist() == list(range(len(QUERY)))
        assert identity == pytest.approx(13 / 14)

    @pytest.mark.parametrize("query", [QUERY.replace("AK", "XK"), QUERY.replace("AK", "?U")])
    def test_unknown_residues_count_nowhere(self, tmp_path: Path, query: str) -> None:
        index, identity = map_to_query(chain_of(tmp_path, helix(QUERY)), query)
        assert index.tolist() == list(range(len(QUERY)))
        assert identity == 1.0

    @pytest.mark.parametrize("other", ["WDHPCNVWELDPVH", "MKTWWWWWWRQISF", "WWWWWWWWWWWMKT", "GG"])
    def test_structure_of_another_protein(self, tmp_path: Path, other: str) -> None:
        with pytest.raises(InputError, match="another protein") as caught:
            map_to_query(chain_of(tmp_path, helix(other)), QUERY)
        assert "s.pdb chain A" in str(caught.value)
        assert QUERY in str(caught.value)


class TestSampleOf:
    def test_missing_residues_are_nan_at_their_place(self, tmp_path: Path) -> None:
        full = sample_of(Protein("p", QUERY), [chain_of(tmp_path, helix(QUERY))], "CB")
        lines = without(helix(QUERY), 1, 6, 7)
        part = sample_of(Protein("p", QUERY), [chain_of(tmp_path, lines)], "CB")
        gone = [0, 5, 6]
        there = [i for i in range(len(QUERY)) if i not in gone]
        assert np.isnan(part.distances[gone]).all()
        assert np.isnan(part.distances[:, gone]).all()
        pairs = np.ix_(there, there)
        assert np.array_equal(part.distances[pairs], full.distances[pairs])
        states = np.array(list(part.secondary_structure or ""))
        assert np.flatnonzero(states == "-").tolist() == gone
        assert part.facts == {"structure_identity": 1.0, "resolved_fraction": 11 / 14}

    @pytest.mark.parametrize("atom", ["CA", "CB"])
    def test_distances_are_those_of_the_coordinates(self, tmp_path: Path, atom: str) -> None:
        sample = sample_of(Protein("p", QUERY), [chain_of(tmp_path, helix(QUERY))], atom)
        places = {
            a.number - 1: a.xyz
            for a in helix(QUERY)
            if a.atom == ("CA" if QUERY[a.number - 1] == "G" else atom)
        }
        for i, j in [(0, 1), (2, 8), (13, 4), (8, 9)]:
            expected = np.linalg.norm(np.subtract(places[i], places[j]))
            assert sample.distances[i, j] == pytest.approx(expected, abs=2e-3)
        assert np.array_equal(sample.distances, sample.distances.T)
        assert (np.diagonal(sample.distances) == 0).all()

    def test_residue_without_its_atom_is_unresolved(self, tmp_path: Path) -> None:
        gone = {(4, "CB"), (4, "N")}
        lines = [a for a in helix(QUERY) if (a.number, a.atom) not in gone]
        sample = sample_of(Protein("p", QUERY), [chain_of(tmp_path, lines)], "CB")
        assert np.flatnonzero(~sample.resolved).tolist() == [3]
        assert (sample.secondary_structure or "")[3] == "-"
        assert sample.facts["resolved_fraction"] == 13 / 14

    def test_one_residue(self, tmp_path: Path) -> None:
        sample = sample_of(Protein("p", "M"), [chain_of(tmp_path, helix("M"))], "CB")
        assert sample.distances.tolist() == [[0.0]]
        assert sample.secondary_structure == "C"


class TestSecondaryStructure:
    def test_helix(self, tmp_path: Path) -> None:
        assert secondary_structure(chain_of(tmp_path, helix(QUERY)))[2:-2] == "H" * 10

    def test_numbering_of_the_file_does_not_matter(self, tmp_path: Path) -> None:
        lines = [replace(a, number=3 * a.number) for a in helix(QUERY)]
        plain = secondary_structure(chain_of(tmp_path, helix(QUERY)))
        assert secondary_structure(chain_of(tmp_path, lines)) == plain

    def test_no_helix_across_a_break(self, tmp_path: Path) -> None:
        letters = secondary_structure(chain_of(tmp_path, without(helix("MKTAYIAKGR"), 4, 7)))
        assert set(letters) == {"C"}
