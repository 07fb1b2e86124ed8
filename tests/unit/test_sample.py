import numpy as np
import pytest

from harness.protein import Protein
from harness.sample import Sample

PROTEIN = Protein("p", "ACD")


def test_distances_that_do_not_fit_the_sequence_are_refused():
    with pytest.raises(ValueError, match=r"protein p: distances have shape \(2, 2\)"):
        Sample(PROTEIN, np.zeros((2, 2)))


def test_secondary_structure_that_does_not_fit_the_sequence_is_refused():
    with pytest.raises(ValueError, match="protein p: 2 letters of secondary structure for 3"):
        Sample(PROTEIN, np.zeros((3, 3)), "HH")


def test_a_residue_without_coordinates_is_unresolved():
    distances = np.zeros((3, 3))
    distances[1] = distances[:, 1] = np.nan
    assert Sample(PROTEIN, distances).resolved.tolist() == [True, False, True]


def test_a_protein_carries_no_truth():
    assert not {"distances", "secondary_structure", "contacts"} & set(dir(PROTEIN))
