import numpy as np
import pytest
import torch

from baselines.inverse_covariance import InverseCovariance
from harness.alphabet import AMINO_ACIDS
from harness.couplings import contact_scores
from harness.errors import InputError, PrerequisiteError
from harness.lattice import family_sequences, generate_family
from harness.metrics import RANGES, precision_at, rank_pairs
from harness.protein import Protein
from harness.protocols import CouplingMethod

LENGTH, STATES = 6, AMINO_ACIDS + "-"


def method(**changes):
    settings = {"ridge": 4.5, "pseudocount": 0.0, "weight_identity": None, "column_gaps": None}
    return InverseCovariance(**(settings | {"row_gaps": None, "depth": None, "seed": 0} | changes))


@pytest.fixture
def rows():
    """A query and 60 rows that resemble it in about half of their residues."""
    generator = np.random.default_rng(0)
    drawn = generator.integers(0, 21, size=(61, LENGTH))
    drawn = np.where(generator.random((61, LENGTH)) < 0.5, np.arange(LENGTH), drawn)
    drawn[0] = np.arange(LENGTH)
    return ["".join(STATES[state] for state in row) for row in drawn]


@pytest.fixture
def protein(rows, write_alignment):
    return Protein("p", rows[0], write_alignment(rows))


def naive_couplings(rows, weights, ridge):
    """The definition, with NumPy's covariance and general inverse."""
    one_hot = np.array([[letter == state for letter in row for state in STATES] for row in rows])
    covariance = np.cov(one_hot.T.astype(float), aweights=weights, bias=True)
    inverse = np.linalg.inv(covariance + ridge / np.sqrt(weights.sum()) * np.eye(len(covariance)))
    return -inverse.reshape(len(rows[0]), 21, len(rows[0]), 21)[:, :20, :, :20]


def test_it_is_a_coupling_method():
    assert isinstance(method(), CouplingMethod)


def test_couplings_agree_with_a_naive_implementation(rows, protein):
    """To 1e-8, what two inversions of a well-conditioned matrix in double precision differ by."""
    expected = naive_couplings(rows, np.ones(len(rows)), 4.5)
    np.testing.assert_allclose(method().couplings(protein), expected, rtol=0, atol=1e-8)


def test_weighted_couplings_agree_with_a_naive_implementation(rows, protein):
    """To 1e-8, as without weights: they are added up in double precision."""
    table = np.array([list(row) for row in rows])
    identity = (table[:, None] == table[None]).mean(axis=2)
    weights = 1 / (identity >= 0.8).sum(axis=1)
    assert weights.min() < 1
    expected = naive_couplings(rows, weights, 4.5)
    found = method(weight_identity=0.8).couplings(protein)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8)


def test_a_pseudocount_adds_a_uniform_distribution(rows, protein):
    """As many sequences again as there are, each letter and each pair of letters alike."""
    one_hot = np.array([[letter == state for letter in row for state in STATES] for row in rows])
    mean = (one_hot.mean(axis=0) + 1 / 21) / 2
    second = (one_hot.T.astype(float) @ one_hot / len(rows) + 1 / 21**2) / 2
    for i in range(LENGTH):
        column = slice(21 * i, 21 * (i + 1))
        second[column, column] = np.diag(mean[column])
    matrix = second - np.outer(mean, mean) + 4.5 / np.sqrt(len(rows)) * np.eye(len(mean))
    expected = -np.linalg.inv(matrix).reshape(LENGTH, 21, LENGTH, 21)[:, :20, :, :20]
    found = method(pseudocount=0.5).couplings(protein)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8)


def test_scores_are_the_corrected_norm_of_the_couplings(protein):
    expected = contact_scores(torch.from_numpy(method().couplings(protein))).numpy()
    np.testing.assert_array_equal(method()(protein), expected)


def test_repeated_rows_leave_the_covariance_as_it_is(rows, write_alignment):
    """Repeating every row leaves the covariance as it is."""
    many = Protein("p", rows[0], write_alignment(rows * 41, "many.a3m"))
    few = Protein("p", rows[0], write_alignment(rows))
    ridge = 4.5 * np.sqrt(41)
    one, two = method(ridge=ridge).couplings(many), method(ridge=4.5).couplings(few)
    np.testing.assert_allclose(one, two, rtol=0, atol=1e-8)


def test_a_depth_takes_the_query_and_a_random_subset(rows, protein, write_alignment):
    generator = np.random.default_rng(3)
    kept = [0, *(1 + np.sort(generator.choice(60, 9, replace=False)))]
    chosen = Protein("p", rows[0], write_alignment([rows[n] for n in kept], "few.a3m"))
    np.testing.assert_array_equal(method(depth=10, seed=3)(protein), method()(chosen))


def test_the_seed_decides_the_subset_and_nothing_else(protein):
    first, again, other = (method(depth=10, seed=seed)(protein) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-6
    np.testing.assert_array_equal(method(seed=0)(protein), method(seed=1)(protein))


def test_hidden_residues_have_no_couplings(protein):
    couplings = method().couplings(protein.masked([0, 2, 3]))
    assert not couplings[[1, 4, 5]].any()
    assert not couplings[:, :, [1, 4, 5]].any()
    expected = method().couplings(protein)[np.ix_([0, 2, 3], range(20), [0, 2, 3])]
    np.testing.assert_array_equal(couplings[np.ix_([0, 2, 3], range(20), [0, 2, 3])], expected)


def test_without_an_alignment_it_says_what_to_do():
    with pytest.raises(PrerequisiteError, match=r"protein p has no alignment.*put an msa\.a3m"):
        method()(Protein("p", "ACD"))


def test_the_alignment_of_another_protein_is_refused(write_alignment):
    with pytest.raises(InputError, match="column 2"):
        method()(Protein("p", "AAD", write_alignment(["ACD", "AAA"])))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"ridge": 0}, "ridge is 0; it must be positive"),
        ({"ridge": -1.0}, "ridge is -1.0; it must be positive"),
        ({"ridge": float("nan")}, "ridge is nan; it must be positive"),
        ({"ridge": float("inf")}, "ridge is inf; it must be positive"),
        ({"pseudocount": 1}, "pseudocount is 1; allowed are fractions"),
        ({"pseudocount": -0.1}, "pseudocount is -0.1; allowed are fractions"),
        ({"depth": 0}, "depth is 0; allowed are 1 and more"),
        ({"weight_identity": 0}, "weight_identity is 0; allowed are fractions"),
        ({"weight_identity": 80}, "weight_identity is 80; allowed are fractions"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(change, complaint):
    with pytest.raises(ValueError, match=complaint):
        method(**change)


def test_a_ridge_that_is_lost_in_rounding_is_an_error_that_says_so(protein):
    with pytest.raises(InputError, match=r"singular to rounding; raise method\.ridge"):
        method(ridge=1e-30)(protein)


def test_it_finds_the_contacts_of_a_lattice_family(write_alignment):
    """Far better than the 9 % of pairs that are contacts."""
    family = generate_family(0, 0)
    rows = family_sequences(family, 0, "train", 1000)
    scores = method()(Protein("p", rows[0], write_alignment(rows)))
    assert precision_at(rank_pairs(scores, family.distances, RANGES["min3"], 8.0), 1) > 0.3
