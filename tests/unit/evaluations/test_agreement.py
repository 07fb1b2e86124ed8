"""Agreement of couplings that are known, in pairs that are known."""

import math

import numpy as np
import pytest

from harness.evaluations.agreement import Agreement
from harness.evaluations.precision import Precision
from harness.masking import Fraction, Unmasked
from harness.models.potts import lattice_family
from harness.protocols import Evaluation, ShowsDetails
from tests.couplings import (
    LENGTH,
    SETTINGS,
    Given,
    agreement,
    correlations,
    inverse_covariance,
    lattice,
    potts,
    sample,
    values,
)
from tests.models import jacobian_method


def test_it_is_an_evaluation_that_shows_couplings():
    assert isinstance(agreement(potts()), Evaluation)
    assert isinstance(agreement(potts()), ShowsDetails)


def test_couplings_agree_with_themselves_exactly():
    found = values(potts(), potts())
    assert correlations(found) == [1.0] * 10
    assert [found[name] for name in ("map_correlation", "map_spearman", "top_overlap")] == [1, 1, 1]


def test_couplings_of_the_other_sign_disagree_exactly_and_have_the_same_map():
    found = values(-potts(), potts())
    assert correlations(found) == [-1.0] * 10
    assert found["map_correlation"] == found["map_spearman"] == found["top_overlap"] == 1


def test_a_scale_changes_nothing():
    found = values(1024 * potts(), potts())
    assert correlations(found) == pytest.approx([1.0] * 10, abs=1e-12)


@pytest.mark.parametrize("axis", ["amino acids", "positions"])
def test_couplings_of_shuffled_columns_do_not_agree(axis):
    """4,800 entries at 0 σ: a correlation of independent ones has a standard error of 0.014."""
    order = np.random.default_rng(1).permutation(20 if axis == "amino acids" else LENGTH)
    own = potts()
    own = own[:, order][..., order] if axis == "amino acids" else own[order][:, :, order]
    found = values(own, potts())
    assert abs(found["spearman_0sigma"]) < 0.07
    assert abs(found["pearson_0sigma"]) < 0.07


def test_entries_are_those_of_the_best_pairs_above_sigma():
    """One pair holds all: 1, 2, 3 and 396 zeros; σ = √(14 / 400) = 0.19, or less of more pairs."""
    reference, own = np.zeros((2, LENGTH, 20, LENGTH, 20))
    for n, (a, b) in enumerate([(0, 1), (5, 2), (7, 7)], start=1):
        reference[2, a, 9, b] = reference[9, b, 2, a] = n
        own[2, a, 9, b] = own[9, b, 2, a] = [3, 1, 2][n - 1]
    rows = list(agreement(reference, sigmas=[0, 20])(Given(own), sample()))
    found = {row.metric: row for row in rows if row.range == ""}
    assert found["spearman_0sigma"].value == pytest.approx(-0.5)  # ranks 1 2 3 against 3 1 2
    assert found["spearman_0sigma"].coordinates["n_entries"] == 3
    sigma = math.sqrt(14 / (LENGTH * 400))
    assert sum(n > 20 * sigma for n in (1, 2, 3)) == 2
    assert found["spearman_20sigma"].coordinates["n_entries"] == 2
    assert math.isnan(found["spearman_20sigma"].value)


def test_pairs_that_are_near_can_be_left_out():
    """Of the other sign in pairs less than six apart, and the same in the others."""
    i, _, j, _ = np.indices((LENGTH, 20, LENGTH, 20), sparse=True)
    own = np.where(np.abs(i - j) < 6, -1, 1) * potts()
    assert values(own, potts(), separation=6)["spearman_0sigma"] == 1
    assert values(own, potts())["spearman_0sigma"] < 0.9


def test_the_method_is_asked_once_however_many_depths():
    asked = []

    def reference(depth):
        asked.append(depth)
        return Given(potts())

    one = Given(potts(1))
    evaluation = Agreement(reference=reference, **(SETTINGS | {"depths": [8, 64]}))
    asked.clear()
    rows = list(evaluation(one, sample()))
    assert (len(one.asked), asked) == (1, [8, 64])
    assert {row.range for row in rows} == {"min6", "min3", "depth8", "depth64"}


def test_the_method_reads_what_is_shown_and_the_reference_everything():
    own, other = Given(potts()), Given(potts())
    settings = SETTINGS | {"masking": Fraction(0.5, 0)}
    rows = list(Agreement(reference=lambda: other, **settings)(own, sample()))
    assert own.asked[0].n_hidden == 6
    assert other.asked[0].n_hidden == 0
    assert {row.coordinates["visible"] for row in rows} == {6}


def test_precision_is_that_of_the_evaluation_of_that_name(tmp_path):
    data = lattice(tmp_path, sequences=2)
    method = jacobian_method(lattice_family(0, 0))
    for identifier in data.protein_ids:
        evaluation = Agreement(reference=lambda: method, **(SETTINGS | {"sigmas": [1]}))
        found = list(evaluation(method, data[identifier]))
        expected = list(Precision("cb8", ["min6", "min3"], Unmasked())(method, data[identifier]))
        for metric in ("p_at_L", "ceiling_at_L"):
            assert [(r.range, r.value) for r in found if r.metric == metric] == [
                (r.range, r.value) for r in expected if r.metric == metric
            ]
        of_reference = next(row.value for row in found if row.metric == "reference_p_at_L")
        assert of_reference == next(row.value for row in found if row.metric == "p_at_L")


def test_the_jacobian_of_a_potts_model_is_what_its_alignment_says(tmp_path):
    """The more so the deeper the alignment; the figure is of this family, whose model is exact."""
    data = lattice(tmp_path)
    truth = data[data.protein_ids[0]]
    method = jacobian_method(lattice_family(0, 0), center="amino_acids")
    settings = SETTINGS | {"depths": [64, 4096]}
    rows = list(Agreement(reference=inverse_covariance(), **settings)(method, truth))
    found = {(row.metric, row.range): row for row in rows}
    shallow, deep = (found["spearman_1sigma", f"depth{n}"].value for n in (64, 4096))
    assert shallow < deep
    assert deep == pytest.approx(0.785, abs=0.005)
    assert found["spearman_1sigma", "depth64"].coordinates["depth"] == 64
