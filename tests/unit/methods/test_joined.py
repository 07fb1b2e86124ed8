from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from harness.errors import InputError
from harness.methods.joined import Joined, JoinedCouplings, joined
from harness.models.fair_esm import save_fair_esm
from harness.models.network import Architecture, Network
from harness.protein import Protein
from harness.protocols import ContactMethod, CouplingMethod, ReportsFacts
from tests.models import RandomModel, esm2, jacobian_method

PAIR = Protein("p", "ACDEFGHIK", breaks=(5,))
THREE = Protein("p", "ACDEFGHIK", breaks=(2, 6))
SINGLE = Protein("p", "ACDEFGHIK")


@dataclass
class Remembering:
    """Scores i + j, and the proteins that were asked for."""

    asked: list[Protein] = field(default_factory=list)
    facts: dict[str, float] = field(default_factory=lambda: {"depth": 3.0})

    def __call__(self, protein):
        self.asked.append(protein)
        return np.add.outer(np.arange(len(protein)), np.arange(len(protein))).astype(float)


@pytest.fixture
def model(tmp_path):
    torch.manual_seed(0)
    save_fair_esm(Network(Architecture(2, 8, 2, True)), tmp_path / "net.pt")
    return esm2(tmp_path / "net.pt")


def test_a_protein_of_one_chain_is_read_as_it_is():
    inner = Remembering()
    Joined(inner, RandomModel(), "GGG", 0)(SINGLE)
    assert inner.asked == [SINGLE]


@pytest.mark.parametrize(
    ("protein", "linked", "own"),
    [
        (PAIR, "ACDEFGGGGHIK", [0, 1, 2, 3, 4, 8, 9, 10, 11]),
        (THREE, "ACGGGDEFGGGGHIK", [0, 1, 5, 6, 7, 8, 12, 13, 14]),
    ],
)
def test_the_linker_stands_between_chains_and_leaves_the_map(protein, linked, own):
    inner = Remembering()
    scores = Joined(inner, RandomModel(), "GGG", 0)(protein)
    assert inner.asked[0].sequence == linked
    assert inner.asked[0].breaks == ()
    np.testing.assert_array_equal(scores, np.add.outer(own, own))


def test_hidden_residues_stay_hidden():
    inner = Remembering()
    Joined(inner, RandomModel(), "GG", 0)(PAIR.masked([0, 8]))
    assert inner.asked[0].sequence == "A????GG???K"


def test_the_gap_moves_each_further_chain(model):
    seen = []

    def method(protein):
        seen.append(model._network.positions(len(protein) + 2, torch.device("cpu")).tolist())
        return np.zeros((len(protein), len(protein)))

    Joined(method, model, "GG", 100)(THREE)
    # one for the beginning; A C G G | D E F G G G … with 100 more, the third chain with 200
    expected = [0, 1, 2, 3, 4, 105, 106, 107, 108, 109, 110, 211, 212, 213, 214]
    assert seen == [expected]


def test_chains_far_apart_are_strangers_to_the_positions(model):
    method = jacobian_method(model)
    near, far = (Joined(method, model, "", gap)(PAIR) for gap in (0, 300))
    assert not np.allclose(near, far)
    np.testing.assert_array_equal(near, method(SINGLE))


def test_positions_are_as_before_when_it_is_over(model):
    method = jacobian_method(model)
    before = method(SINGLE)
    Joined(method, model, "GG", 50)(PAIR)
    np.testing.assert_array_equal(method(SINGLE), before)


def test_couplings_leave_the_linker_out(model):
    method = joined(jacobian_method(model), model, "GG", 0)
    assert isinstance(method, JoinedCouplings)
    assert isinstance(method, CouplingMethod)
    couplings = method.couplings(PAIR)
    whole = jacobian_method(model).couplings(Protein("p", "ACDEFGGGHIK"))
    own = [0, 1, 2, 3, 4, 7, 8, 9, 10]
    np.testing.assert_array_equal(couplings, whole[own][:, :, own])
    np.testing.assert_array_equal(
        method(PAIR), Joined(jacobian_method(model), model, "GG", 0)(PAIR)
    )
    assert method.couplings(SINGLE).shape == (9, 20, 9, 20)


def test_facts_are_those_of_the_method():
    method = joined(Remembering(), RandomModel(), "GG", 0)
    assert isinstance(method, ReportsFacts)
    assert method.facts == {"depth": 3.0}
    assert joined(jacobian_method(), RandomModel(), "GG", 0).facts == {}
    assert isinstance(joined(lambda protein: np.zeros((1, 1)), RandomModel(), "", 0), ContactMethod)


@pytest.mark.parametrize(
    ("linker", "gap", "complaint"),
    [
        ("GG-", 0, "linker is 'GG-'; allowed are letters"),
        ("gg", 0, "linker is 'gg'; allowed are letters"),
        ("G", -1, "gap is -1; allowed are 0 and more"),
        ("G", 5, "gap is 5, and this model has no positions; leave gap=0"),
    ],
)
def test_what_cannot_join_is_refused(linker, gap, complaint):
    with pytest.raises(ValueError, match=complaint):
        Joined(Remembering(), RandomModel(), linker, gap)


def test_a_linker_counts_for_the_context(model):
    model._running.context = 12
    with pytest.raises(InputError, match="14 residues is beyond the context of 12"):
        Joined(jacobian_method(model), model, "GGGGG", 0)(PAIR)
