import pytest
import torch

from harness.models.muon import StackedMuon, orthogonalized

SHAPES = [(8, 8)] * 3 + [(32, 8)] * 2 + [(8, 32)]


def test_the_steps_are_those_of_torch():
    torch.manual_seed(0)
    ours = [torch.nn.Parameter(torch.randn(shape)) for shape in SHAPES]
    theirs = [torch.nn.Parameter(matrix.detach().clone()) for matrix in ours]
    stacked = StackedMuon(ours, 0.02)
    single = torch.optim.Muon(theirs, lr=0.02, weight_decay=0.0)
    for _ in range(4):
        for a, b in zip(ours, theirs, strict=True):
            a.grad = torch.randn_like(a)
            b.grad = a.grad.clone()
        stacked.step()
        single.step()
    for a, b in zip(ours, theirs, strict=True):
        assert torch.allclose(a, b, atol=1e-4)  # bfloat16 products may be summed in another order


def test_a_matrix_without_a_gradient_stays():
    matrices = [torch.nn.Parameter(torch.ones(4, 4)) for _ in range(2)]
    matrices[0].grad = torch.eye(4)
    StackedMuon(matrices, 0.1).step()
    assert torch.equal(matrices[1].detach(), torch.ones(4, 4))
    assert not torch.equal(matrices[0].detach(), torch.ones(4, 4))


@pytest.mark.parametrize("shape", [(2, 6, 6), (3, 4, 10), (2, 10, 4)])
def test_singular_values_come_near_one(shape):
    """Between 0.5 and 1.5, as Jordan et al. (2024) say of these coefficients; 0.3 for rounding."""
    stack = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonalized(stack).float())
    assert values.min() > 0.3
    assert values.max() < 1.5
