from functools import cache

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from harness.methods.gradient_jacobian import GradientJacobian
from harness.methods.randomized_jacobian import RandomizedJacobian
from harness.models.differentiation import placed
from harness.models.potts import PottsModel
from harness.protein import Protein
from harness.protocols import Cost
from tests.models import SHIPPED, esm2

PROTEIN = Protein("p", "MKVLAW")
LENGTH = len(PROTEIN)
CHECKPOINT = SHIPPED / "lattice_2x16.pt"
SETTINGS = {"projections": 4, "seed": 0, "center": "all", "apc": True}
SEEDS = 200


class Known:
    """A model whose gradient is a given array, whatever the sequence, fifty at a time."""

    n_parameters = 0
    fingerprint = ""

    def __init__(self, jacobian):
        length = len(jacobian)
        self.rows = torch.from_numpy(jacobian).double().reshape(length * 20, -1).T.contiguous()
        self.cost = Cost()

    def gradients(self, residues, sites, directions):
        for start in range(0, len(sites), 50):
            part = slice(start, min(start + 50, len(sites)))
            vectors = placed(sites[part], directions[part], len(residues))
            yield part, (vectors.flatten(1) @ self.rows).view(vectors.shape)

    derivatives = gradients


@cache
def network():
    """An embedded network, for those that do not count its passes."""
    return esm2(CHECKPOINT)


def method(model=None, **changes):
    return RandomizedJacobian(model or network(), **(SETTINGS | changes))


def gradient(model, center, symmetrize="scores"):
    return GradientJacobian(model, "reverse", center, symmetrize, apc=True)


@pytest.fixture(scope="module")
def lattice():
    """The gradient of an embedded network, to be asked often."""
    return Known(gradient(network(), "none").jacobian(PROTEIN))


@pytest.fixture(scope="module")
def potts():
    """A random Potts model."""
    drawn = np.random.default_rng(0).normal(size=(LENGTH, 20, LENGTH, 20))
    return PottsModel(np.zeros((LENGTH, 20)), drawn + drawn.transpose(2, 3, 0, 1))


@pytest.fixture(params=["lattice", "potts"])
def model(request):
    """A network's gradient, and a linear model."""
    return request.getfixturevalue(request.param)


def exact_blocks(model, center):
    """Blocks G_ij of 20 × 20, and their squared norms."""
    blocks = gradient(model, center).jacobian(PROTEIN).transpose(0, 2, 1, 3)
    return blocks, np.square(blocks).sum((2, 3))


@cache
def errors(model, projections, center="all"):
    """Estimate less exact squared norm, for each seed."""
    _, exact = exact_blocks(model, center)
    return np.array(
        [
            method(model, projections=projections, center=center, seed=seed).squared_norms(PROTEIN)
            - exact
            for seed in range(SEEDS)
        ]
    )


def predicted_variance(model, projections, center="all"):
    """Of the squared norms, as the docstring of the class has it."""
    blocks, exact = exact_blocks(model, center)
    products = np.einsum("ijab,ijac->ijbc", blocks, blocks)
    d, k = 20 if center == "none" else 19, projections
    spread = np.square(products).sum((2, 3)) - exact**2 / d
    return 2 * d * (d - k) / (k * (d - 1) * (d + 2)) * spread


def test_a_known_gradient_gives_what_the_network_gives(lattice):
    expected = method().squared_norms(PROTEIN)
    np.testing.assert_allclose(method(lattice).squared_norms(PROTEIN), expected, rtol=1e-4)


@pytest.mark.parametrize("center", ["all", "amino_acids", "none"])
@pytest.mark.parametrize("projections", [1, 4])
def test_the_estimates_are_without_bias(model, projections, center):
    """The mean over seeds is within five standard errors of the exact squared norms."""
    found = errors(model, projections, center)
    standard_error = found.std(0) / SEEDS**0.5
    assert (np.abs(found.mean(0)) <= 5 * standard_error + 1e-9).all()


@pytest.mark.parametrize(
    ("projections", "center"),
    [(1, "all"), (2, "all"), (4, "all"), (8, "all"), (16, "all"), (1, "none"), (4, "none")],
)
def test_the_error_against_the_number_of_projections_is_the_one_derived(model, projections, center):
    """Summed over the pairs; 200 seeds leave some 10 % of a variance uncertain."""
    found = np.square(errors(model, projections, center)).mean(0).sum()
    expected = predicted_variance(model, projections, center).sum()
    assert found == pytest.approx(expected, rel=0.25)


def test_the_error_falls_at_least_as_the_root_of_the_projections(model):
    root_mean_square = [np.square(errors(model, k)).mean() ** 0.5 for k in (1, 4, 16)]
    for more, fewer in zip(root_mean_square[1:], root_mean_square, strict=False):
        assert more < 1.1 * fewer / 2


@pytest.mark.parametrize(
    ("center", "projections"), [("all", 19), ("amino_acids", 19), ("none", 20)]
)
def test_as_many_projections_as_dimensions_are_exact_for_every_seed(model, center, projections):
    found = method(model, center=center, projections=projections, seed=7)
    _, exact = exact_blocks(model, center)
    np.testing.assert_allclose(found.squared_norms(PROTEIN), exact, rtol=1e-9, atol=1e-9)
    expected = gradient(model, center)(PROTEIN)
    np.testing.assert_allclose(found(PROTEIN), expected, rtol=0, atol=1e-9)


def test_a_backward_pass_a_residue_and_projection_is_made_and_one_forward():
    model = esm2(CHECKPOINT)
    method(model, projections=3)(PROTEIN)
    assert model.cost.forward_passes == 3 * LENGTH + 1


def test_the_seed_decides(lattice):
    one, same, other = (method(lattice, seed=seed)(PROTEIN) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 1e-3


@pytest.mark.parametrize("tokens", [1, 7 * 8])
def test_the_size_of_batches_does_not_change_the_map(tokens):
    found = method(esm2(CHECKPOINT, tokens_per_batch=tokens))(PROTEIN)
    np.testing.assert_allclose(found, method()(PROTEIN), rtol=0, atol=1e-5)


@pytest.mark.parametrize("sequence", ["MK??AX", "M", "??"])
def test_hidden_and_unknown_residues_are_those_of_the_gradient_jacobian(sequence):
    protein = Protein("p", sequence)
    found = method(projections=19)(protein)
    np.testing.assert_allclose(found, gradient(network(), "all")(protein), atol=1e-5)


class Largest(TorchDispatchMode):
    """Notes how many numbers the largest tensor holds that anything returns."""

    numbers = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor):
            self.numbers = max(self.numbers, result.numel())
        return result


def test_no_tensor_is_larger_than_the_projections():
    length = 12
    protein = Protein("p", "A" * length)
    model = Known(np.ones((length, 20, length, 20)))
    with Largest() as largest:
        method(model, projections=2)(protein)
    assert largest.numbers == length * 20 * length * 2


@pytest.mark.parametrize(
    ("center", "projections", "most"),
    [("all", 0, 19), ("all", 20, 19), ("amino_acids", 20, 19), ("none", 21, 20), ("none", -1, 20)],
)
def test_a_number_of_projections_that_makes_no_sense_is_refused(lattice, center, projections, most):
    message = f"projections is {projections}; allowed are 1 to {most}"
    with pytest.raises(ValueError, match=message):
        method(lattice, center=center, projections=projections)


@pytest.mark.usefixtures("unchecked")
def test_an_unknown_centering_is_refused(lattice):
    with pytest.raises(ValueError, match=r"center is 'rows'; allowed are all, amino_acids, none$"):
        method(lattice, center="rows")
