from dataclasses import dataclass, replace

import numpy as np
import pytest

from baselines.random_scores import RandomScores
from harness.datasets.potts import PottsDataset
from harness.errors import InputError
from harness.evaluations.stored_couplings import StoredCouplings

DATASET = PottsDataset(0, 3, "random", 1.0, 4, 1, 1, 5, ["min3"], None, None)
SAMPLE = DATASET["family0000_00"]
EVALUATION = StoredCouplings("cb8", ["min3"])


@dataclass
class Given:
    """A method that gives these couplings."""

    tensor: np.ndarray

    def __call__(self, protein):
        return np.zeros((len(protein), len(protein)))

    def couplings(self, protein):
        return self.tensor


def measured(tensor):
    return {row.metric: row.value for row in EVALUATION(Given(tensor), SAMPLE)}


def noise(scale):
    drawn = scale * np.random.default_rng(0).standard_normal(SAMPLE.couplings.shape)
    return drawn + drawn.transpose(2, 3, 0, 1)


def test_the_exact_couplings_are_given_back_whole():
    found = measured(SAMPLE.couplings)
    assert found["explained_variance"] == 1
    assert found["squared_correlation"] == pytest.approx(1)
    assert found["slope"] == pytest.approx(1)
    assert found["background"] == 0
    assert found["p_at_L"] == found["ceiling_at_L"] == 1


def test_halved_couplings_explain_three_quarters_and_correlate_fully():
    found = measured(SAMPLE.couplings / 2)
    assert found["explained_variance"] == pytest.approx(1 - 1 / 4)
    assert found["squared_correlation"] == pytest.approx(1)
    assert found["slope"] == pytest.approx(1 / 2)


def test_turned_couplings_explain_less_than_nothing():
    assert measured(-SAMPLE.couplings)["explained_variance"] == pytest.approx(-3)


def test_no_couplings_explain_nothing():
    found = measured(np.zeros_like(SAMPLE.couplings))
    assert found["explained_variance"] == 0
    assert found["squared_correlation"] == found["bits_per_coupling"] == 0


def test_noise_of_the_same_size_halves_the_squared_correlation():
    """The noise keeps 0.95² of its variance in the gauge, as the couplings do."""
    found = measured(SAMPLE.couplings + noise(1 / np.sqrt(2)))
    assert found["squared_correlation"] == pytest.approx(1 / 2, abs=0.02)
    assert found["bits_per_coupling"] == pytest.approx(-0.5 * np.log2(1 / 2), abs=0.03)
    assert found["background"] == pytest.approx(1, abs=0.02)


def test_the_gauge_of_the_method_does_not_matter():
    fields = np.random.default_rng(1).standard_normal((27, 20, 27, 1))
    assert measured(SAMPLE.couplings + fields)["explained_variance"] == pytest.approx(1)


def test_rows_say_how_many_families_and_values_there_are():
    rows = list(EVALUATION(Given(SAMPLE.couplings), SAMPLE))
    assert {tuple(row.coordinates.items()) for row in rows} == {
        (("families", 4.0), ("stored", 28.0 * 361))
    }


def test_a_protein_of_unknown_couplings_is_refused():
    with pytest.raises(InputError, match="nobody knows the couplings of family0000_00 exactly"):
        list(EVALUATION(Given(SAMPLE.couplings), replace(SAMPLE, couplings=None)))


def test_a_method_without_couplings_is_refused():
    with pytest.raises(InputError, match="RandomScores"):
        list(EVALUATION(RandomScores(0), SAMPLE))


def test_nothing_coupled_is_nothing_measured():
    sample = replace(SAMPLE, couplings=np.zeros_like(SAMPLE.couplings))
    found = {row.metric: row.value for row in EVALUATION(Given(SAMPLE.couplings), sample)}
    assert np.isnan(found["explained_variance"])
    assert np.isnan(found["bits_per_coupling"])
