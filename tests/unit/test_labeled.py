from dataclasses import dataclass, field

import numpy as np
import pytest

from harness.errors import PrerequisiteError
from harness.labeled import LabeledProteins
from harness.protein import Protein
from harness.sample import Sample


@dataclass
class Proteins:
    """Six proteins set aside; remembers which were asked for."""

    protein_ids: list[str] = field(default_factory=lambda: ["scored"])
    labeled_ids: list[str] = field(default_factory=lambda: list("abcdef"))
    manifest: dict[str, str] = field(default_factory=dict)
    version: str = "1"
    asked: list[str] = field(default_factory=list)

    def __getitem__(self, identifier):
        self.asked.append(identifier)
        return Sample(Protein(identifier, "ACD"), np.zeros((3, 3)))


def drawn(n, seed=0):
    return LabeledProteins(Proteins(), n, seed).ids


def test_the_samples_are_those_of_the_ids_each_once():
    labeled = LabeledProteins(Proteins(), 4, 0)
    assert [sample.protein.id for sample in labeled] == labeled.ids
    assert len(set(labeled.ids)) == 4
    assert set(labeled.ids) <= set("abcdef")


def test_it_can_be_gone_through_again():
    labeled = LabeledProteins(Proteins(), 4, 0)
    first = [sample.protein.id for sample in labeled]
    assert [sample.protein.id for sample in labeled] == first


def test_nothing_but_what_was_drawn_is_built():
    proteins = Proteins()
    assert len(list(LabeledProteins(proteins, 2, 0))) == 2
    assert len(proteins.asked) == 2


def test_the_seed_decides_the_draw():
    assert drawn(3) == drawn(3)
    assert len({tuple(drawn(3, seed)) for seed in range(10)}) > 5


def test_more_proteins_add_to_fewer():
    assert drawn(5)[:3] == drawn(3)


def test_all_that_are_set_aside_can_be_drawn():
    assert sorted(drawn(6)) == list("abcdef")


def test_too_few_are_a_prerequisite_that_says_what_to_set():
    with pytest.raises(PrerequisiteError, match=r"7 .* wanted .* sets 6 aside: raise dataset\.lab"):
        drawn(7)


@pytest.mark.parametrize("n", [0, -1])
def test_no_labeled_protein_is_refused(n):
    with pytest.raises(ValueError, match=f"n is {n}; .* at least one"):
        LabeledProteins(Proteins(), n, 0)
