"""Parts of about equal cost, whatever the proteins cost and however many parts there are."""

from hypothesis import given
from hypothesis import strategies as st

from harness.shards import balanced_parts

WORKS = st.lists(st.integers(1, 10**7), min_size=1, max_size=60)
PARTS = st.integers(1, 12)


def sums(works, parts):
    return [sum(works[place] for place in part) for part in parts]


@given(WORKS, PARTS)
def test_every_protein_is_in_one_part_and_in_order(works, n):
    parts = balanced_parts(works, n)
    assert len(parts) == n
    assert sorted(place for part in parts for place in part) == list(range(len(works)))
    assert all(part == sorted(part) for part in parts)


@given(WORKS, PARTS)
def test_no_part_is_empty_where_there_are_enough_proteins(works, n):
    assert sum(bool(part) for part in balanced_parts(works, n)) == min(n, len(works))


@given(WORKS, PARTS)
def test_parts_differ_by_no_more_than_one_protein_costs(works, n):
    found = sums(works, balanced_parts(works, n))
    assert max(found) - min(found) <= max(works)


@given(WORKS, PARTS)
def test_the_largest_part_is_close_to_the_least_that_is_possible(works, n):
    """Graham's bound; the least possible is no less than the mean and the largest protein."""
    largest = max(sums(works, balanced_parts(works, n)))
    assert largest <= sum(works) / n + (1 - 1 / n) * max(works) + 1e-6
    if len(works) <= n:
        assert largest == max(works)


@given(st.lists(st.integers(1, 100), min_size=1, max_size=8), st.integers(2, 3))
def test_of_few_proteins_the_largest_part_is_within_a_third_of_the_best(works, n):
    largest = max(sums(works, balanced_parts(works, n)))
    assert 3 * n * largest <= (4 * n - 1) * _best(works, n)


@given(WORKS, PARTS)
def test_the_parts_are_the_same_every_time(works, n):
    assert balanced_parts(works, n) == balanced_parts([float(work) for work in works], n)


def _best(works, n):
    """The least possible largest sum, by trying everything."""
    found = {(0,) * n}
    for work in works:
        found = {
            tuple(sorted((*held[:k], held[k] + work, *held[k + 1 :])))
            for held in found
            for k in range(n)
        }
    return min(max(held) for held in found)
