"""RMSD, TM-score and lDDT: rotated copies, moved domains, and a second implementation."""

from dataclasses import astuple

import numpy as np
import pytest
from jaxtyping import Float
from numpy import ndarray
from scipy.spatial.transform import Rotation

from harness.superposition import likeness


def coil(length: int, seed: int = 0) -> Float[ndarray, "K 3"]:
    """A random walk with steps of 3.8 Å."""
    steps = np.random.default_rng(seed).normal(size=(length, 3))
    return np.cumsum(3.8 * steps / np.linalg.norm(steps, axis=1, keepdims=True), axis=0)


def moved(places: Float[ndarray, "K 3"], seed: int = 1) -> Float[ndarray, "K 3"]:
    turn = Rotation.random(random_state=seed).as_matrix()
    return places @ turn.T + [10.0, -30.0, 5.0]


@pytest.mark.parametrize("length", [3, 4, 5, 20, 150])
def test_a_rotated_copy_is_the_same(length: int) -> None:
    found = likeness(coil(length), moved(coil(length)))
    assert found.rmsd == pytest.approx(0, abs=1e-4)
    assert found.tm_score == pytest.approx(1, abs=1e-6)
    assert found.lddt == 1


def test_rmsd_is_that_of_an_independent_superposition() -> None:
    reference = coil(50)
    other = moved(reference + np.random.default_rng(2).normal(size=(50, 3)))
    centered = [places - places.mean(axis=0) for places in (reference, other)]
    _, total = Rotation.align_vectors(*centered)
    assert likeness(reference, other).rmsd == pytest.approx(total / 50**0.5, rel=1e-4)


def test_lddt_by_hand() -> None:
    """Three atoms: of three distances one is kept, one is off by 0.7 Å, one by 3 Å."""
    reference = np.array([[0, 0, 0], [4.0, 0, 0], [0, 6.0, 0]])
    one, two = 4.7, np.hypot(4.0, 6.0) + 3
    x = (one**2 + 6.0**2 - two**2) / 12  # of the third atom's place along the second axis
    other = np.array([[0, 0, 0], [0, 6.0, 0], [(one**2 - x**2) ** 0.5, x, 0]])
    other = other[[0, 2, 1]]
    assert likeness(reference, other).lddt == pytest.approx((4 / 4 + 3 / 4 + 1 / 4) / 3)


def test_a_mirror_image_is_not_the_same() -> None:
    found = likeness(coil(60), coil(60) * [1, 1, -1])
    assert found.rmsd > 3
    assert found.tm_score < 0.9
    assert found.lddt == 1  # distances do not know of hands


def test_rmsd_of_one_displaced_atom() -> None:
    """Far from the others, whose superposition it hardly turns."""
    reference = coil(400)
    other = reference.copy()
    other[200] += [0, 0, 2.0]
    assert likeness(reference, other).rmsd == pytest.approx(2 / 20, rel=0.01)


def test_a_moved_domain_leaves_the_other_superposed() -> None:
    """The best superposition of all residues is good for none of them."""
    reference = coil(120)
    other = reference.copy()
    other[70:] = moved(other[70:]) + 100
    found = likeness(reference, other)
    assert found.rmsd > 10
    assert 70 / 120 - 1e-6 <= found.tm_score < 70 / 120 + 0.1
    assert 0.5 < found.lddt < 1


def test_tm_score_of_known_distances() -> None:
    """A long chain, a tenth of which is off by d: 0.9 + 0.1 / (1 + (d / d0)²)."""
    reference, d = coil(300), 4.0
    other = reference.copy()
    off = np.arange(0, 300, 10)
    signs = np.where(np.arange(len(off)) % 2, 1.0, -1.0)
    other[off] += d * signs[:, None] * [0, 0, 1.0]
    d0 = 1.24 * (300 - 15) ** (1 / 3) - 1.8
    expected = 0.9 + 0.1 / (1 + (d / d0) ** 2)
    assert likeness(reference, other).tm_score == pytest.approx(expected, abs=2e-3)


def test_too_few_residues_cannot_be_superposed() -> None:
    assert np.isnan(astuple(likeness(coil(2), coil(2)))).all()
