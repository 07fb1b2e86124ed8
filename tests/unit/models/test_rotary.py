import pytest
import torch

from harness.models.rotary import RotaryEmbedding, rotate

DIM = 8


def published(x, inv_freq):
    """fair-esm's way: x · cos + (−second half, first half) · sin. x is (T, H, D)."""
    angles = torch.outer(torch.arange(len(x)).float(), inv_freq).repeat(1, 2)[:, None]
    first, second = x.chunk(2, dim=-1)
    return x * angles.cos() + torch.cat((-second, first), dim=-1) * angles.sin()


def draw(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def test_the_channels_are_those_of_the_published_rotation_pair_by_pair():
    rotary, x = RotaryEmbedding(DIM), draw(5, 3, DIM)
    expected = published(x, rotary.inv_freq)
    found = rotate(x, rotary(torch.arange(len(x))))
    torch.testing.assert_close(found[..., 0::2], expected[..., : DIM // 2], rtol=0, atol=1e-6)
    torch.testing.assert_close(found[..., 1::2], expected[..., DIM // 2 :], rtol=0, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_has_the_same_order_of_channels(dtype):
    rotary, x = RotaryEmbedding(DIM), draw(5, 3, DIM)
    found = rotate(x.to(dtype), rotary(torch.arange(len(x))))
    assert found.dtype == dtype
    torch.testing.assert_close(
        found.float(), rotate(x, rotary(torch.arange(len(x)))), rtol=0, atol=0.03
    )


def test_products_depend_on_the_distance_alone():
    """The same two vectors, five tokens apart, wherever they stand."""
    turns = RotaryEmbedding(DIM)(torch.arange(40))
    q, k = (draw(2, DIM)[n].expand(40, 1, DIM) for n in range(2))
    products = (rotate(q, turns)[5:] * rotate(k, turns)[:-5]).sum((1, 2))
    torch.testing.assert_close(products, products[:1].expand(35), rtol=0, atol=1e-5)


def test_another_length_has_its_own_table():
    rotary = RotaryEmbedding(DIM)
    assert [len(rotary(torch.arange(n))) for n in (3, 7, 3)] == [3, 7, 3]


def test_a_table_made_in_inference_mode_serves_training_too():
    rotary = RotaryEmbedding(DIM)
    with torch.inference_mode():
        rotary(torch.arange(4))
    x = draw(4, 1, DIM).requires_grad_()
    rotate(x, rotary(torch.arange(len(x)))).sum().backward()
    assert x.grad.abs().max() > 0
