import pytest

from harness.datasets.selection import Selection
from harness.errors import InputError

NAMES = [f"p{n:02}" for n in range(50)]


def test_all_are_chosen_by_default_and_sorted():
    assert Selection(None, None, 0, None).of(NAMES[::-1]) == NAMES


def test_a_subset_is_drawn_by_the_seed_whatever_the_order():
    drawn = Selection(None, 10, 0, None).of(NAMES)
    assert len(set(drawn)) == 10
    assert drawn == sorted(drawn) == Selection(None, 10, 0, None).of(NAMES[::-1])
    assert drawn != Selection(None, 10, 1, None).of(NAMES)


def test_a_larger_subset_holds_the_smaller():
    assert set(Selection(None, 10, 0, None).of(NAMES)) < set(Selection(None, 20, 0, None).of(NAMES))


def test_ids_may_be_numbers():
    assert Selection([102], None, 0, None).of(["102", "x"]) == ["102"]


@pytest.mark.parametrize(
    ("selection", "complaint"),
    [
        (Selection(["p5"], None, 0, None), "there is no 'p5'. Did you mean p45 or"),
        (Selection(None, 51, 0, None), "subset is 51; allowed are 1 to 50"),
        (Selection(None, 0, 0, None), "subset is 0; allowed are"),
        (Selection(None, None, 0, 0), "limit is 0; allowed are 1 and more"),
    ],
)
def test_what_cannot_be_chosen_is_refused(selection, complaint):
    with pytest.raises(InputError, match=complaint):
        selection.of(NAMES)
