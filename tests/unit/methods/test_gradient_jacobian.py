from functools import cache

import numpy as np
import pytest
import torch
from torch.autograd.functional import jacobian

from harness.alphabet import encode
from harness.couplings import center_, contact_scores
from harness.errors import InputError
from harness.methods.categorical_jacobian import CategoricalJacobian
from harness.methods.gradient_jacobian import GradientJacobian
from harness.models.checkpoint import load_checkpoint
from harness.models.potts import PottsModel, lattice_family
from harness.protein import Protein
from harness.protocols import Differentiable
from tests.models import SHIPPED, esm2

PROTEIN = Protein("p", "MKVLAW")
CHECKPOINT = SHIPPED / "lattice_2x16.pt"
SETTINGS = {"mode": "reverse", "center": "all", "symmetrize": "couplings", "apc": True}

both = pytest.mark.parametrize("mode", ["reverse", "forward"])


@cache
def network():
    """An embedded network, for those that do not count its passes."""
    return esm2(CHECKPOINT)


def method(model=None, **changes):
    return GradientJacobian(model or network(), **(SETTINGS | changes))


def potts(length=6):
    drawn = np.random.default_rng(0).normal(size=(length, 20, length, 20))
    return PottsModel(np.zeros((length, 20)), drawn + drawn.transpose(2, 3, 0, 1))


def categorical(model, center):
    settings = {"symmetrize": "couplings", "apc": True, "storage": "float32"}
    return CategoricalJacobian(model, substitutes="all", center=center, **settings)


@both
@pytest.mark.parametrize("center", ["all", "amino_acids"])
def test_of_a_potts_model_it_is_the_categorical_jacobian(mode, center):
    model = potts()
    expected = categorical(model, center).couplings(PROTEIN)
    found = method(model, mode=mode, center=center).couplings(PROTEIN)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@both
def test_a_lattice_family_gives_back_its_couplings(mode):
    model, protein = lattice_family(0, 5), Protein("p", "A" * 27)
    expected = categorical(model, "amino_acids").couplings(protein)
    found = method(model, mode=mode, center="amino_acids").couplings(protein)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@both
@pytest.mark.parametrize("sequence", ["MKVLAW", "MXV", "M"])
def test_without_centering_it_is_the_jacobian_that_pytorch_computes(mode, sequence):
    net = load_checkpoint(CHECKPOINT).network
    residues, x = torch.from_numpy(encode(sequence)), torch.zeros(len(sequence), 20)
    expected = jacobian(lambda x: net.relaxed_logits(residues, x), x).permute(2, 3, 0, 1)
    found = method(mode=mode, center="none").jacobian(Protein("p", sequence))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("center", ["all", "amino_acids", "none"])
def test_reverse_and_forward_mode_agree(center):
    one, other = (method(mode=mode, center=center)(PROTEIN) for mode in ("reverse", "forward"))
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


@both
@pytest.mark.parametrize("center", ["all", "amino_acids"])
def test_contrasts_of_a_centered_axis_lose_nothing(mode, center):
    every = torch.from_numpy(method(mode=mode, center="none").jacobian(PROTEIN))
    found = method(mode=mode, center=center).jacobian(PROTEIN)
    np.testing.assert_allclose(found, center_(every, center), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("mode", "center", "sequence", "passes"),
    [
        ("reverse", "all", "MKVLAW", 19 * 6 + 1),
        ("reverse", "amino_acids", "MKVLAW", 19 * 6 + 1),
        ("reverse", "none", "MKVLAW", 20 * 6 + 1),
        ("reverse", "all", "MK??AX", 19 * 6 + 1),
        ("reverse", "all", "??", 19 * 2 + 1),
        ("forward", "all", "MKVLAW", 19 * 6 + 2),
        ("forward", "none", "MKVLAW", 20 * 6 + 2),
        ("forward", "all", "MK??AX", 19 * 4 + 2),
        ("forward", "all", "??", 0),
    ],
)
def test_so_many_passes_are_made(mode, center, sequence, passes):
    model = esm2(CHECKPOINT, tokens_per_batch=40)
    method(model, mode=mode, center=center)(Protein("p", sequence))
    assert model.cost.forward_passes == passes
    assert model.cost.tokens == passes * (len(sequence) + 2)


@both
def test_a_sequence_beyond_the_context_is_refused_before_anything_is_spent(mode):
    model = esm2(CHECKPOINT, context=5)
    with pytest.raises(InputError, match="6 residues is beyond the context of 5"):
        method(model, mode=mode)(PROTEIN)
    assert model.cost.forward_passes == 0


def test_a_backward_pass_costs_about_what_a_forward_pass_does():
    """Products of the weights cost the same, those of the attention twice as much."""
    forward, backward = esm2(CHECKPOINT), esm2(CHECKPOINT)
    forward.logits(torch.from_numpy(encode(PROTEIN.sequence))[None])
    method(backward)(PROTEIN)
    share = backward.cost.flops / backward.cost.forward_passes / forward.cost.flops
    assert 1 < share < 1.5


@both
@pytest.mark.parametrize("tokens", [1, 7 * 5])
def test_the_size_of_batches_does_not_change_the_couplings(mode, tokens):
    protein = Protein("p", "MKV")
    expected = method(mode=mode).couplings(protein)
    found = method(esm2(CHECKPOINT, tokens_per_batch=tokens), mode=mode).couplings(protein)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


@both
def test_rows_of_a_hidden_residue_are_zero_and_its_columns_are_not(mode):
    found = method(mode=mode, center="none").jacobian(PROTEIN.masked([0, 2, 3]))
    assert not found[[1, 4, 5]].any()
    assert found[[0, 2, 3]].any(axis=1)[:, [1, 4, 5]].all()


@both
def test_an_unknown_residue_has_all_its_rows(mode):
    found = method(mode=mode, center="none").jacobian(Protein("p", "MXV"))
    assert found[1].any(axis=(1, 2)).all()


@both
def test_scores_are_those_of_the_couplings(mode):
    expected = contact_scores(torch.from_numpy(method(mode=mode).couplings(PROTEIN)), apc=True)
    np.testing.assert_allclose(method(mode=mode)(PROTEIN), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("apc", [True, False])
def test_symmetrized_scores_are_those_of_the_jacobian(apc):
    found = method(symmetrize="scores", apc=apc)
    expected = contact_scores(torch.from_numpy(found.jacobian(PROTEIN)), apc)
    np.testing.assert_allclose(found(PROTEIN), expected, rtol=0, atol=1e-6)
    assert np.abs(found(PROTEIN) - method(apc=apc)(PROTEIN)).max() > 1e-3


def test_the_models_of_these_tests_are_differentiable():
    assert all(isinstance(model, Differentiable) for model in (potts(), network()))


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("mode", "backward", "reverse, forward"),
        ("center", "rows", "all, amino_acids, none"),
        ("symmetrize", "both", "couplings, scores"),
    ],
)
def test_an_unknown_choice_is_refused_before_the_model_runs(field, value, allowed):
    with pytest.raises(ValueError, match=f"{field} is '{value}'; allowed are {allowed}$"):
        method(potts(), **{field: value})
