import json

import numpy as np
import pytest

from harness.blocks import Block, Segment
from harness.errors import InputError, PrerequisiteError
from harness.evaluations.targets import Listed, Nearby, Single, SsePair
from harness.protein import Protein
from harness.sample import Sample

LENGTH = 60


def sample(length=LENGTH, states=None, name="p"):
    return Sample(Protein(name, "A" * length), np.full((length, length), 20.0), states)


def single(**changes):
    settings = {"size": 6, "threshold": None, "margin": 10, "most": 100, "seed": 0, "path": None}
    return Single(**(settings | changes))


def nearby(**changes):
    settings = {"size": 4, "apart": 6, "threshold": None, "most": 3, "seed": 0, "path": None}
    return Nearby(**(settings | changes))


def pairs(**changes):
    settings = {"size": 5, "helix": 7, "strand": 3, "nearest": 10, "farthest": 30, "seed": 0}
    settings |= {"threshold": None, "margin": 3, "most": 100, "path": None}
    return SsePair(**(settings | changes))


def starts(blocks):
    return sorted(block.rows.start for block in blocks)


def bright(*blocks):
    """A map of zeros with ones in these blocks and their mirror images."""
    scores = np.zeros((LENGTH, LENGTH))
    for block in blocks:
        block.of(scores)[:] = 1
        block.of(scores.T)[:] = 1
    return scores


def on_diagonal(start, size=6):
    segment = Segment(start, start + size)
    return Block(segment, segment)


def listed(tmp_path, content):
    path = tmp_path / "targets.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return str(path)


def test_single_blocks_keep_more_than_the_margin_on_either_side():
    found = single()(np.zeros((LENGTH, LENGTH)), sample())
    assert starts(found) == list(range(11, 44))
    assert {len(block.rows) for block in found} == {6}
    assert all(block.on_diagonal for block in found)


def test_single_blocks_add_up_to_more_than_the_threshold():
    scores = bright(on_diagonal(20))
    assert starts(single(threshold=35.9)(scores, sample())) == [20]
    assert starts(single(threshold=36)(scores, sample())) == []
    assert starts(single(threshold=24.9)(scores, sample())) == [19, 20, 21]


def test_the_choice_is_that_of_the_published_script():
    """Its loop, written anew: sums above 15, starts above 10 and below L - 22 - 10."""
    generator = np.random.default_rng(0)
    scores = generator.random((LENGTH, LENGTH)) ** 20
    size = 22
    expected = [
        i
        for i in range(LENGTH - size + 1)
        if scores[i : i + size, i : i + size].sum() > 22 and 10 < i < LENGTH - size - 10
    ]
    found = single(size=size, threshold=22)(scores, sample())
    assert starts(found) == expected
    assert 3 < len(expected) < 16


def test_of_many_blocks_a_few_are_drawn_by_seed_and_protein():
    scores = np.zeros((LENGTH, LENGTH))
    found = single(most=3)(scores, sample())
    assert len(set(found)) == 3
    assert found == single(most=3)(scores, sample())
    assert found != single(most=3, seed=1)(scores, sample())
    assert found != single(most=3)(scores, sample(name="q"))


@pytest.mark.parametrize("length", [1, 5, 6, 26])
@pytest.mark.parametrize("targets", [single(), pairs()], ids=["single", "pairs"])
def test_a_protein_shorter_than_block_and_margins_has_no_target(targets, length):
    assert targets(np.zeros((length, length)), sample(length, "H" * length)) == []


def test_nearby_windows_are_found_up_to_both_ends():
    found = nearby(most=1000)(np.zeros((LENGTH, LENGTH)), sample())
    assert starts(found) == list(range(LENGTH - 9))
    assert {block.columns.start - block.rows.start for block in found} == {6}


def test_nearby_windows_are_spread_over_the_protein():
    found = nearby()(np.zeros((LENGTH, LENGTH)), sample())
    first, second, third = (block.rows.start for block in found)
    assert second == max((0, 50), key=lambda end: abs(end - first))
    assert min(abs(third - first), abs(third - second)) >= 10


def test_nearby_windows_are_dense_and_may_be_fewer():
    block = Block(Segment(30, 34), Segment(36, 40))
    assert nearby(threshold=15)(bright(block), sample()) == [block]
    assert nearby(threshold=16)(bright(block), sample()) == []


