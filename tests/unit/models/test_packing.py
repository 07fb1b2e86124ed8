import pytest
import torch

from harness.models import packing
from harness.models.network import Architecture, Network
from harness.models.packing import PackedLinear, prepare

RESIDUES = torch.arange(20)[None].repeat(2, 1)

CPU = torch.device("cpu")


def network():
    torch.manual_seed(0)
    return Network(Architecture(2, 32, 2, True)).eval().requires_grad_(False)


def packed_layers(net):
    return [module for module in net.modules() if isinstance(module, PackedLinear)]


def test_prepared_the_network_gives_the_same_logits():
    expected = network().residue_logits(RESIDUES)
    net = prepare(network(), torch.float32, CPU, compiled=False)
    with torch.inference_mode():
        found = net.residue_logits(RESIDUES)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_on_a_cpu_in_single_precision_every_product_with_weights_is_packed():
    """Four of each layer, queries, keys and values being one, and the dense layer of the head."""
    assert len(packed_layers(prepare(network(), torch.float32, CPU, compiled=False))) == 2 * 4 + 1


def test_weights_beyond_the_limit_are_not_copied(monkeypatch):
    monkeypatch.setattr(packing, "_PACKED_BYTES", 1000)
    assert packed_layers(prepare(network(), torch.float32, CPU, compiled=False)) == []


def test_derivatives_pass_through_packed_layers():
    """Outside inference mode the layer itself computes."""
    x = torch.randn(3, 32, requires_grad=True)
    layer = network().layers[0].fc2
    packed = prepare(network(), torch.float32, CPU, compiled=False).layers[0].fc2
    wide = x.repeat(1, 4)
    (expected,) = torch.autograd.grad(layer(wide).sum(), x, retain_graph=True)
    (found,) = torch.autograd.grad(packed(wide).sum(), x)
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float16, 0.002), (torch.bfloat16, 0.02)], ids=str
)
def test_in_half_precision_logits_are_near_and_come_in_single_precision(dtype, tolerance):
    """Of the largest logit: three decimal digits in float16, two in bfloat16."""
    expected = network().residue_logits(RESIDUES)
    net = prepare(network(), dtype, CPU, compiled=False)
    with torch.inference_mode():
        found = net.residue_logits(RESIDUES)
        maps = net.attention(RESIDUES)
    assert found.dtype == maps.dtype == torch.float32
    assert net.layers[0].fc1.weight.dtype == dtype
    assert 0 < (found - expected).abs().max() < tolerance * expected.abs().max()


def test_the_frequencies_of_the_positions_stay_in_single_precision():
    before = network().layers[1].self_attn.rot_emb.inv_freq
    after = (
        prepare(network(), torch.bfloat16, CPU, compiled=False).layers[1].self_attn.rot_emb.inv_freq
    )
    assert torch.equal(before, after)
