import numpy as np
import pytest

from harness import gibbs
from harness.potts_families import Collection, PottsFamily


def test_sequences_follow_their_conditionals():
    """A residue's surprise is, on average, the entropy of its distribution given all others.

    Over 2,000 sequences of 27 residues, to five standard errors.
    """
    family = Collection(0, 3, "random", 1.0).family(0)
    sequences = gibbs.sample([family], 2000, 60, seed=0)[0].astype(int)
    energies = np.tile(family.fields, (len(sequences), 1, 1))
    energies += np.einsum("nia,iajb->njb", np.eye(20)[sequences], family.couplings)
    p = np.exp(energies)
    p /= p.sum(axis=-1, keepdims=True)
    surprise = -np.log(np.take_along_axis(p, sequences[..., None], 2)[..., 0]).mean(axis=1)
    entropy = -(p * np.log(p)).sum(axis=-1).mean(axis=1)
    error = (surprise - entropy).std() / np.sqrt(len(sequences))
    assert abs((surprise - entropy).mean()) < 5 * error
    assert error < 0.01


def two_sites(coupling):
    """Two residues in contact: places 0 and 3 of a chain of four on a square."""
    interaction = np.zeros((20, 20))
    interaction[0, 1] = coupling
    fields = np.full((4, 20), -50.0)
    fields[:, :2] = 0
    coordinates = 6.5 * np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)
    return PottsFamily(0, coordinates, fields, np.array([[0, 3]]), interaction[None])


def test_pair_frequencies_by_hand():
    """Of two states each, (0, 1) weighs e², all other pairs 1; to five standard errors."""
    sequences = gibbs.sample([two_sites(2.0)], 20_000, 30, seed=1)[0]
    assert set(np.unique(sequences)) == {0, 1}
    share = ((sequences[:, 0] == 0) & (sequences[:, 3] == 1)).mean()
    expected = np.exp(2) / (np.exp(2) + 3)
    assert abs(share - expected) < 5 * np.sqrt(expected * (1 - expected) / 20_000)


def test_a_seed_gives_its_sequences_and_another_one_others():
    families = [Collection(0, 2, "random", 1.0).family(n) for n in range(3)]
    first, again, other = (gibbs.sample(families, 10, 5, seed) for seed in (0, 0, 1))
    assert first.shape == (3, 10, 8)
    assert first.dtype == np.int8
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_families_are_sampled_in_parts_where_memory_is_short(monkeypatch):
    families = [Collection(0, 2, "random", 1.0).family(n) for n in range(5)]
    monkeypatch.setitem(gibbs._LARGEST, "cpu", 2 * 10 * 5 * 20)
    found = gibbs.sample(families, 10, 5, seed=0)
    assert found.shape == (5, 10, 8)
    assert not np.array_equal(found[0], found[4])


def test_families_of_different_lattices_do_not_go_together():
    families = [Collection(0, side, "random", 1.0).family(0) for side in (2, 3)]
    with pytest.raises(ValueError, match="families of different sizes"):
        gibbs.sample(families, 1, 1, 0)
