import pytest
import torch

from harness.alphabet import encode
from harness.errors import InputError
from harness.models.fair_esm import save_fair_esm
from harness.models.network import Architecture, Network
from tests.models import esm2

RESIDUES = torch.from_numpy(encode("ACDEF"))[None].repeat(3, 1)
SITES, SUBSTITUTES = torch.tensor([0, 0, 3, 4, 2, 1, 0]), torch.tensor([5, 6, 0, 19, 7, 3, 5])


@pytest.fixture
def checkpoint(tmp_path):
    """The file of a small network."""
    torch.manual_seed(0)
    save_fair_esm(Network(Architecture(2, 8, 2, True)), tmp_path / "net.pt")
    return tmp_path / "net.pt"


def test_positions_counted_from_0_are_those_that_need_not_be_given(checkpoint):
    model = esm2(checkpoint)
    with model.at(torch.arange(5)):
        given = model.logits(RESIDUES)
    assert torch.equal(given, model.logits(RESIDUES))


def test_a_shift_of_all_positions_changes_nothing(checkpoint):
    model = esm2(checkpoint)
    with model.at(torch.arange(5) + 700):
        shifted = model.logits(RESIDUES)
    torch.testing.assert_close(shifted, model.logits(RESIDUES), rtol=0, atol=1e-5)


def test_a_gap_between_positions_changes_every_readout(checkpoint):
    model, gap = esm2(checkpoint), torch.tensor([0, 1, 2, 30, 31])
    one = RESIDUES[0]

    def readouts():
        mutants = torch.cat([part for _, part in model.substituted_logits(one, SITES, SUBSTITUTES)])
        slopes = model.gradients(one, SITES, torch.eye(20)[: len(SITES)])
        found = [model.logits(RESIDUES), model.hidden(RESIDUES, 1), model.attention(one), mutants]
        return [*found, torch.cat([part for _, part in slopes])]

    plain = readouts()
    with model.at(gap):
        apart = readouts()
    assert all((a - b).abs().max() > 1e-6 for a, b in zip(plain, apart, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(plain, readouts(), strict=True))


def test_mutants_stand_where_the_sequence_stands(checkpoint):
    """The shared first layer against whole passes of every mutant."""
    model, one = esm2(checkpoint), RESIDUES[0]
    rows = one.repeat(len(SITES), 1)
    rows[torch.arange(len(SITES)), SITES] = SUBSTITUTES
    with model.at(torch.tensor([0, 1, 2, 30, 31])):
        found = torch.cat([part for _, part in model.substituted_logits(one, SITES, SUBSTITUTES)])
        torch.testing.assert_close(found, model.logits(rows), rtol=0, atol=1e-5)


@pytest.mark.parametrize("positions", [[], [0, 0, 1], [2, 1, 3], [-1, 0, 1]])
def test_positions_must_increase_from_0(checkpoint, positions):
    given = torch.tensor(positions, dtype=torch.long)
    with pytest.raises(ValueError, match="do not increase from 0 or more"):
        esm2(checkpoint).at(given).__enter__()


def test_positions_of_another_protein_are_refused(checkpoint):
    model = esm2(checkpoint)
    with model.at(torch.arange(4)), pytest.raises(ValueError, match="positions of 4 residues were"):
        model.logits(RESIDUES)


def test_a_learned_position_beyond_the_last_is_refused():
    torch.manual_seed(0)
    network = Network(Architecture(1, 8, 2, True, learned_positions=7, normalize_embeddings=True))
    assert network.residue_logits(RESIDUES).shape == (3, 5, 20)
    with pytest.raises(InputError, match="a token stands at 7, and this model has learned 7 pos"):
        network.residue_logits(torch.zeros(1, 6, dtype=torch.long))
