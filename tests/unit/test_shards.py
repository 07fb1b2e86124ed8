"""One run cut into parts: what names one, and which proteins are whose."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest

from harness.errors import InputError
from harness.protein import Protein
from harness.protocols import Dataset, KnowsLengths
from harness.sample import Sample
from harness.shards import Shard, all_ids, balanced_parts, cut

METHOD = object()
"""Without a model: a protein costs the square of its length."""


@dataclass
class Chains:
    """Proteins of these lengths, which only their samples tell."""

    residues: Mapping[str, int]
    built: list[str] = field(default_factory=list)
    labeled_ids: list[str] = field(default_factory=lambda: ["aside"])
    version: str = "v1"
    manifest: Mapping[str, str] = field(default_factory=lambda: {"file": "ab"})

    @property
    def protein_ids(self):
        return list(self.residues)

    def __getitem__(self, identifier):
        self.built.append(identifier)
        length = self.residues[identifier]
        return Sample(Protein(identifier, "A" * length), np.zeros((length, length)))


class Measured(Chains):
    """The same with lengths that are known."""

    @property
    def lengths(self):
        return self.residues


@pytest.mark.parametrize(("text", "number", "of"), [("1/1", 1, 1), ("3/16", 3, 16)])
def test_a_shard_is_named_by_its_number_and_how_many_there_are(text, number, of):
    assert Shard.parse(text) == Shard(number, of)
    assert str(Shard(number, of)) == text


@pytest.mark.parametrize(
    "text",
    ["0/3", "4/3", "3", 3, "a/b", "1/0", "0/0", "-1/3", "1/3/3", " 1/3", "1.0/3", "", "¹/3", True],
)
def test_anything_else_is_refused_with_what_is_allowed(text):
    with pytest.raises(InputError) as caught:
        Shard.parse(text)
    message = str(caught.value)
    assert message.startswith(f"dataset.shard is {text}; allowed are null and k/n")
    assert message.endswith("dataset.shard=3/16")


def test_the_longest_go_first_each_to_the_part_with_the_least():
    assert balanced_parts([1, 5, 4, 3, 3], 2) == [[1, 4], [0, 2, 3]]


def test_equal_costs_go_round():
    assert balanced_parts([1.0] * 7, 3) == [[0, 3, 6], [1, 4], [2, 5]]


def test_what_costs_nothing_leaves_no_part_empty():
    assert balanced_parts([0.0] * 3, 3) == [[0], [1], [2]]


def test_a_shard_has_its_proteins_in_the_order_of_the_data_set():
    shards = [
        cut(Chains({"c": 2, "a": 9, "b": 4, "d": 5}), Shard(k, 2), METHOD).protein_ids
        for k in (1, 2)
    ]
    assert shards == [["a"], ["c", "b", "d"]]


def test_lengths_that_are_known_need_no_sample():
    dataset = Measured({"a": 3, "b": 2})
    assert isinstance(dataset, KnowsLengths)
    cut(dataset, Shard(1, 2), METHOD)
    assert dataset.built == []


def test_lengths_that_are_not_known_are_those_of_the_samples():
    dataset = Chains({"a": 3, "b": 2})
    assert not isinstance(dataset, KnowsLengths)
    assert cut(dataset, Shard(1, 2), METHOD).protein_ids == ["a"]
    assert dataset.built == ["a", "b"]


def test_everything_but_what_is_scored_is_that_of_the_whole():
    whole = Chains({"a": 3, "b": 2})
    shard = cut(whole, Shard(2, 2), METHOD)
    assert isinstance(shard, Dataset)
    assert (shard.version, shard.labeled_ids, shard.manifest) == ("v1", ["aside"], {"file": "ab"})
    assert (shard.protein_ids, all_ids(shard), all_ids(whole)) == (["b"], ["a", "b"], ["a", "b"])
    assert shard["b"].protein == whole["b"].protein


def test_more_shards_than_proteins_are_refused():
    with pytest.raises(InputError, match=r"shard is 1/3, and the data set holds 2 proteins: one "):
        cut(Measured({"a": 3, "b": 2}), Shard(1, 3), METHOD)
