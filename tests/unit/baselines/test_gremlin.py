"""Couplings recovered from sequences whose model is known, and what a fit says about itself."""

from itertools import product

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from baselines.gremlin import Gremlin
from harness.alphabet import AMINO_ACIDS
from harness.errors import PrerequisiteError
from harness.lattice import family_sequences, generate_family
from harness.protein import Protein

SETTINGS = {
    **{"weight_identity": None, "column_gaps": None, "row_gaps": None, "depth": None, "seed": 0},
    **{"states": 21, "field_penalty": 0.01, "coupling_penalty": 0.01, "optimizer": "lbfgs"},
    **{"adam_rate": 1.0, "tolerance": 1e-4, "max_iterations": 100, "device": "cpu"},
}


def gremlin(**changes):
    return Gremlin(**(SETTINGS | changes))


LENGTH, LETTERS = 5, 4


@pytest.fixture(scope="module")
def potts():
    """Fields and zero-sum couplings of five positions with four letters."""
    generator = np.random.default_rng(0)
    couplings = generator.normal(size=(LENGTH, LETTERS, LENGTH, LETTERS))
    couplings += couplings.transpose(2, 3, 0, 1)
    couplings -= couplings.mean(1, keepdims=True)
    couplings -= couplings.mean(3, keepdims=True)
    couplings[np.arange(LENGTH), :, np.arange(LENGTH)] = 0
    return generator.normal(size=(LENGTH, LETTERS)) * 0.3, couplings * 0.4


@pytest.fixture
def sampled(potts, write_alignment):
    """A function that draws independent sequences: all 4⁵ probabilities are written out."""
    fields, couplings = potts
    every = np.array(list(product(range(LETTERS), repeat=LENGTH)))
    letters = np.eye(LETTERS)[every]
    pairs = np.einsum("nia,iajb,njb->n", letters, couplings, letters) / 2
    weight = np.exp((letters * fields).sum((1, 2)) + pairs)

    def draw(n):
        chosen = np.random.default_rng(1).choice(len(every), n, p=weight / weight.sum())
        rows = ["".join(AMINO_ACIDS[state] for state in row) for row in every[chosen]]
        return Protein("p", rows[0], write_alignment(rows))

    return draw


def recovered(protein, **changes):
    """Couplings between the four letters, in their zero-sum gauge."""
    found = gremlin(coupling_penalty=1e-4, **changes).couplings(protein)
    found = found[:, :LETTERS, :, :LETTERS].astype(float)
    found -= found.mean(1, keepdims=True)
    return found - found.mean(3, keepdims=True)


def test_couplings_of_a_known_model_are_recovered(potts, sampled):
    """The error falls as 1/√n; the correlation is that of a maximum likelihood estimate."""
    truth = potts[1]
    errors = []
    for n in (400, 6400):
        found = recovered(sampled(n), tolerance=1e-7)
        errors.append(np.sqrt(np.mean((found - truth) ** 2)))
    assert errors[1] < errors[0] / 3
    assert np.corrcoef(found.ravel(), truth.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("states", [20, 21])
def test_both_alphabets_agree_where_there_are_no_gaps(sampled, potts, states):
    found = recovered(sampled(6400), states=states, tolerance=1e-7)
    assert np.corrcoef(found.ravel(), potts[1].ravel())[0, 1] > 0.99


@pytest.fixture(scope="module")
def lattice():
    family = generate_family(0, 0)
    return family, family_sequences(family, 0, "train", 1024)


@pytest.fixture
def fitted(lattice, write_alignment):
    """A function that fits so many sequences of a lattice family."""

    def fit(depth, **changes):
        rows = lattice[1][:depth]
        method = gremlin(**changes)
        return method, method.couplings(Protein("p", rows[0], write_alignment(rows)))

    return fit


def test_deeper_alignments_of_a_lattice_family_give_truer_couplings(lattice, fitted):
    """Over the couplings of contacts, all 400 of each, most of residues that hardly ever meet."""
    contacts = np.nonzero(np.triu(lattice[0].contacts))
    truth = lattice[0].couplings.transpose(0, 2, 1, 3)[contacts].ravel()
    found = [fitted(depth)[1].transpose(0, 2, 1, 3)[contacts].ravel() for depth in (64, 256, 1024)]
    correlations = [np.corrcoef(one, truth)[0, 1] for one in found]
    assert correlations == sorted(correlations)
    assert correlations[0] > 0.3
    assert correlations[2] > 0.45


def test_couplings_are_in_the_zero_sum_gauge_over_all_states(fitted):
    """No row of this alignment has a gap, so that the gap state takes what the others leave."""
    _, found = fitted(64, states=20)
    np.testing.assert_allclose(found.sum(1), 0, atol=1e-4)
    np.testing.assert_allclose(found.sum(3), 0, atol=1e-4)


def test_a_fit_says_how_it_ended(fitted):
    method, _ = fitted(128)
    assert method.facts["converged"] == 1
    assert method.facts["gap"] <= 1e-4
    assert 0 < method.facts["iterations"] < method.facts["evaluations"]
    assert method.facts["neff"] == method.facts["n_rows"] == 128


def test_a_fit_that_was_cut_short_says_so(fitted):
    short, _ = fitted(128, max_iterations=2)
    long, _ = fitted(128)
    assert (short.facts["converged"], short.facts["iterations"]) == (0, 2)
    assert short.facts["objective"] > long.facts["objective"]
    assert short.facts["gap"] > 1e-4


def test_the_estimated_gap_is_the_gap(fitted):
    """Within a factor of three of the difference to a fit that is far tighter."""
    lowest = fitted(128, tolerance=1e-7)[0].facts["objective"]
    facts = fitted(128, tolerance=1e-4)[0].facts
    gap = (facts["objective"] - lowest) / lowest
    assert gap / 3 < facts["gap"] < gap * 3


def test_adam_comes_to_the_same_map(fitted):
    """A hundred steps of one length for all: as near to the minimum as L-BFGS was asked to come."""
    (first, quick), (second, slow) = fitted(128), fitted(128, optimizer="adam")
    pairs = np.triu_indices(27, 1)
    norms = [np.linalg.norm(one, axis=(1, 3))[pairs] for one in (quick, slow)]
    assert spearmanr(*norms).statistic > 0.99
    assert second.facts["evaluations"] == 101
    assert second.facts["objective"] == pytest.approx(first.facts["objective"], rel=1e-3)


def test_a_stronger_penalty_gives_weaker_couplings(fitted):
    strong, weak = fitted(128, coupling_penalty=0.1)[1], fitted(128)[1]
    assert np.linalg.norm(strong) < np.linalg.norm(weak)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"states": 22}, "states is 22"),
        ({"optimizer": "sgd"}, "optimizer is sgd; allowed are lbfgs, adam"),
        ({"tolerance": 0.0}, "tolerance is 0.0"),
        ({"field_penalty": -1.0}, "field_penalty is -1.0"),
        ({"coupling_penalty": 0.0}, "coupling_penalty is 0.0"),
        ({"adam_rate": float("nan")}, "adam_rate is nan"),
        ({"max_iterations": -1}, "max_iterations is -1"),
        ({"device": "gpu"}, "device is 'gpu'"),
    ],
)
def test_wrong_settings_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        gremlin(**change)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_missing_device_is_said_before_anything_is_read():
    with pytest.raises(PrerequisiteError, match="device=cpu"):
        gremlin(device="cuda")
