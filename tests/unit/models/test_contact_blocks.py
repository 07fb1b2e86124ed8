"""A block by itself against the same block of the whole map."""

import pytest
import torch

from harness.blocks import Block, Segment
from harness.contact_regression import ContactRegression, write_regression
from harness.errors import PrerequisiteError
from harness.models.contact_blocks import attend, block_probabilities
from harness.models.fair_esm import save_fair_esm
from harness.models.network import Architecture, Network
from harness.protocols import PredictsContacts
from tests.models import esm2

BLOCKS = [
    Block(Segment(0, 19), Segment(0, 19)),
    Block(Segment(3, 8), Segment(3, 8)),
    Block(Segment(0, 4), Segment(15, 19)),
    Block(Segment(2, 3), Segment(3, 9)),
]


def network(ends="kept", dtype=torch.float64):
    """A network with weights large enough for attention to differ."""
    torch.manual_seed(0)
    net = Network(Architecture(3, 24, 3, True)).to(dtype).eval().requires_grad_(False)
    net.stand_between(ends)
    for weights in net.parameters():
        weights += 0.3 * torch.randn_like(weights)
    return net


def head(channels=9):
    generator = torch.Generator().manual_seed(1)
    return ContactRegression(5 * torch.randn(channels, generator=generator), torch.tensor(-0.5))


def sequences(n=3, length=19):
    """Visible, unknown and hidden residues."""
    return torch.randint(22, (n, length), generator=torch.Generator().manual_seed(2))


def cut(maps, block):
    return maps[:, block.rows.start : block.rows.end, block.columns.start : block.columns.end]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("ends", ["kept", "masked", "absent"])
@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_is_that_of_the_whole_map(block, ends, dtype):
    """The map is corrected in float32 whatever the network computes in: 2e-5 on probabilities."""
    net, residues = network(ends, dtype), sequences()
    whole = torch.stack([head()(maps) for maps in net.attention(residues)])
    assert cut(whole, block).std() > 1e-3
    found = block_probabilities(net, head(), residues, block).to(whole.dtype)
    torch.testing.assert_close(found, cut(whole, block), rtol=0, atol=2e-5)


@pytest.mark.parametrize("scale", [1.0, 40.0, 1000.0])
def test_attention_is_right_however_large_its_scores_are(scale):
    """Above 64 or so exponentials would overflow as they are; beyond, the usual way is taken."""
    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(2, 3, 11, 8, generator=generator) for _ in range(3))
    q = q * scale
    values, columns = attend(q, k, v, [slice(0, 1), slice(4, 7)])
    weights = (q.double() @ k.double().mT / 8**0.5).softmax(-1)
    expected = weights[..., [0, 4, 5, 6]].float()
    torch.testing.assert_close(columns, expected, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(values, (weights @ v.double()).float(), rtol=1e-3, atol=1e-4)


def test_very_negative_scores_lose_nothing():
    q, k = torch.full((1, 1, 4, 8), 12.0), -torch.full((1, 1, 4, 8), 12.0)
    v = torch.randn(1, 1, 4, 8)
    values, columns = attend(q, k, v, [slice(0, 4)])
    torch.testing.assert_close(columns, torch.full((1, 1, 4, 4), 0.25))
    torch.testing.assert_close(values, v.mean(2, keepdim=True).expand_as(v))


@pytest.fixture
def checkpoint(tmp_path):
    save_fair_esm(network(dtype=torch.float32), tmp_path / "net.pt")
    return tmp_path / "net.pt"


def test_without_a_head_there_is_no_block(checkpoint):
    with pytest.raises(PrerequisiteError, match="holds no contact regression"):
        esm2(checkpoint).contact_blocks(sequences(), BLOCKS[0])


@pytest.mark.parametrize("tokens", [1, 50, 10_000])
def test_blocks_come_in_slices_that_do_not_change_them(checkpoint, tokens):
    write_regression(head(), checkpoint.with_name("net-contact-regression.pt"), {})
    model = esm2(checkpoint, tokens_per_batch=tokens)
    assert isinstance(model, PredictsContacts)
    residues = sequences(5)
    parts = list(model.contact_blocks(residues, BLOCKS[2]))
    assert [part.start for part, _ in parts] == list(range(0, 5, max(1, tokens // 21)))
    whole = torch.stack([model.contacts(row) for row in residues])
    found = torch.cat([scores for _, scores in parts])
    torch.testing.assert_close(found, cut(whole, BLOCKS[2]), rtol=0, atol=2e-5)


def test_a_block_costs_a_forward_pass_of_each_sequence(checkpoint):
    write_regression(head(), checkpoint.with_name("net-contact-regression.pt"), {})
    model = esm2(checkpoint)
    list(model.contact_blocks(sequences(5), BLOCKS[1]))
    assert (model.cost.forward_passes, model.cost.tokens) == (5, 5 * 21)
    spent = model.cost.flops
    model.contacts(sequences()[0])
    assert 0 < spent < 5 * (model.cost.flops - spent)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_moves_a_block_as_it_moves_the_map(checkpoint, dtype):
    write_regression(head(), checkpoint.with_name("net-contact-regression.pt"), {})
    model = esm2(checkpoint, dtype=dtype)
    ((_, found),) = model.contact_blocks(sequences(2), BLOCKS[1])
    whole = torch.stack([model.contacts(row) for row in sequences(2)])
    torch.testing.assert_close(found.float(), cut(whole, BLOCKS[1]).float(), rtol=0, atol=0.05)
