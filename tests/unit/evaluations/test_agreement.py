"""Agreement of couplings that are known, in pairs that are known."""

import functools
import math
from dataclasses import dataclass, field

import numpy as np
import pytest

from baselines.inverse_covariance import InverseCovariance
from baselines.random_scores import RandomScores
from harness.datasets.lattice import LatticeDataset
from harness.errors import InputError, PrerequisiteError
from harness.evaluations.agreement import Agreement
from harness.evaluations.precision import Precision
from harness.masking import Flank, Fraction, Unmasked
from harness.models.potts import lattice_family
from harness.protein import Protein
from harness.protocols import Evaluation, ShowsCouplings
from harness.sample import Sample
from tests.models import jacobian_method

LENGTH = 12
SIGMAS = [0, 1, 2, 3, 4]
SETTINGS = {"contact": "cb8", "ranges": ["min6", "min3"], "masking": Unmasked(), "depths": None}
SETTINGS |= {"separation": 1, "sigmas": SIGMAS, "blocks": 1, "pairs": None}


@dataclass
class Given:
    """A method with these couplings, which counts how often it is asked."""

    values: np.ndarray
    asked: list[Protein] = field(default_factory=list)

    def __call__(self, protein):
        raise AssertionError("the map comes from the couplings")

    def couplings(self, protein):
        self.asked.append(protein)
        return self.values


def potts(seed=0, length=LENGTH):
    """Couplings of a Potts model: symmetric, no blocks i = j, and a few entries far from zero."""
    drawn = np.random.default_rng(seed).standard_t(3, size=(length, 20, length, 20))
    drawn += drawn.transpose(2, 3, 0, 1)
    drawn[range(length), :, range(length)] = 0
    return drawn


def sample(length=LENGTH):
    distances = np.full((length, length), 20.0)
    for i in range(length - 8):
        distances[i, i + 8] = distances[i + 8, i] = 5.0
    return Sample(Protein("p", "A" * length), distances)


def agreement(reference, **changes):
    return Agreement(reference=lambda: Given(reference), **(SETTINGS | changes))


def values(own, reference, truth=None, **changes):
    """Values of the rows by metric, without those of the ranges."""
    rows = list(agreement(reference, **changes)(Given(own), truth or sample(len(own))))
    return {row.metric: row.value for row in rows if row.range == ""}


def correlations(found):
    return [value for name, value in found.items() if name.startswith(("spearman", "pearson"))]


def test_it_is_an_evaluation_that_shows_couplings():
    assert isinstance(agreement(potts()), Evaluation)
    assert isinstance(agreement(potts()), ShowsCouplings)


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


def lattice(cache, sequences=1):
    """Held-out sequences of the first family."""
    size = {"families": 1, "sequences": sequences, "labeled": 0, "depth": 4096}
    return LatticeDataset(**size, seed=0, cache=str(cache), ranges=["min3"], ids=None, limit=None)


def inverse_covariance(depth=None):
    settings = {"ridge": 4.5, "pseudocount": 0, "weight_identity": None, "column_gaps": None}
    return functools.partial(InverseCovariance, **settings, row_gaps=None, seed=0, depth=depth)


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
        ({"masking": Flank("both", "outward", 0)}, "masking is for evaluation=recovery"),
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
