import dataclasses

import numpy as np
import pytest
import torch

from harness.alphabet import AMINO_ACIDS, encode
from harness.methods.categorical_jacobian import CategoricalJacobian
from harness.models.network import Architecture, Network
from harness.protein import Protein


class RandomModel:
    """A random transformer that notes how long its batches are."""

    n_parameters = 0
    fingerprint = ""

    def __init__(self):
        torch.manual_seed(0)
        self.network = Network(Architecture(1, 16, 2, True)).eval().requires_grad_(False)
        self.batches = []

    @property
    def forward_passes(self):
        return sum(self.batches)

    def logits(self, residues):
        self.batches.append(len(residues))
        return self.network.residue_logits(residues)


def method(model=None, center="all", tokens_per_batch=1000):
    return CategoricalJacobian(model or RandomModel(), center, tokens_per_batch)


PROTEIN = Protein("p", "MKVLAW")


def test_the_residue_that_is_there_already_changes_nothing_exactly():
    jacobian = method().jacobian(PROTEIN)
    assert not jacobian[range(6), encode(PROTEIN.sequence)].any()


def test_every_other_residue_changes_something():
    changes = np.abs(method().jacobian(PROTEIN)).max(axis=(2, 3))
    assert (changes > 0).sum() == 19 * 6


def test_19_passes_a_residue_and_one_are_made():
    model = RandomModel()
    method(model)(PROTEIN)
    assert model.cost.forward_passes == 19 * 6 + 1


def test_an_entry_is_the_logit_with_the_residue_less_the_logit_without():
    model = RandomModel()
    jacobian = method(model).jacobian(PROTEIN)
    mutant, wild_type = (
        model.logits(torch.from_numpy(encode(s))[None])[0] for s in ("MKVLRW", "MKVLAW")
    )
    expected = (mutant - wild_type).numpy()
    np.testing.assert_allclose(jacobian[4, AMINO_ACIDS.index("R")], expected, atol=1e-6)


@pytest.mark.parametrize("tokens", [1, 6, 13, 100, 10_000])
def test_the_batch_size_does_not_change_the_map(tokens):
    """To 1e-6, the rounding of a single-precision forward pass."""
    expected = method(tokens_per_batch=1000)(PROTEIN)
    np.testing.assert_allclose(method(tokens_per_batch=tokens)(PROTEIN), expected, atol=1e-6)


def test_a_batch_keeps_to_the_token_budget():
    model = RandomModel()
    method(model, tokens_per_batch=13)(PROTEIN)
    assert max(model.batches) == 13 // 6


def test_a_protein_longer_than_the_budget_goes_one_sequence_at_a_time():
    model = RandomModel()
    method(model, tokens_per_batch=5)(PROTEIN)
    assert set(model.batches) == {1}


def test_a_hidden_residue_is_never_substituted():
    model = RandomModel()
    jacobian = method(model).jacobian(PROTEIN.masked([0, 2, 3]))
    assert not jacobian[[1, 4, 5]].any()
    assert jacobian[[0, 2, 3]].any(axis=(1, 2, 3)).all()
    assert model.cost.forward_passes == 19 * 3 + 1


def test_hidden_residues_are_hidden_from_the_model():
    """Two proteins that differ where they are hidden have the same map."""
    other = Protein("p", "MRVLAW")
    visible = [0, 2, 3, 4, 5]
    one, two = (method()(protein.masked(visible)) for protein in (PROTEIN, other))
    np.testing.assert_array_equal(one, two)
    assert np.abs(method()(PROTEIN) - method()(other)).max() > 1e-6


def test_a_fully_hidden_protein_needs_one_pass_and_has_an_empty_map():
    model = RandomModel()
    assert not method(model)(PROTEIN.masked(())).any()
    assert model.cost.forward_passes == 1


def test_an_unknown_residue_is_substituted_by_all_twenty():
    model = RandomModel()
    jacobian = method(model).jacobian(Protein("p", "MXV"))
    assert jacobian[1].any(axis=(1, 2)).all()
    assert model.cost.forward_passes == 2 * 19 + 20 + 1


def test_the_protein_is_not_modified():
    before = dataclasses.asdict(PROTEIN)
    method()(PROTEIN)
    assert dataclasses.asdict(PROTEIN) == before


@pytest.mark.parametrize("center", ["all", "amino_acids", "none"])
def test_couplings_are_symmetric(center):
    couplings = method(center=center).couplings(PROTEIN)
    np.testing.assert_array_equal(couplings, couplings.transpose(2, 3, 0, 1))


@pytest.mark.parametrize("tokens", [0, -1])
def test_a_budget_of_nothing_is_refused(tokens):
    with pytest.raises(ValueError, match=f"tokens_per_batch is {tokens}; it must be positive"):
        method(tokens_per_batch=tokens)


@pytest.mark.usefixtures("unchecked")
def test_an_unknown_centering_is_refused_before_the_model_runs():
    with pytest.raises(ValueError, match="center is 'rows'; allowed are all, amino_acids, none"):
        method(center="rows")
