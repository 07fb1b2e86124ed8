import math
from dataclasses import dataclass

import numpy as np
import pytest

from harness.evaluations.precision import OrderedPrecision, Precision
from harness.masking import Flank, Fraction, Unmasked
from harness.protein import Protein
from harness.protocols import Evaluation
from harness.sample import Sample

LENGTH = 30
BOTH = [Precision, OrderedPrecision]
METRICS = "p_at_L p_at_L2 p_at_L5 p_at_L10 ceiling_at_L r_precision average_precision"


def sample(contacts):
    distances = np.full((LENGTH, LENGTH), 20.0)
    for i, j in contacts:
        distances[i, j] = distances[j, i] = 5.0
    return Sample(Protein("p", "A" * LENGTH), distances)


def perfect(truth):
    """A method that knows the answer."""
    return lambda protein: (truth.distances < 8).astype(float)


@dataclass(frozen=True)
class HideAll:
    def __call__(self, protein):
        return protein.masked(())


@pytest.mark.parametrize("evaluation", BOTH)
def test_it_is_an_evaluation(evaluation):
    assert isinstance(evaluation("cb8", ["long"], Unmasked()), Evaluation)


def test_every_metric_comes_once_for_every_range():
    truth = sample([(0, 10), (0, 29)])
    rows = list(Precision("cb8", ["short", "medium", "long"], Unmasked())(perfect(truth), truth))
    expected = [*METRICS.split(), "mean_precision_deciles"]
    for name in ("short", "medium", "long"):
        assert [row.metric for row in rows if row.range == name] == expected
    assert len(rows) == 24


def test_every_row_carries_the_counts_of_its_range():
    truth = sample([(0, 10), (0, 29), (1, 27)])
    for row in Precision("cb8", ["short", "long"], Unmasked())(perfect(truth), truth):
        expected = {"short": {"n_true": 1, "n_valid": 129}, "long": {"n_true": 2, "n_valid": 21}}
        assert row.coordinates == expected[row.range] | {"visible": LENGTH}


def test_every_row_says_how_many_residues_were_shown():
    for evaluation in BOTH:
        rows = evaluation("cb8", ["long"], Fraction(0.2, 0))(perfect(sample([])), sample([]))
        assert {row.coordinates["visible"] for row in rows} == {24}


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("evaluation", BOTH)
def test_a_masking_around_a_block_is_refused(evaluation):
    with pytest.raises(ValueError, match="use it with evaluation=recovery"):
        evaluation("cb8", ["long"], Flank("both", "outward", 0))


def test_a_perfect_method_reaches_the_ceiling():
    truth = sample([(0, 25), (1, 27), (2, 29)])
    rows = Precision("cb8", ["long"], Unmasked())(perfect(truth), truth)
    values = {row.metric: row.value for row in rows}
    assert values["p_at_L"] == values["ceiling_at_L"] == 3 / 21
    assert values["r_precision"] == values["average_precision"] == values["p_at_L10"] == 1


def test_a_protein_without_structure_is_unscored_in_every_metric():
    truth = Sample(Protein("p", "A" * LENGTH), np.full((LENGTH, LENGTH), np.nan))
    rows = Precision("cb8", ["long"], Unmasked())(lambda protein: np.eye(LENGTH), truth)
    assert all(math.isnan(row.value) for row in rows)


def test_the_contact_definition_decides_the_cutoff():
    truth = sample([])
    truth.distances[0, 29] = 9.0
    for name, n_true in (("cb8", 0), ("ca8", 0), ("cb10", 1)):
        row = next(Precision(name, ["long"], Unmasked())(perfect(truth), truth))
        assert row.coordinates["n_true"] == n_true


@pytest.mark.parametrize("evaluation", BOTH)
def test_the_method_sees_the_protein_once_and_masked(evaluation):
    seen = []

    def method(protein):
        seen.append(protein.sequence)
        return np.zeros((LENGTH, LENGTH))

    list(evaluation("cb8", ["short", "long"], HideAll())(method, sample([(0, 29)])))
    assert seen == ["?" * LENGTH]


def test_the_published_number_is_half_of_the_list():
    """Fifteen pairs, both ways: three contacts among them."""
    truth = sample([(0, 25), (1, 27), (2, 29)])
    (row,) = OrderedPrecision("cb8", ["long"], Unmasked())(perfect(truth), truth)
    assert (row.metric, row.range, row.value) == ("p_at_L_ordered", "long", 6 / LENGTH)


@pytest.mark.parametrize("evaluation", BOTH)
def test_an_unknown_contact_definition_is_refused_before_anything_runs(evaluation):
    with pytest.raises(ValueError, match="contact='cb9'; allowed are cb8, ca8, cb10"):
        evaluation("cb9", ["long"], Unmasked())


@pytest.mark.parametrize("evaluation", BOTH)
def test_an_unknown_range_is_refused_before_anything_runs(evaluation):
    with pytest.raises(ValueError, match="range 'far'; allowed are short"):
        evaluation("cb8", ["long", "far"], Unmasked())
