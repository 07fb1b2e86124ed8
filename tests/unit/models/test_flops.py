import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from harness.models.differentiation import one_gradient
from harness.models.flops import FlopCounts
from harness.models.network import Architecture, Network

ARCHITECTURES = [
    Architecture(1, 16, 2, True),
    Architecture(3, 60, 3, False),
    Architecture(2, 64, 4, True),
]
PASSES = {
    "logits": Network.residue_logits,
    "attention": Network.attention,
    "hidden 1": lambda network, residues: network.hidden(residues, 1),
    "gradient": one_gradient,
}


def products(architecture, length):
    """Multiplications of a pass to the logits, written out from the architecture."""
    width, tokens = architecture.width, length + 2
    projections = 4 * tokens * width**2  # queries, keys, values and what leaves attention
    attention = 2 * tokens**2 * width  # queries by keys, weights by values
    feed_forward = 2 * tokens * width * 4 * width
    head = length * (width**2 + 20 * width)
    return architecture.layers * (projections + attention + feed_forward) + head


@pytest.mark.parametrize("length", [1, 5, 50])
@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=lambda a: f"{a.layers}x{a.width}")
def test_a_pass_takes_two_operations_for_each_product(architecture, length):
    found = FlopCounts(architecture)("logits", length, Network.residue_logits)
    assert found == 2 * products(architecture, length)


@pytest.mark.parametrize("kind", PASSES)
@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=lambda a: f"{a.layers}x{a.width}")
def test_they_are_what_pytorch_counts_in_a_real_pass(architecture, kind):
    """With explicit attention: on a CPU the counter does not see the fused one."""
    network = Network(architecture).eval().requires_grad_(False)
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        PASSES[kind](network, torch.zeros(1, 7, dtype=torch.long))
    assert FlopCounts(architecture)(kind, 7, PASSES[kind]) == counter.get_total_flops() > 0


def test_a_gradient_costs_about_as_much_again_and_more():
    """A backward pass to the input has the products of the forward pass, attention's twice."""
    counts = FlopCounts(Architecture(2, 64, 4, True))
    once = counts("logits", 30, Network.residue_logits)
    assert 2 * once < counts("gradient", 30, one_gradient) < 2.2 * once


def test_each_kind_and_length_is_counted_once():
    counts, ran = FlopCounts(Architecture(1, 16, 2, True)), []

    def run(network, residues):
        ran.append(len(residues[0]))
        return network.residue_logits(residues)

    first = [counts(kind, length, run) for kind in "ab" for length in (3, 4)]
    assert [counts(kind, length, run) for kind in "ab" for length in (3, 4)] == first
    assert ran == [3, 4, 3, 4]


def test_counting_a_large_network_takes_no_memory_for_its_weights():
    """The shape of the 15-billion-parameter model: its weights alone would be 60 GB."""
    large = Architecture(48, 5120, 40, True)
    assert FlopCounts(large)("logits", 10, Network.residue_logits) == 2 * products(large, 10)
