import math

import pytest
import torch

from baselines.descent import HISTORY, gremlin_adam, lbfgs

SIZE = 40


class Quadratic:
    """(x − target)ᵀ A (x − target) / 2 + lowest, with a badly scaled A."""

    def __init__(self, scaled, lowest=3.0, dtype=torch.float64):
        generator = torch.Generator().manual_seed(0)
        root = torch.randn(SIZE, SIZE, generator=generator, dtype=dtype) / SIZE**0.5
        scales = torch.logspace(-2, 2, SIZE, dtype=dtype)
        mixed = (torch.eye(SIZE, dtype=dtype) + 0.3 * root @ root.T) * scales.sqrt()
        self.matrix = mixed * scales.sqrt()[:, None]
        self.target = torch.randn(SIZE, generator=generator, dtype=dtype)
        self.diagonal = self.matrix.diagonal() if scaled else torch.ones(SIZE, dtype=dtype)
        self.lowest, self.evaluations = lowest, 0

    def __call__(self, point, gradient):
        self.evaluations += 1
        torch.mv(self.matrix, point - self.target, out=gradient)
        return float(gradient @ (point - self.target)) / 2 + self.lowest

    def divide_by_curvature_(self, vector):
        return vector.div_(self.diagonal)

    def inverse_curvature_square(self, vector):
        return float(vector @ (vector / self.diagonal))


def origin(dtype=torch.float64):
    return torch.zeros(SIZE, dtype=dtype)


def test_it_finds_the_minimum():
    function = Quadratic(scaled=True)
    found = lbfgs(function, origin(), 1e-14, 200)
    assert found.converged
    assert found.objective == pytest.approx(function.lowest, rel=1e-12)
    torch.testing.assert_close(found.point, function.target, rtol=0, atol=1e-5)


def test_it_counts_what_it_spends():
    function = Quadratic(scaled=True)
    found = lbfgs(function, origin(), 1e-10, 200)
    assert found.evaluations == function.evaluations
    assert found.iterations < found.evaluations


def test_curvature_saves_evaluations():
    plain, scaled = Quadratic(scaled=False), Quadratic(scaled=True)
    for function in (plain, scaled):
        assert lbfgs(function, origin(), 1e-8, 1000).converged
    assert scaled.evaluations < plain.evaluations / 2


@pytest.mark.parametrize("iterations", [0, 1, HISTORY + 2])
def test_it_stops_after_the_iterations_and_says_so(iterations):
    found = lbfgs(Quadratic(scaled=False), origin(), 1e-14, iterations)
    assert (found.iterations, found.converged) == (iterations, False)
    assert found.gap > 1e-14


def test_the_values_are_those_of_the_point():
    function = Quadratic(scaled=True)
    found = lbfgs(function, origin(), 1e-14, 3)
    gradient = torch.empty(SIZE, dtype=torch.float64)
    assert function(found.point, gradient) == pytest.approx(found.objective)
    assert found.gradient_norm == pytest.approx(float(gradient.norm()))


def test_the_gap_estimates_what_is_left():
    """Within a factor of three, for a function whose curvature is known but for a mixture."""
    function = Quadratic(scaled=True)
    found = lbfgs(function, origin(), 1e-3, 200)
    left = (found.objective - function.lowest) / found.objective
    assert found.gap / 3 < left < 3 * found.gap


def test_it_ends_when_rounding_hides_every_decrease():
    """A minimum asked for beyond single precision: no endless search, no claim to be there."""
    function = Quadratic(scaled=True, lowest=1e6, dtype=torch.float32)
    found = lbfgs(function, origin(torch.float32), 0.0, 500)
    assert found.objective == pytest.approx(1e6, rel=1e-6)
    assert function.evaluations < 500 * 20


class Wall(Quadratic):
    """Infinite on the far side of the target: a full step may land there."""

    def __call__(self, point, gradient):
        value = super().__call__(point, gradient)
        return math.inf if (point - self.target).abs().max() > 3 else value


def test_it_comes_back_from_infinity():
    function = Wall(scaled=True)
    function.diagonal = function.diagonal / 100
    assert lbfgs(function, origin(), 1e-8, 300).converged


def test_adam_is_the_published_recursion():
    """Written out for a vector of two parts, of which the first stands twice in the full model."""
    function, point, rate = Quadratic(scaled=False), origin(), 0.5
    gremlin_adam(function, point, lambda v: [(v[:30], 2), (v[30:], 1)], rate, 5)
    expected, gradient = origin(), torch.empty(SIZE, dtype=torch.float64)
    mean, square = torch.zeros(SIZE, dtype=torch.float64), [0.0, 0.0]
    for _ in range(5):
        function(expected, gradient)
        mean = 0.9 * mean + 0.1 * gradient
        for k, (part, copies) in enumerate(((slice(0, 30), 2), (slice(30, SIZE), 1))):
            square[k] = 0.999 * square[k] + 0.001 * copies * float((gradient[part] ** 2).sum())
            expected[part] -= copies * rate * mean[part] / (square[k] ** 0.5 + 1e-8)
    torch.testing.assert_close(point, expected)
