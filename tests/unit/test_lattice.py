"""The walk, the energies, and the sequences that the generator's version stands for."""

import hashlib

import numpy as np
import pytest

from harness import lattice
from harness.alphabet import AMINO_ACIDS
from harness.lattice import family_sequences, generate_family

FAMILIES = [generate_family(0, index) for index in range(4)]

PINNED = {
    ("train", 0): "a96c9a5da9c371de0bf00250254c39a8645c2230276437032e74fd227a4578e4",
    ("train", 7): "758e7fada2f51c8737c05262476f134a8705c535c8023b63cf04606cb082231a",
    ("held_out", 0): "00bc88114380a1860760ec4fac36a7052922f93d474796e535749616af61e810",
    ("held_out", 7): "48b3965d052a6d662577b97f04019310ca84ff3fa7b60477c1b3fa61a6588ffd",
}
"""SHA-256 of the first 64 sequences of a part of a family, one a line, for seed 0."""


@pytest.fixture
def few_sweeps(monkeypatch):
    """Sequences quickly: for what does not depend on their distribution."""
    monkeypatch.setattr(lattice, "SWEEPS", 2)


@pytest.mark.parametrize(("part", "index"), PINNED)
def test_the_sequences_are_those_of_this_version_of_the_generator(part, index):
    sequences = family_sequences(generate_family(0, index), 0, part, 64)
    digest = hashlib.sha256("\n".join(sequences).encode()).hexdigest()
    assert (lattice.GENERATOR, digest) == ("lattice-1", PINNED[part, index]), (
        "sequences changed: raise lattice.GENERATOR, train the embedded models anew, pin the new "
        "digests here, and say so under Numbers in the changelog"
    )


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.index)
def test_the_walk_visits_every_site_once_in_steps_of_one(family):
    sites = family.coordinates / lattice.SPACING
    assert {tuple(site) for site in sites} == set(np.ndindex(3, 3, 3))
    assert np.abs(np.diff(sites, axis=0)).sum(axis=1).tolist() == [1] * 26


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.index)
def test_a_family_has_28_contacts_all_at_odd_separations_above_one(family):
    """54 neighboring sites on the lattice, less the 26 steps of the chain."""
    i, j = np.nonzero(np.triu(family.contacts))
    assert len(i) == 28
    assert ((j - i) % 2 == 1).all()
    assert (j - i).min() >= 3


def test_families_of_one_collection_differ_in_their_structures():
    maps = {family.contacts.tobytes() for family in FAMILIES}
    assert len(maps) == len(FAMILIES)


def test_a_family_is_the_same_whenever_it_is_generated():
    again = generate_family(0, 2)
    np.testing.assert_array_equal(again.coordinates, FAMILIES[2].coordinates)
    np.testing.assert_array_equal(again.fields, FAMILIES[2].fields)


def test_another_seed_gives_another_family():
    assert not np.array_equal(generate_family(1, 0).fields, FAMILIES[0].fields)


def test_the_contact_energies_are_symmetric_centered_and_of_unit_spread():
    energies = lattice.contact_energies()
    np.testing.assert_allclose(energies, energies.T, atol=1e-14)
    np.testing.assert_allclose(energies.mean(axis=0), 0, atol=1e-14)
    assert energies.std() == pytest.approx(1)


def test_like_hydropathies_attract_and_like_charges_repel():
    energies = lattice.contact_energies()

    def energy(pair):
        return energies[AMINO_ACIDS.index(pair[0]), AMINO_ACIDS.index(pair[1])]

    assert energy("IV") < 0 < energy("ID")
    assert energy("KE") < energy("KR")


def test_the_couplings_are_symmetric_zero_sum_and_on_contacts_only():
    family = FAMILIES[0]
    np.testing.assert_array_equal(family.couplings, family.couplings.transpose(2, 3, 0, 1))
    np.testing.assert_allclose(family.couplings.mean(axis=1), 0, atol=1e-14)
    np.testing.assert_array_equal(family.couplings.any(axis=(1, 3)), family.contacts)


@pytest.mark.usefixtures("few_sweeps")
def test_a_longer_request_only_adds_sequences():
    few, more = (family_sequences(FAMILIES[0], 0, "train", n) for n in (5, 1030))
    assert more[:5] == few
    assert (len(few), len(more), len(set(more))) == (5, 1030, 1030)


@pytest.mark.usefixtures("few_sweeps")
def test_training_and_held_out_sequences_are_drawn_independently():
    train, held_out = (family_sequences(FAMILIES[0], 0, part, 64) for part in ("train", "held_out"))
    assert not set(train) & set(held_out)


def test_an_unknown_part_is_refused():
    with pytest.raises(ValueError, match="'test'; allowed are 'train' and 'held_out'"):
        family_sequences(FAMILIES[0], 0, "test", 1)
