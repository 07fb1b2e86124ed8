import numpy as np
import pytest
import torch

from harness.lattice import BETA, contact_energies
from harness.models.potts import PottsModel
from harness.potts_families import Collection, neighbor_table

RANDOM = Collection(0, 3, "random", 1.0)


@pytest.mark.parametrize(("side", "residues", "contacts"), [(2, 8, 5), (3, 27, 28), (4, 64, 81)])
def test_a_family_fills_its_lattice(side, residues, contacts):
    """Contacts are the edges of the lattice less those of the chain."""
    family = Collection(0, side, "random", 1.0).family(0)
    assert family.coordinates.shape == (residues, 3)
    assert len({tuple(place) for place in family.coordinates}) == residues
    steps = np.abs(np.diff(family.coordinates, axis=0)).sum(axis=1)
    assert np.allclose(steps, 6.5)
    assert len(family.pairs) == contacts == family.contacts.sum() / 2


def test_random_couplings_are_in_the_zero_sum_gauge_and_of_their_size():
    """√(19 · 19 / 400) = 0.95 of the standard deviation is left by the gauge."""
    couplings = RANDOM.family(0).interactions
    assert np.allclose(couplings.mean(axis=1), 0)
    assert np.allclose(couplings.mean(axis=2), 0)
    assert couplings.std() == pytest.approx(0.95, abs=0.03)


def test_families_differ_and_come_again():
    first, again, other = RANDOM.family(0), RANDOM.family(0), RANDOM.family(1)
    assert np.array_equal(first.interactions, again.interactions)
    assert not np.array_equal(first.coordinates, other.coordinates)
    assert not np.array_equal(first.fields, other.fields)


def test_shared_couplings_are_those_of_the_embedded_lattices():
    family = Collection(0, 3, "shared", 0.5).family(0)
    assert all(np.array_equal(one, -0.5 * BETA * contact_energies()) for one in family.interactions)


def test_couplings_stand_at_their_contacts_both_ways():
    family = RANDOM.family(0)
    couplings = family.couplings
    assert np.array_equal(couplings, couplings.transpose(2, 3, 0, 1))
    assert np.array_equal(np.abs(couplings).max(axis=(1, 3)) > 0, family.contacts)
    i, j = family.pairs[3]
    assert np.array_equal(couplings[i, :, j], family.interactions[3])


def test_the_exact_loss_is_that_of_the_potts_model():
    family = RANDOM.family(2)
    sequences = np.random.default_rng(0).integers(0, 20, size=(5, 27))
    logits = PottsModel(family.fields, family.couplings).logits(torch.from_numpy(sequences))
    losses = torch.nn.functional.cross_entropy(logits.mT, torch.from_numpy(sequences))
    assert family.conditional_cross_entropy(sequences) == pytest.approx(float(losses))


def test_neighbors_and_the_interactions_that_lead_to_them():
    families = [RANDOM.family(n) for n in range(2)]
    neighbors, through = neighbor_table(families)
    for f, family in enumerate(families):
        for i in range(27):
            there = neighbors[f, i] < 27
            assert sorted(neighbors[f, i][there]) == np.flatnonzero(family.contacts[i]).tolist()
            assert (through[f, i][~there] == 56).all()
            for j, number in zip(neighbors[f, i][there], through[f, i][there], strict=True):
                assert family.pairs[number % 28].tolist() == sorted((i, j))
                assert (number < 28) == (i < j)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ((0, 3, "other", 1.0), "energies is 'other'; allowed are random and shared"),
        ((0, 1, "random", 1.0), "side is 1; allowed are 2 to 8"),
        ((0, 3, "random", -1.0), "coupling_sd is -1.0; allowed are 0 to 10"),
    ],
)
def test_what_is_no_collection_is_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        Collection(*changed)


def test_the_version_names_what_shapes_a_family():
    assert RANDOM.version == "potts-1-seed0-side3-random-sd1"
