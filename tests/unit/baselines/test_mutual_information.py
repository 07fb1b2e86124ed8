import math

import numpy as np
import pytest

from baselines.mutual_information import MutualInformation
from harness.alphabet import AMINO_ACIDS
from harness.lattice import family_sequences, generate_family
from harness.metrics import RANGES, precision_at, rank_pairs
from harness.protein import Protein
from harness.protocols import CouplingMethod

LENGTH, STATES = 6, AMINO_ACIDS + "-"


def method(**changes):
    settings = {"pseudocount": 0.0, "weight_identity": None, "column_gaps": None, "row_gaps": None}
    return MutualInformation(**(settings | {"depth": None, "seed": 0} | changes))


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


def entropy(words):
    shares = [words.count(word) / len(words) for word in set(words)]
    return -math.fsum(share * math.log(share) for share in shares)


def test_it_is_a_coupling_method():
    assert isinstance(method(), CouplingMethod)


def test_scores_are_corrected_sums_of_entropies(rows, protein):
    """I = H(i) + H(j) − H(i, j), letters counted with the gap as one of them."""
    columns = ["".join(column) for column in zip(*rows, strict=True)]
    information = np.zeros((LENGTH, LENGTH))
    for i in range(LENGTH):
        for j in set(range(LENGTH)) - {i}:
            pairs = [a + b for a, b in zip(columns[i], columns[j], strict=True)]
            information[i, j] = entropy(columns[i]) + entropy(columns[j]) - entropy(pairs)
    totals = information.sum(axis=0)
    expected = information - np.outer(totals, totals) / totals.sum()
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(method()(protein), expected, rtol=0, atol=1e-12)


def test_couplings_are_logarithms_of_observed_over_expected(rows, protein):
    couplings, states = method().couplings(protein), AMINO_ACIDS
    for i, a, j, b in [(0, "A", 1, "R"), (2, "N", 5, "Q"), (5, "Q", 2, "N"), (3, "D", 1, "R")]:
        single = [sum(row[k] == c for row in rows) for k, c in ((i, a), (j, b))]
        both = sum(row[i] == a and row[j] == b for row in rows)
        assert both > 0
        expected = math.log(both * len(rows) / (single[0] * single[1]))
        assert couplings[i, states.index(a), j, states.index(b)] == pytest.approx(expected)


def test_a_pair_that_never_occurs_is_not_coupled(write_alignment):
    """Its logarithm would be minus infinity, and nothing of it enters the information."""
    protein = Protein("p", "AR", write_alignment(["AR", "RA", "AR", "RA"]))
    couplings = method().couplings(protein)[0, :, 1]
    expected = np.zeros((20, 20))
    expected[0, 1] = expected[1, 0] = math.log(2)
    np.testing.assert_allclose(couplings, expected, rtol=0, atol=1e-15)


def test_with_a_pseudocount_a_pair_that_never_occurs_is_avoided(write_alignment):
    protein = Protein("p", "AR", write_alignment(["AR", "RA", "AR", "RA"]))
    couplings = method(pseudocount=0.5).couplings(protein)[0, :, 1]
    single, pair = 0.25 + 0.5 / 21, 0.5 / 441
    assert couplings[0, 0] == pytest.approx(math.log(pair / single**2))
    assert couplings[0, 0] < 0


def test_columns_that_never_vary_carry_no_information(write_alignment):
    protein = Protein("p", "ARN", write_alignment(["ARN"] * 5))
    assert not method()(protein).any()


@pytest.mark.parametrize("pseudocount", [-0.1, 1, float("nan")])
def test_a_pseudocount_is_a_fraction(pseudocount):
    with pytest.raises(ValueError, match=f"pseudocount is {pseudocount}; allowed are fractions"):
        method(pseudocount=pseudocount)


def test_it_finds_contacts_of_a_lattice_family(write_alignment):
    """Better than twice the 9 % of pairs that are contacts."""
    family = generate_family(0, 0)
    rows = family_sequences(family, 0, "train", 1000)
    scores = method()(Protein("p", rows[0], write_alignment(rows)))
    assert precision_at(rank_pairs(scores, family.distances, RANGES["min3"], 8.0), 1) > 0.18
