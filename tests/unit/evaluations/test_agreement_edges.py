"""What agreement makes of too little, of nothing, and of wrong values."""

import math

import numpy as np
import pytest

from baselines.random_scores import RandomScores
from harness.errors import InputError, PrerequisiteError
from harness.evaluations.agreement import Agreement
from harness.masking import Flank
from tests.couplings import (
    SETTINGS,
    Given,
    agreement,
    correlations,
    inverse_covariance,
    potts,
    sample,
    values,
)


def test_a_method_without_couplings_is_named():
    with pytest.raises(InputError, match="RandomScores gives contact scores without couplings"):
        list(agreement(potts())(RandomScores(0), sample()))


def test_a_protein_without_alignment_is_named():
    evaluation = Agreement(reference=inverse_covariance(), **SETTINGS)
    with pytest.raises(PrerequisiteError, match="protein p has no alignment"):
        list(evaluation(Given(potts()), sample()))


def test_two_residues_are_one_pair():
    found = values(potts(length=2), potts(length=2))
    assert found["spearman_0sigma"] == found["top_overlap"] == 1
    assert math.isnan(found["map_correlation"])
    assert math.isnan(found["reference_p_at_L"])


def test_a_single_residue_is_unscored():
    assert all(map(math.isnan, values(potts(length=1), potts(length=1)).values()))


@pytest.mark.parametrize("zero", ["method", "reference", "both"])
def test_couplings_that_are_all_zero_cannot_be_correlated(zero):
    own = np.zeros_like(potts()) if zero in ("method", "both") else potts()
    reference = np.zeros_like(potts()) if zero in ("reference", "both") else potts()
    found = values(own, reference)
    assert all(map(math.isnan, correlations(found)))
    assert math.isnan(found["map_correlation"])


def test_the_best_pair_and_those_asked_for_are_shown():
    reference = potts()
    reference[3, :, 8, :] *= 9
    reference[8, :, 3, :] *= 9
    evaluation = agreement(reference, pairs=[[7, 2]])
    for _ in range(2):  # of the last sample only
        list(evaluation(Given(potts(1)), sample()))
    first, second = evaluation.shown
    assert [(one.i, one.j) for one in (first, second)] == [(3, 8), (2, 7)]
    np.testing.assert_array_equal(first.reference, reference[3, :, 8])
    np.testing.assert_array_equal(second.method, potts(1)[2, :, 7])
    assert first.against == "Given"


def test_a_pair_beyond_the_end_is_named():
    with pytest.raises(InputError, match=r"\[2, 12\], and protein p has residues 0 to 11"):
        list(agreement(potts(), pairs=[[2, 12]])(Given(potts()), sample()))


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"masking": Flank("both", "outward", 0)}, "made for evaluation=recovery"),
        ({"separation": 0}, "separation is 0"),
        ({"depths": []}, "depths is empty"),
        ({"sigmas": []}, r"sigmas is \[\]"),
        ({"sigmas": [-1]}, r"sigmas is \[-1\]"),
        ({"blocks": -1}, "blocks is -1"),
        ({"pairs": [[1, 1]]}, r"pairs holds \[1, 1\]"),
        ({"pairs": [[1, 2, 3]]}, r"pairs holds \[1, 2, 3\]"),
        ({"contact": "cb9"}, "contact='cb9'"),
    ],
)
def test_a_wrong_value_is_refused_before_anything_runs(changes, message):
    with pytest.raises(ValueError, match=message):
        agreement(potts(), **changes)


def test_a_wrong_value_of_the_reference_is_refused_before_anything_runs():
    with pytest.raises(ValueError, match="depth is 0"):
        Agreement(reference=inverse_covariance(), **(SETTINGS | {"depths": [0]}))
