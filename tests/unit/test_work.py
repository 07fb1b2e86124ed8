"""Work of a protein: what a method declares, or its pairs."""

from harness.work import passes_of, work_of


class Counting:
    def __call__(self, protein):
        raise AssertionError("nothing is computed")

    def passes(self, length):
        return 19 * length + 1


def test_a_method_that_counts_its_passes_costs_passes_times_residues():
    assert work_of(Counting(), 10) == 191 * 10


def test_a_method_without_a_model_costs_its_pairs():
    assert work_of(object(), 10) == 100


def test_passes_are_what_the_method_says_and_unknown_where_it_says_nothing():
    assert passes_of(Counting(), 10) == 191
    assert passes_of(object(), 10) is None
