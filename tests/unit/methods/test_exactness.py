"""What everything built on the Jacobian stands on: of a Potts model it is the coupling matrix."""

import numpy as np
import pytest
import torch

from harness.alphabet import AMINO_ACIDS, encode
from harness.lattice import generate_family
from harness.methods.categorical_jacobian import CategoricalJacobian
from harness.metrics import RANGES, ceiling_at, precision_at, rank_pairs
from harness.models.potts import PottsModel, lattice_family
from harness.protein import Protein

PROTEIN = Protein("p", "MKVLAW")
LENGTH = len(PROTEIN)


def random_couplings(length=LENGTH):
    """Symmetric, without blocks i = j, in multiples of 1/1024: sums of them are exact."""
    drawn = np.random.default_rng(0).integers(-1000, 1000, size=(length, 20, length, 20)) / 1024
    drawn += drawn.transpose(2, 3, 0, 1)
    drawn[range(length), :, range(length)] = 0
    return drawn


def potts(couplings):
    return PottsModel(np.zeros(couplings.shape[:2]), couplings)


def zero_sum(couplings):
    """The zero-sum gauge, written out: less row and column means, plus the mean of all."""
    rows, columns = couplings.mean(axis=3, keepdims=True), couplings.mean(axis=1, keepdims=True)
    return couplings - rows - columns + couplings.mean(axis=(1, 3), keepdims=True)


def method(model, center):
    settings = {"symmetrize": "couplings", "apc": True, "storage": "float32"}
    return CategoricalJacobian(model, substitutes="all", center=center, **settings)


def jacobian_couplings(model, center, protein=PROTEIN):
    return method(model, center).couplings(protein)


def test_centered_over_the_amino_acids_it_is_the_zero_sum_couplings():
    couplings = random_couplings()
    found = jacobian_couplings(potts(couplings), "amino_acids")
    np.testing.assert_allclose(found, zero_sum(couplings), rtol=0, atol=1e-12)


@pytest.mark.parametrize("sequence", ["AAAAAA", "WYVWYV"])
def test_it_does_not_depend_on_the_sequence_it_was_measured_on(sequence):
    couplings = random_couplings()
    found = jacobian_couplings(potts(couplings), "amino_acids", Protein("q", sequence))
    np.testing.assert_allclose(found, zero_sum(couplings), rtol=0, atol=1e-12)


def test_it_does_not_depend_on_the_fields():
    couplings = random_couplings()
    model = PottsModel(np.random.default_rng(1).normal(size=(LENGTH, 20)), couplings)
    found = jacobian_couplings(model, "amino_acids")
    np.testing.assert_allclose(found, zero_sum(couplings), rtol=0, atol=1e-12)


def test_centered_over_everything_it_is_those_couplings_centered_over_positions_too():
    couplings = random_couplings()
    expected = zero_sum(couplings)
    expected = expected - expected.mean(axis=0, keepdims=True)
    expected = expected - expected.mean(axis=2, keepdims=True)
    found = jacobian_couplings(potts(couplings), "all")
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("center", ["all", "none"])
def test_other_centerings_do_not_give_the_zero_sum_couplings(center):
    couplings = random_couplings()
    found = jacobian_couplings(potts(couplings), center)
    assert np.abs(found - zero_sum(couplings)).max() > 0.1


@pytest.mark.parametrize("family", [0, 5])
def test_a_lattice_family_gives_back_its_couplings(family):
    exact = generate_family(0, family).couplings
    found = jacobian_couplings(lattice_family(0, family), "amino_acids", Protein("p", "A" * 27))
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-12)


@pytest.mark.parametrize("family", range(8))
def test_the_contacts_of_a_lattice_family_are_ranked_perfectly(family):
    scores = method(lattice_family(0, family), "amino_acids")(Protein("p", "A" * 27))
    for name in ("min3", "min6", "min12"):
        pairs = rank_pairs(scores, generate_family(0, family).distances, RANGES[name], 8.0)
        assert precision_at(pairs, 1) == ceiling_at(pairs, 1)


def test_leaving_out_the_wild_type_changes_nothing():
    """19 L + 1 passes equal 20 L + 1, to the last bit: all sums are exact."""
    model = potts(random_couplings())
    found = method(model, "none").jacobian(PROTEIN)
    wild_type = encode(PROTEIN.sequence)
    every = np.tile(wild_type, (LENGTH, len(AMINO_ACIDS), 1))
    for i in range(LENGTH):
        every[i, :, i] = np.arange(20)
    np.testing.assert_array_equal(found, logits(model, every) - logits(model, wild_type))


def logits(model, residues):
    """Of any number of sequences, with the axes they came with."""
    flat = torch.from_numpy(residues.reshape(-1, LENGTH))
    return model.logits(flat).numpy().reshape(*residues.shape, 20)
