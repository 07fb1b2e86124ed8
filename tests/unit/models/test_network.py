import pytest
import torch

from harness.alphabet import AMBIGUOUS_LETTERS, AMINO_ACIDS, MASK, UNKNOWN, encode
from harness.models.network import Architecture, Network
from harness.models.vocabulary import VOCABULARY


def network(token_dropout=True):
    torch.manual_seed(0)
    return Network(Architecture(2, 16, 2, token_dropout)).eval()


def residues(*sequences):
    return torch.stack([torch.from_numpy(encode(sequence)) for sequence in sequences])


def test_a_sequence_gets_twenty_logits_at_every_residue():
    assert network().residue_logits(residues("ACDEF", "FEDCA")).shape == (2, 5, 20)


def test_logits_come_in_the_order_of_our_alphabet():
    """The published vocabulary is ordered by frequency: L A G V S …"""
    tokens = VOCABULARY
    sequence = [tokens.index(token) for token in ("<cls>", *"ACDEF", "<eos>")]
    net = network()
    with torch.no_grad():
        every = net(torch.tensor([sequence]))[0, 1:-1]
        ours = net.residue_logits(residues("ACDEF"))[0]
    columns = [tokens.index(letter) for letter in AMINO_ACIDS]
    torch.testing.assert_close(ours, every[:, columns], rtol=0, atol=0)


def test_all_residues_outside_the_twenty_are_read_as_the_same_unknown_one():
    net = network()
    first, *others = (net.residue_logits(residues("A" + c + "A")) for c in AMBIGUOUS_LETTERS)
    assert all(torch.equal(first, other) for other in others)


def test_unknown_and_hidden_residues_are_read_differently():
    net = network()
    unknown = net.residue_logits(torch.tensor([[0, UNKNOWN, 0]]))
    hidden = net.residue_logits(torch.tensor([[0, MASK, 0]]))
    assert (unknown - hidden).abs().max() > 1e-3


def test_positions_matter():
    same = network().residue_logits(residues("AAAA"))[0]
    assert (same[0] - same[1]).abs().max() > 1e-4


def test_a_batch_gives_what_its_sequences_give_alone():
    """To rounding: matrices of another shape are added up in another order."""
    net, batch = network(), residues("ACDE", "GGGG", "K?RX")
    alone = torch.cat([net.residue_logits(batch[n : n + 1]) for n in range(3)])
    torch.testing.assert_close(net.residue_logits(batch), alone, rtol=0, atol=1e-6)


def test_token_dropout_scales_visible_embeddings_by_the_share_of_hidden_ones():
    """Two of eight tokens hidden, special ones included: 0.88 / 0.75."""
    mask = VOCABULARY.index("<mask>")
    tokens = torch.tensor([[0, 5, 6, mask, 7, mask, 8, 2]])
    net = network()
    embedded = net.embed(tokens)
    assert not embedded[0, [3, 5]].any()
    expected = net.embed_tokens(tokens)[0, 1] * 0.88 / 0.75
    torch.testing.assert_close(embedded[0, 1], expected)


def test_with_22_of_300_residues_visible_embeddings_grow_elevenfold():
    """A footgun to know of: the published models were trained so, and it is kept."""
    sequence = residues("A" * 22 + "?" * 278)
    vocabulary = VOCABULARY
    tokens = torch.full((1, 302), vocabulary.index("<mask>"))
    tokens[0, :23], tokens[0, -1] = vocabulary.index("A"), vocabulary.index("<eos>")
    net = network()
    factor = net.embed(tokens)[0, 1] / net.embed_tokens(tokens)[0, 1]
    torch.testing.assert_close(factor, torch.full((16,), 0.88 / (24 / 302)))
    assert factor[0] > 11
    assert torch.isfinite(net.residue_logits(sequence)).all()


def test_without_token_dropout_the_mask_has_an_embedding_of_its_own():
    net = network(token_dropout=False)
    tokens = torch.tensor([[0, 5, VOCABULARY.index("<mask>"), 2]])
    torch.testing.assert_close(net.embed(tokens), net.embed_tokens(tokens), rtol=0, atol=0)


@pytest.mark.parametrize("sequence", ["A", "?", "?" * 30, "X"])
def test_short_and_fully_hidden_sequences_have_finite_logits(sequence):
    assert torch.isfinite(network().residue_logits(residues(sequence))).all()


def test_the_output_matrix_is_the_embedding():
    net = network()
    assert net.lm_head.weight is net.embed_tokens.weight


@pytest.mark.parametrize("shape", [(0, 16, 2), (1, 0, 1), (1, 16, 0), (1, 10, 2), (1, 6, 2)])
def test_a_shape_that_rotary_positions_cannot_have_is_refused(shape):
    with pytest.raises(ValueError, match="a multiple of twice the number of heads"):
        Architecture(*shape, token_dropout=True)
