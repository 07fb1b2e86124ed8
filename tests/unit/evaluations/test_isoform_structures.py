"""What two predicted structures say of an isoform, where it is known."""

from dataclasses import replace

import numpy as np
import pytest

from tests.isoforms import (
    CUT,
    FULL,
    KEPT,
    SHORT,
    Folding,
    Known,
    fragment_of,
    helix_of,
    looked_at,
    random_map,
    sample_of,
    values_of,
)

WHOLE = random_map(len(FULL))


class TestStructures:
    def folding(self, tmp_path, isoform=90, full=80):
        """A helix of each, so that the isoform is no fragment of the full length."""
        structures = {"full": helix_of(tmp_path, FULL, full)}
        structures["iso"] = helix_of(tmp_path, SHORT, isoform)
        maps = {"full": WHOLE, "iso": fragment_of(WHOLE)}
        return Folding(maps, structures=structures)

    def test_a_method_without_structures_has_none_of_this(self):
        values = values_of(Known({"full": WHOLE, "iso": fragment_of(WHOLE)}), sample_of())
        assert not {"rmsd kept", "exposed_area kept", "plddt_isoform kept"} & set(values)

    def test_a_helix_that_closes_the_gap_is_another_structure(self, tmp_path):
        values = values_of(self.folding(tmp_path), sample_of())
        assert values["rmsd kept"] > 2
        assert 20 / 30 - 1e-6 <= values["tm_score kept"] < 0.9
        assert 0.5 < values["lddt kept"] < 1

    @pytest.mark.parametrize(("contact", "atom"), [("cb8", "CB"), ("ca8", "CA")])
    def test_contacts_are_those_of_the_structures(self, tmp_path, contact, atom):
        method = self.folding(tmp_path)
        pair = looked_at(method, contact=contact)
        atoms = method.structures["full"].places(atom)
        distances = np.linalg.norm(atoms[:, None] - atoms, axis=2)
        places = np.arange(len(FULL))
        far = np.abs(np.subtract.outer(places, places)) >= 3
        expected = (distances < 8) & far
        np.testing.assert_array_equal(pair.full.contacts(pair.settings), expected)

    def test_confidence_of_both_and_its_change(self, tmp_path):
        values = values_of(self.folding(tmp_path), sample_of())
        assert values["plddt_isoform kept"] == pytest.approx(90)
        assert values["plddt_full kept"] == pytest.approx(80)
        assert values["plddt_change kept"] == pytest.approx(10)
        assert values["plddt_change bereft"] == pytest.approx(10)

    @pytest.mark.parametrize(("isoform", "full"), [(None, 80), (90, None), (None, None)])
    def test_confidence_of_one_has_no_change(self, tmp_path, isoform, full):
        values = values_of(self.folding(tmp_path, isoform, full), sample_of())
        assert ("plddt_isoform kept" in values) == (isoform is not None)
        assert ("plddt_full kept" in values) == (full is not None)
        assert "plddt_change kept" not in values

    def test_a_fragment_has_the_fold_and_the_surface_of_the_cut_out(self, tmp_path):
        """The isoform's structure is the full length's, without what is lost, turned round."""
        method = self.folding(tmp_path)
        whole = method.structures["full"]
        atoms = whole.atoms[np.isin(whole.atoms.res_id, KEPT)].copy()
        atoms.res_id = np.searchsorted(KEPT, atoms.res_id)
        atoms.coord = atoms.coord[:, [1, 2, 0]] + 7
        backbone = whole.chains[0].backbone[KEPT][:, :, [1, 2, 0]] + 7
        chain = replace(whole.chains[0], sequence=SHORT, backbone=backbone, atoms=atoms)
        method.structures["iso"] = replace(whole, chains=[chain], plddt=None)
        values = values_of(method, sample_of())
        assert values["rmsd kept"] == pytest.approx(0, abs=1e-3)
        assert values["tm_score kept"] == pytest.approx(1, abs=1e-4)
        assert values["lddt kept"] == 1
        for name in ("exposed_area", "exposed_hydrophobic_area", "sap_change"):
            cut_out = values[f"{name}_cut_out kept"]
            assert values[f"{name} kept"] == pytest.approx(cut_out, rel=0.02, abs=0.05)
        assert values["exposed_area_cut_out kept"] > 50
        assert values["exposed_hydrophobic_area kept"] < values["exposed_area kept"]

    def test_surface_is_gained_where_the_lost_part_was(self, tmp_path):
        pair = looked_at(self.folding(tmp_path))
        gain = pair.exposures["cut_out"].area - pair.exposures["full"].area
        assert (gain > -1e-3).all()
        near = [KEPT.index(i) for i in (CUT[0] - 1, CUT[1])]
        assert gain[near].min() > 10
        assert gain[[0, 1, -2, -1]].max() < 1
