"""Accessible surface and aggregation propensity: spheres, cubes, and real side chains."""

import numpy as np
import pytest
from biotite.structure import AtomArray
from biotite.structure.info import residue, vdw_radius_protor

from harness.errors import InputError
from harness.exposure import HYDROPHOBICITY, PROBE, exposure, hydrophobic


def carbons(places: list[tuple[float, float, float]]) -> AtomArray:
    """CB atoms of alanines, one for each place."""
    atoms = AtomArray(len(places))
    atoms.coord = np.array(places, dtype=np.float32)
    atoms.res_id = np.arange(len(places))
    atoms.atom_name[:], atoms.res_name[:], atoms.element[:] = "CB", "ALA", "C"
    return atoms


RADIUS = vdw_radius_protor("ALA", "CB") + PROBE
SPHERE = 4 * np.pi * RADIUS**2


def test_one_atom_is_a_sphere() -> None:
    assert exposure(carbons([(0, 0, 0)]), "A", 5.0).area[0] == pytest.approx(SPHERE, rel=1e-4)


def test_two_atoms_hide_a_cap_of_each_other() -> None:
    """Spheres of radius R at distance d: of each a cap of height R - d / 2 is inside the other."""
    d = 3.0
    cap = 2 * np.pi * RADIUS * (RADIUS - d / 2)
    found = exposure(carbons([(0, 0, 0), (0, 0, d)]), "AA", 5.0).area
    assert found == pytest.approx([SPHERE - cap] * 2, rel=0.01)


def test_a_cube_of_atoms_hides_its_middle() -> None:
    """27 atoms 3 Å apart: the middle one is buried, corners are freer than edges than faces."""
    places = [(3.0 * x, 3.0 * y, 3.0 * z) for x in range(3) for y in range(3) for z in range(3)]
    area = exposure(carbons(places), "A" * 27, 5.0).area
    middles = [sum(value == 3.0 for value in place) for place in places]
    corner, edge, face, middle = (
        {round(float(a), 3) for a, n in zip(area, middles, strict=True) if n == count}
        for count in range(4)
    )
    assert middle == {0.0}
    assert min(corner) > max(edge) > max(face) > 0
    assert max(corner) == pytest.approx(min(corner), rel=0.05)  # the mesh is not symmetric


def test_atoms_far_apart_do_not_know_of_each_other() -> None:
    alone = exposure(carbons([(0, 0, 0)]), "A", 5.0)
    both = exposure(carbons([(0, 0, 0), (50, 0, 0)]), "AA", 5.0)
    assert both.area == pytest.approx([alone.area[0]] * 2, rel=0.01)
    assert both.sap[0] == pytest.approx(alone.sap[0], rel=0.01)


def test_aggregation_propensity_of_one_side_chain_atom() -> None:
    """Its whole area, as a share of 67 Å² in Ala-X-Ala, times 0.616 - 0.501."""
    sap = exposure(carbons([(0, 0, 0)]), "A", 5.0).sap[0]
    assert sap == pytest.approx(SPHERE / 67 * (0.616 - 0.501), rel=1e-3)


def test_aggregation_propensity_sums_over_what_is_near() -> None:
    """Three atoms that do not touch: the first two are within the radius, the third is not."""
    atoms = carbons([(0, 0, 0), (7, 0, 0), (21, 0, 0)])
    sap = exposure(atoms, "AAA", 10.0).sap
    assert sap[0] == pytest.approx(2 * sap[2], rel=0.02)
    assert exposure(atoms, "AAA", 5.0).sap == pytest.approx([sap[2]] * 3, rel=0.02)


def whole(name: str) -> AtomArray:
    """A free amino acid as the PDB's dictionary has it, without hydrogens."""
    atoms = residue(name)
    atoms = atoms[atoms.element != "H"]
    atoms.res_id[:] = 0
    return atoms


@pytest.mark.parametrize(("name", "letter", "sign"), [("LEU", "L", 1), ("LYS", "K", -1)])
def test_greasy_residues_are_positive_charged_ones_negative(
    name: str, letter: str, sign: int
) -> None:
    found = exposure(whole(name), letter, 5.0)
    assert np.sign(found.sap[0]) == sign
    assert 150 < found.area[0] < 450


def test_glycine_and_unknown_residues_have_no_propensity() -> None:
    assert exposure(whole("GLY"), "G", 5.0).sap[0] == 0
    assert exposure(whole("LEU"), "X", 5.0).sap[0] == 0


def test_a_side_chain_that_is_missing_is_named() -> None:
    atoms = carbons([(0, 0, 0), (5, 0, 0)])
    atoms.atom_name[1] = "CA"
    with pytest.raises(InputError, match=r"residue 1 \(from 0\) has no side chain"):
        exposure(atoms, "AL", 5.0)


def test_a_residue_without_atoms_has_no_area() -> None:
    atoms = carbons([(0, 0, 0), (50, 0, 0)])
    atoms.res_id[1] = 2
    found = exposure(atoms, "AAA", 5.0)
    assert np.isnan([found.area[1], found.sap[1]]).all()
    assert np.isfinite(found.area[[0, 2]]).all()


def test_hydrophobic_residues() -> None:
    letters = "ACDEFGHIKLMNPQRSTVWYX?"
    found = "".join(x for x, is_so in zip(letters, hydrophobic(letters), strict=True) if is_so)
    assert found == "ACFILMPVWY"


def test_the_scale_is_that_of_black_and_mould_with_glycine_at_zero() -> None:
    assert HYDROPHOBICITY["G"] == 0
    assert HYDROPHOBICITY["F"] == pytest.approx(0.499)
    assert HYDROPHOBICITY["R"] == pytest.approx(-0.501)


def test_an_atom_that_no_component_has_is_named() -> None:
    atoms = carbons([(0, 0, 0)])
    atoms.atom_name[0] = "QQ"
    with pytest.raises(InputError, match=r"an atom has no radius .*ALA"):
        exposure(atoms, "A", 5.0)
