"""What is done in blocks of rows equals what is done at once; half precision only stores."""

import pytest
import torch

from harness import couplings

LENGTHS = [1, 2, 31, 33, 70, 129, 200]  # from 128 on blocks have several rows and leave a rest


def random_tensor(length, states=3):
    generator = torch.Generator().manual_seed(length)
    size = (length, states, length, states)
    return torch.randn(size, generator=generator, dtype=torch.float64)


@pytest.fixture(params=LENGTHS, ids=lambda length: f"L{length}")
def tensor(request):
    return random_tensor(request.param)


def test_symmetrization_in_blocks_is_symmetrization_at_once(tensor):
    """To the last bit, and exactly symmetric."""
    expected = (tensor + tensor.permute(2, 3, 0, 1)) / 2
    assert torch.equal(couplings.symmetrize_(tensor), expected)
    assert torch.equal(tensor, tensor.permute(2, 3, 0, 1))


@pytest.mark.parametrize(("over", "axes"), [("all", (0, 1, 2, 3)), ("amino_acids", (1, 3))])
def test_centering_in_blocks_is_centering_at_once(tensor, over, axes):
    """To 1e-12: means are added up in another order."""
    expected = tensor.clone()
    for axis in axes:
        expected -= expected.mean(axis, keepdim=True)
    torch.testing.assert_close(couplings.center_(tensor, over), expected, rtol=0, atol=1e-12)


def test_the_norm_in_blocks_is_the_norm_at_once(tensor):
    expected = tensor.square().sum((1, 3)).sqrt()
    torch.testing.assert_close(couplings.frobenius_norm(tensor), expected, rtol=1e-14, atol=0)


def test_a_norm_beyond_half_precision_is_found():
    """300² exceeds 65,504, the largest number of half precision."""
    tensor = torch.full((2, 1, 2, 1), 300.0, dtype=torch.float16)
    assert tensor.square().isinf().all()
    assert couplings.frobenius_norm(tensor).tolist() == [[300, 300], [300, 300]]


def test_a_norm_below_half_precision_is_found():
    """(2⁻¹³)² = 2⁻²⁶ is less than half of 2⁻²⁴, the smallest number of half precision."""
    tensor = torch.full((2, 4, 2, 4), 2.0**-13, dtype=torch.float16)
    assert not tensor.square().any()
    assert couplings.frobenius_norm(tensor).tolist() == [[2.0**-11, 2.0**-11]] * 2


def test_a_sum_beyond_half_precision_does_not_harm_the_mean():
    """Forty numbers of 2,000 add up to 80,000; less their mean, nothing is left."""
    tensor = torch.full((40, 1, 40, 1), 2000.0, dtype=torch.float16)
    assert (tensor * 40).isinf().all()
    assert not couplings.center_(tensor, "all").any()


def test_a_centered_half_is_the_single_rounded_once():
    """All four means are subtracted in single precision before anything is rounded."""
    stored = random_tensor(33).half()
    exact = couplings.center_(stored.float(), "all")
    assert torch.equal(couplings.center_(stored.clone(), "all"), exact.half())
    step_by_step = stored.clone()
    for axis in range(4):
        step_by_step -= step_by_step.mean(axis, keepdim=True)
    assert not torch.equal(step_by_step, exact.half())


def test_half_precision_is_kept_and_scores_come_in_double_precision():
    tensor = random_tensor(5).half()
    assert couplings.center_(tensor, "all").dtype == torch.float16
    assert couplings.symmetrize_(tensor).dtype == torch.float16
    assert couplings.frobenius_norm(tensor).dtype == torch.float32
    assert couplings.contact_scores(tensor).dtype == torch.float64
