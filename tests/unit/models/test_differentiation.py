import pytest
import torch
from torch.autograd.functional import jacobian

from harness.alphabet import encode
from harness.models.differentiation import FORWARD, REVERSE, placed
from harness.models.network import Architecture, Network

SEQUENCES = ["MKVL", "M", "MX?W", "??"]
LENGTH = 4
UNITS = torch.eye(LENGTH * 20, dtype=torch.float64).view(-1, LENGTH, 20)

both = pytest.mark.parametrize("mode", [REVERSE, FORWARD], ids=["reverse", "forward"])


def network(token_dropout=True, dtype=torch.float64):
    torch.manual_seed(0)
    return Network(Architecture(2, 16, 2, token_dropout)).to(dtype).eval().requires_grad_(False)


def residues(sequence="MKVL"):
    return torch.from_numpy(encode(sequence))


def whole(mode, net, sequence):
    """All derivatives: logits (L, 20) by inputs (L, 20)."""
    length = len(sequence)
    units = torch.eye(length * 20, dtype=torch.float64).view(-1, length, 20)
    found = mode.linearize(net, residues(sequence))(units).view(length, 20, length, 20)
    return found.permute(2, 3, 0, 1) if mode is FORWARD else found


@both
@pytest.mark.parametrize("token_dropout", [True, False])
@pytest.mark.parametrize("sequence", SEQUENCES)
def test_it_is_the_jacobian_that_pytorch_computes_one_output_at_a_time(
    mode, sequence, token_dropout
):
    net, x = network(token_dropout), torch.zeros(len(sequence), 20, dtype=torch.float64)
    expected = jacobian(lambda x: net.relaxed_logits(residues(sequence), x), x)
    torch.testing.assert_close(whole(mode, net, sequence), expected, rtol=1e-9, atol=1e-9)


@both
def test_it_is_the_limit_of_finite_differences(mode):
    """Central ones, of a step whose square is their error."""
    net, step = network(), 1e-5
    for i, a in [(0, 3), (2, 19), (3, 0)]:
        x = step * UNITS[i * 20 + a]
        up, down = (net.relaxed_logits(residues(), change) for change in (x, -x))
        found = whole(mode, net, "MKVL")[:, :, i, a]
        torch.testing.assert_close(found, (up - down) / (2 * step), rtol=1e-4, atol=1e-4)


@both
def test_a_whole_step_to_another_residue_is_what_the_relaxed_input_means(mode):
    net, x = network(), torch.zeros(4, 20, dtype=torch.float64)
    one, other = residues("MKVL"), residues("MRVL")
    x[1, one[1]], x[1, other[1]] = -1, 1
    expected = net.residue_logits(other[None])[0]
    torch.testing.assert_close(net.relaxed_logits(one, x), expected, rtol=1e-9, atol=1e-9)
    assert mode.linearize(net, one)(x[None]).shape == (1, 4, 20)


@both
def test_vectors_of_a_batch_do_not_see_each_other(mode):
    linear_map = mode.linearize(network(), residues())
    together = linear_map(UNITS[:7])
    apart = torch.cat([linear_map(unit[None]) for unit in UNITS[:7]])
    torch.testing.assert_close(together, apart, rtol=1e-9, atol=1e-9)


@both
def test_the_answer_has_the_precision_of_the_network_and_no_graph(mode):
    found = mode.linearize(network(dtype=torch.float32), residues())(UNITS[:2])
    assert found.dtype == torch.float32
    assert not found.requires_grad


@both
def test_compiled_layers_are_differentiated_as_they_were_written(mode):
    """Derivatives of what is compiled cannot be taken in batches."""
    net, compiled = network(), network()
    for layer in compiled.layers:
        layer.compile(backend="aot_eager")
    assert torch.equal(*(mode.linearize(each, residues())(UNITS[:2]) for each in (net, compiled)))


def test_a_vector_is_placed_at_its_position_and_is_zero_elsewhere():
    directions = torch.arange(40.0).view(2, 20)
    vectors = placed(torch.tensor([2, 0]), directions, 3)
    assert torch.equal(vectors[0, 2], directions[0])
    assert torch.equal(vectors[1, 0], directions[1])
    assert torch.equal(vectors.sum(1), directions)
