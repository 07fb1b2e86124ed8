"""The sampler draws from the distribution that the family states."""

import numpy as np
import pytest
from scipy import stats

from harness import lattice
from harness.lattice import LatticeFamily, contact_energies, generate_family


def test_four_residues_with_one_contact_are_sampled_from_the_enumerated_distribution(monkeypatch):
    """A square: residues 0 and 3 touch, 1 and 2 touch only their neighbors along the chain."""
    monkeypatch.setattr(lattice, "LENGTH", 4)
    square = lattice.SPACING * np.array([[0, 0, 0], [0, 1, 0], [1, 1, 0], [1, 0, 0.0]])
    fields = 0.5 * np.random.default_rng(0).standard_normal((4, 20))
    n = 20_000
    drawn = LatticeFamily(0, square, fields).sample(n, np.random.default_rng(1))

    pair = np.exp(fields[0][:, None] + fields[3][None] - lattice.BETA * contact_energies())
    observed = np.bincount(20 * drawn[:, 0] + drawn[:, 3], minlength=400)
    assert_drawn_from(pair.ravel(), observed)
    assert_drawn_from(np.exp(fields[1]), np.bincount(drawn[:, 1], minlength=20))
    assert_drawn_from(np.exp(fields[2]), np.bincount(drawn[:, 2], minlength=20))


def assert_drawn_from(weights, observed):
    """χ² test; states expected fewer than five times are taken together, as the test needs."""
    expected = observed.sum() * weights / weights.sum()
    group = np.where(expected < 5, 0, np.arange(1, len(expected) + 1))
    seen, wanted = (np.bincount(group, counts) for counts in (observed, expected))
    assert stats.chisquare(seen[wanted > 0], wanted[wanted > 0]).pvalue > 1e-3


def test_every_residue_follows_its_conditional_given_all_others():
    """What a masked language model learns.

    Sequences are independent, so a count less its expectation is a sum of independent terms; all
    27 × 20 of them stay within 5 standard errors.
    """
    family = generate_family(0, 0)
    one_hot = np.eye(20)[family.sample(2000, np.random.default_rng(0))]
    weights = np.exp(family.fields + np.tensordot(one_hot, family.couplings, 2))
    p = weights / weights.sum(axis=-1, keepdims=True)
    excess = (one_hot - p).sum(axis=0)
    error = np.sqrt((p * (1 - p)).sum(axis=0))
    assert np.abs(excess / error).max() < 5


def test_the_conditional_cross_entropy_is_that_of_the_exact_conditionals():
    family = generate_family(0, 1)
    sequence = np.random.default_rng(0).integers(0, 20, size=(1, lattice.LENGTH))
    losses = []
    for i in range(lattice.LENGTH):
        logits = family.fields[i].copy()
        for j in np.flatnonzero(family.contacts[i]):
            logits -= lattice.BETA * contact_energies()[:, sequence[0, j]]
        losses.append(np.log(np.exp(logits).sum()) - logits[sequence[0, i]])
    assert family.conditional_cross_entropy(sequence) == pytest.approx(np.mean(losses))
