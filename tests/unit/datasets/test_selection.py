import pytest

from harness.datasets.selection import Selection
from harness.errors import InputError

NAMES = [f"p{n:02}" for n in range(50)]


def test_all_are_chosen_by_default_and_sorted():
    assert Selection(None, None, 0, None, 0).scored(NAMES[::-1]) == NAMES


def test_a_subset_is_drawn_by_the_seed_whatever_the_order():
    drawn = Selection(None, 10, 0, None, 0).scored(NAMES)
    assert len(set(drawn)) == 10
    assert drawn == sorted(drawn) == Selection(None, 10, 0, None, 0).scored(NAMES[::-1])
    assert drawn != Selection(None, 10, 1, None, 0).scored(NAMES)


def test_a_larger_subset_holds_the_smaller():
    assert set(Selection(None, 10, 0, None, 0).scored(NAMES)) < set(
        Selection(None, 20, 0, None, 0).scored(NAMES)
    )


def test_ids_may_be_numbers():
    assert Selection([102], None, 0, None, 0).scored(["102", "x"]) == ["102"]


@pytest.mark.parametrize(
    ("selection", "complaint"),
    [
        (Selection(["p5"], None, 0, None, 0), "there is no 'p5'. Did you mean p45 or"),
        (Selection(None, 51, 0, None, 0), "subset is 51; allowed are 1 to 50"),
        (Selection(None, 0, 0, None, 0), "subset is 0; allowed are"),
        (Selection(None, None, 0, 0, 0), "limit is 0; allowed are 1 and more"),
    ],
)
def test_what_cannot_be_chosen_is_refused(selection, complaint):
    with pytest.raises(InputError, match=complaint):
        selection.scored(NAMES)


def test_what_is_set_aside_comes_from_what_a_subset_leaves():
    selection = Selection(None, 20, 0, None, 30)
    assert selection.scored(NAMES) == Selection(None, 20, 0, None, 0).scored(NAMES)
    assert sorted(selection.aside(NAMES) + selection.scored(NAMES)) == NAMES


def test_what_is_set_aside_comes_from_what_ids_leave():
    selection = Selection(["p01", "p02"], None, 0, None, 48)
    assert selection.scored(NAMES) == ["p01", "p02"]
    assert sorted([*selection.aside(NAMES), "p01", "p02"]) == NAMES


def test_without_either_it_is_not_scored():
    selection = Selection(None, None, 0, None, 5)
    assert len(selection.aside(NAMES)) == 5
    assert sorted(selection.aside(NAMES) + selection.scored(NAMES)) == NAMES


def test_the_seed_decides_and_more_add_to_fewer():
    drawn = [Selection(None, None, seed, None, 5).aside(NAMES) for seed in range(5)]
    assert len(set(map(tuple, drawn))) == 5
    assert Selection(None, 10, 0, None, 9).aside(NAMES)[:5] == drawn[0]


@pytest.mark.parametrize(
    ("subset", "ids", "labeled", "allowed"),
    [(20, None, 31, 30), (None, None, -1, 50), (None, ["p01"], 50, 49), (None, None, 51, 50)],
)
def test_more_than_there_are_cannot_be_set_aside(subset, ids, labeled, allowed):
    selection = Selection(ids, subset, 0, None, labeled)
    with pytest.raises(InputError, match=f"labeled is {labeled}; allowed are 0 to {allowed}"):
        selection.scored(NAMES)