STATES = (
    "CC" + "H" * 8 + "C" * 10 + "E" * 4 + "C" * 11 + "H" * 7 + "EEE" + "C" * 5 + "E" * 5 + "CCCCC"
)


def test_elements_are_long_runs_and_have_their_centers_in_the_middle():
    assert len(STATES) == LENGTH
    assert pairs().centers(STATES) == [6, 22, 52]


def test_pairs_are_of_elements_as_far_apart_as_asked_for():
    def centers(**changes):
        found = pairs(**changes)(np.zeros((LENGTH, LENGTH)), sample(states=STATES))
        return sorted((block.rows.center, block.columns.center) for block in found)

    assert centers() == [(6, 22), (22, 52)]
    assert centers(farthest=29) == [(6, 22)]
    assert centers(farthest=None) == [(6, 22), (6, 52), (22, 52)]
    assert centers(nearest=16) == [(22, 52)]
    assert centers(margin=4) == [(22, 52)]
    assert centers(margin=5) == []


def test_pairs_have_a_dense_block():
    block = Block(Segment(20, 25), Segment(50, 55))
    assert pairs(threshold=24)(bright(block), sample(states=STATES)) == [block]


def test_pairs_need_secondary_structure():
    with pytest.raises(InputError, match=r"p has no secondary structure to choose pairs by: use"):
        pairs()(np.zeros((LENGTH, LENGTH)), sample())


@pytest.mark.parametrize("changes", [{"size": 4}, {"size": 11, "nearest": 10}])
def test_windows_need_a_center_and_must_not_overlap(changes):
    with pytest.raises(ValueError, match="size must be odd"):
        pairs(**changes)
    with pytest.raises(ValueError, match="apart is 3; windows of 4 residues overlap"):
        nearby(apart=3)


@pytest.mark.parametrize(
    ("targets", "entry", "block"),
    [
        (single, 31, on_diagonal(31)),
        (nearby, 7, Block(Segment(7, 11), Segment(13, 17))),
        (pairs, [9, 33], Block(Segment(7, 12), Segment(31, 36))),
        (Listed, [1, 3, 5, 9], Block(Segment(1, 3), Segment(5, 9))),
        (Listed, [1, 3, 1, 3], on_diagonal(1, 2)),
    ],
)
def test_listed_targets_are_taken_as_they_are(tmp_path, targets, entry, block):
    path = listed(tmp_path, {"p": [entry], "q": []})
    found = targets(path=path)
    assert found(np.zeros((LENGTH, LENGTH)), sample()) == [block]
    assert found(np.zeros((LENGTH, LENGTH)), sample(name="q")) == []
    assert found(np.zeros((LENGTH, LENGTH)), sample(name="unlisted")) == []
    assert list(found.listed.entries) == ["p", "q"]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("31", "p: 31 is not 4 whole numbers"),
        ([1, 2, 3], r"p: \[1, 2, 3\] is not 4 whole numbers"),
        ([1, 3, 5, 9.5], "is not 4 whole numbers"),
        ([1, 3, True, 9], "is not 4 whole numbers"),
        ([3, 1, 5, 9], "holds none"),
        ([-1, 1, 5, 9], "holds none"),
        ([1, 6, 5, 9], "overlap, or are not in order"),
    ],
)
def test_a_listed_target_that_is_none_is_refused_by_file_and_protein(tmp_path, entry, message):
    found = Listed(listed(tmp_path, {"p": [entry]}))
    with pytest.raises(InputError, match=message) as caught:
        found(np.zeros((LENGTH, LENGTH)), sample())
    assert str(caught.value).startswith(str(tmp_path))


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "not JSON"), ([1], "expected {protein id"), ({"p": 3}, "expected {protein id")],
)
def test_a_file_of_another_layout_is_refused(tmp_path, content, message):
    with pytest.raises(InputError, match=message):
        _ = Listed(listed(tmp_path, content)).listed.entries


def test_a_list_that_is_not_there_is_a_prerequisite(tmp_path):
    with pytest.raises(PrerequisiteError, match=r"nowhere.json is not there"):
        _ = Listed(str(tmp_path / "nowhere.json")).listed.entries
