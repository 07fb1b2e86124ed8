import numpy as np
import pytest

from baselines.mean_field_dca import MeanFieldDCA
from harness.alphabet import AMINO_ACIDS
from harness.lattice import family_sequences, generate_family
from harness.metrics import RANGES, precision_at, rank_pairs
from harness.protein import Protein
from harness.protocols import CouplingMethod

LENGTH, STATES = 6, AMINO_ACIDS + "-"


def method(**changes):
    settings = {"pseudocount": 0.5, "centered_states": 20, "weight_identity": 0.8}
    settings |= {"column_gaps": None, "row_gaps": None, "depth": None, "seed": 0}
    return MeanFieldDCA(**(settings | changes))


@pytest.fixture
def rows():
    """A query and 60 rows that resemble it in about half of their residues."""
    generator = np.random.default_rng(0)
    drawn = generator.integers(0, 21, size=(61, LENGTH))
    drawn = np.where(generator.random((61, LENGTH)) < 0.7, np.arange(LENGTH), drawn)
    drawn[0] = np.arange(LENGTH)
    return ["".join(STATES[state] for state in row) for row in drawn]


@pytest.fixture
def protein(rows, write_alignment):
    return Protein("p", rows[0], write_alignment(rows))


def naive_couplings(rows, pseudocount, centered_states):
    """Morcos et al. 2011 step by step, with λ sequences added and NumPy's general inverse."""
    states = np.array([[STATES.index(letter) for letter in row] for row in rows])
    alike = (states[:, None] == states[None]).mean(axis=2) >= 0.8
    weights = 1 / alike.sum(axis=1)
    added = weights.sum() * pseudocount / (1 - pseudocount)
    one_hot = np.eye(21)[states]
    counts = np.einsum("n,nia->ia", weights, one_hot) + added / 21
    pairs = np.einsum("n,nia,njb->iajb", weights, one_hot, one_hot) + added / 21**2
    single, joint = counts / counts.sum(axis=1, keepdims=True), pairs / (weights.sum() + added)
    for i in range(len(single)):
        joint[i, :, i] = np.diag(single[i])
    covariance = (joint - np.multiply.outer(single, single))[:, :20, :, :20]
    size = 20 * len(single)
    couplings = np.zeros((len(single), 21, len(single), 21))
    inverse = np.linalg.inv(covariance.reshape(size, size))
    couplings[:, :20, :, :20] = -inverse.reshape(len(single), 20, len(single), 20)
    kept = couplings[:, :centered_states, :, :centered_states]
    for axis in (1, 3):
        kept = kept - kept.mean(axis=axis, keepdims=True)
    return kept[:, :20, :, :20]


def test_it_is_a_coupling_method():
    assert isinstance(method(), CouplingMethod)


@pytest.mark.parametrize("centered_states", [20, 21])
@pytest.mark.parametrize("pseudocount", [0.5, 0.2])
def test_couplings_agree_with_a_naive_implementation(rows, protein, pseudocount, centered_states):
    """To 1e-9: two inversions of a matrix with a condition number of about a thousand."""
    expected = naive_couplings(rows, pseudocount, centered_states)
    settings = {"pseudocount": pseudocount, "centered_states": centered_states}
    found = method(**settings).couplings(protein)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_scores_are_corrected_norms(rows, protein):
    norms = np.sqrt((naive_couplings(rows, 0.5, 20) ** 2).sum(axis=(1, 3)))
    np.fill_diagonal(norms, 0)
    expected = norms - np.outer(norms.sum(axis=0), norms.sum(axis=0)) / norms.sum()
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(method()(protein), expected, rtol=0, atol=1e-9)


def test_centered_couplings_add_up_to_zero(protein):
    couplings = method().couplings(protein)
    for axis in (1, 3):
        np.testing.assert_allclose(couplings.sum(axis=axis), 0, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"pseudocount": 0}, "pseudocount is 0; allowed are fractions between 0 and 1"),
        ({"pseudocount": 1}, "pseudocount is 1; allowed are fractions between 0 and 1"),
        ({"pseudocount": float("nan")}, "pseudocount is nan; allowed"),
        ({"centered_states": 4}, "centered_states is 4; allowed are 20"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(change, complaint):
    with pytest.raises(ValueError, match=complaint):
        method(**change)


def test_it_finds_the_contacts_of_a_lattice_family(write_alignment):
    """Far better than the 9 % of pairs that are contacts."""
    family = generate_family(0, 0)
    rows = family_sequences(family, 0, "train", 1000)
    scores = method()(Protein("p", rows[0], write_alignment(rows)))
    assert precision_at(rank_pairs(scores, family.distances, RANGES["min3"], 8.0), 1) > 0.3
