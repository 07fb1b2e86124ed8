"""The value and the gradient, against the definition written out and differentiated by PyTorch."""

import numpy as np
import pytest
import torch

from baselines.family import Family
from baselines.pseudolikelihood import PottsModel, Pseudolikelihood
from baselines.tiles import BLOCK

CPU = torch.device("cpu")
ROWS = 30


def family(length, seed=0):
    generator = np.random.default_rng(seed)
    states = generator.integers(0, 21, size=(ROWS, length)).astype(np.int8)
    return Family(states, generator.random(ROWS) + 0.1, np.arange(length))


def objective(read, states=21, centered=False, dtype=torch.float64):
    return Pseudolikelihood(read, PottsModel(states, 0.3, 0.7, centered), CPU, dtype)


def random_point(function, length, seed=0):
    """Parameters that are zero for positions beyond the last."""
    generator = torch.Generator().manual_seed(seed)
    tiles, point = function.tiles, torch.zeros(function.tiles.size, dtype=torch.float64)
    wide = length * tiles.states
    real = torch.arange(tiles.blocks * tiles.width) < wide
    for block in range(tiles.blocks):
        column = torch.randn(tiles.blocks * tiles.width, tiles.width, generator=generator)
        kept = real[block * tiles.width : (block + 1) * tiles.width]
        column = (column * real[:, None] * kept).double()
        tiles.add_column(
            tiles.couplings(point), block, column.view(tiles.blocks, tiles.width, tiles.width)
        )
        tiles.fields(point)[block] = torch.randn(tiles.width, generator=generator) * kept
    return point


def in_use(tiles):
    """1 for the parameters, 0 for numbers of the vector that stand for nothing."""
    vector = torch.ones(tiles.size, dtype=torch.float64)
    tiles.couplings(vector).zero_()
    for block in range(tiles.blocks):
        ones = torch.ones(tiles.blocks, tiles.width, tiles.width, dtype=torch.float64)
        tiles.add_column(tiles.couplings(vector), block, ones)
    return vector.clamp(max=1)


def written_out(read, model, point, tiles):
    """The definition: dense one-hot sequences, every pair in both conditionals."""
    n, length = read.states.shape
    columns = [tiles.column(tiles.couplings(point), b).flatten(0, 1) for b in range(tiles.blocks)]
    wide = length * model.states
    couplings = torch.cat(columns, 1)[:wide, :wide]
    letters = torch.nn.functional.one_hot(torch.from_numpy(read.states).long(), 21).double()
    letters = letters[..., : model.states]
    weights = torch.from_numpy(read.weights)
    fields = tiles.fields(point).flatten()[:wide]
    if model.centered:
        frequencies = (weights[:, None, None] * letters).sum(0).flatten() / weights.sum()
        fields = fields - frequencies @ couplings
    logits = (letters.flatten(1) @ couplings + fields).view(n, length, model.states)
    likelihood = (weights[:, None] * (letters * torch.log_softmax(logits, -1)).sum(-1)).sum()
    penalty = model.fields * (fields**2).sum() + model.couplings * (couplings**2).sum() / 2
    return penalty - likelihood


@pytest.mark.parametrize("centered", [False, True])
@pytest.mark.parametrize("states", [20, 21])
@pytest.mark.parametrize("length", [1, 2, BLOCK, 2 * BLOCK + 1])
def test_value_and_gradient_are_those_of_the_definition(length, states, centered):
    """To 1e-12 in double precision; autograd shares no formula with the gradient."""
    read = family(length)
    function = objective(read, states, centered)
    point = random_point(function, length).requires_grad_()
    model = PottsModel(states, 0.3, 0.7, centered)
    expected = written_out(read, model, point, function.tiles)
    expected.backward()
    gradient = torch.empty_like(point)
    value = function(point.detach(), gradient)
    assert value == pytest.approx(float(expected.detach()), rel=1e-12)
    used = in_use(function.tiles)
    torch.testing.assert_close(gradient, point.grad * used, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("states", [20, 21])
def test_gradient_agrees_with_finite_differences(states):
    """To 1e-6 relative, the error of a central difference of step 1e-5."""
    function = objective(family(6), states, centered=True)
    point, ways = random_point(function, 6), random_point(function, 6, seed=1)
    gradient, unused = torch.empty_like(point), torch.empty_like(point)
    function(point, gradient)
    ahead, behind = function(point + 1e-5 * ways, unused), function(point - 1e-5 * ways, unused)
    assert float(gradient @ ways) == pytest.approx((ahead - behind) / 2e-5, rel=1e-6)


def test_centered_parameters_describe_the_same_model():
    read = family(7)
    plain, centered = objective(read), objective(read, centered=True)
    point, unused = random_point(plain, 7), torch.empty(plain.tiles.size, dtype=torch.float64)
    expected = plain(point.clone(), unused)
    assert centered(centered.center_(point), unused) == pytest.approx(expected, rel=1e-12)


def test_single_precision_is_near_double():
    """Sums of thousands of terms, each rounded to 6e-8."""
    read = family(9)
    exact, single = objective(read), objective(read, dtype=torch.float32)
    point = exact.start()
    values = [f(p, torch.empty_like(p)) for f, p in ((exact, point), (single, point.float()))]
    assert values[1] == pytest.approx(values[0], rel=1e-6)


def test_gaps_neither_predict_nor_are_predicted_with_twenty_states():
    """A column of gaps adds nothing, whatever its parameters are."""
    read = family(5)
    hollow = read.states.copy()
    hollow[:, 2] = 20
    function = objective(Family(hollow, read.weights, read.columns), states=20)
    point = torch.zeros(function.tiles.size, dtype=torch.float64)
    gradient = torch.empty_like(point)
    value = function(point, gradient)
    counted = read.weights @ (hollow < 20).sum(1)
    assert value == pytest.approx(counted * np.log(20))
    fields = function.tiles.fields(gradient).view(-1, 20)
    assert not fields[2].any()
    assert fields[1].any()


@pytest.mark.parametrize("states", [20, 21])
def test_the_start_is_the_best_model_without_couplings(states):
    """No field has a slope there, neither of common states nor of those that are never seen."""
    function = objective(family(6), states, centered=True)
    point = function.start()
    gradient = torch.empty_like(point)
    function(point, gradient)
    assert not function.tiles.couplings(point).any()
    assert function.tiles.fields(point).abs().max() > 1
    assert function.tiles.fields(gradient).abs().max() < 1e-10


def test_curvature_is_that_of_independent_positions():
    """Against the second derivative along single couplings, where those predictions hold.

    To a third: sequences at hand are not independent, and are few.
    """
    generator = np.random.default_rng(0)
    states = generator.integers(0, 3, size=(3000, 3)).astype(np.int8)
    read = Family(states, np.ones(3000), np.arange(3))
    function = Pseudolikelihood(read, PottsModel(21, 1e-6, 1e-6, True), CPU, torch.float64)
    point, step = function.start(), 1e-4
    scaled = function.divide_by_curvature_(torch.ones_like(point))
    before, after = torch.empty_like(point), torch.empty_like(point)
    function(point, before)
    for entry in (21 + 1, 2 * 21):  # tiles of one block: row (i, a), column (j, b) with i < j
        place = torch.zeros_like(point)
        function.tiles.couplings(place)[0, entry % 21, 21 + 1] = 1
        function(point + step * place, after)
        measured = float((after - before) @ place) / step
        assert float(1 / (scaled @ place)) == pytest.approx(measured, rel=0.33)
