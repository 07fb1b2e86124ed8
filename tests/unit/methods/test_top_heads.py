import numpy as np
import pytest

from harness.errors import InputError, PrerequisiteError
from harness.labeled import LabeledProteins
from harness.methods.attention import Attention
from harness.methods.top_heads import TopHeads
from harness.metrics import RANGES, precision_at, rank_pairs
from tests.unit.methods.conftest import HEADS, LAYERS, Known, distances


def top(model, labeled, **changes):
    settings = {"k": 1, "contact": "cb8", "range": "min3", "apc": True} | changes
    return TopHeads(model, labeled, **settings)


@pytest.mark.parametrize("apc", [True, False])
def test_the_best_head_is_the_one_that_knows(model, labeled, unseen, apc):
    expected = Attention(model, 1, 1, apc)(unseen)
    np.testing.assert_array_equal(top(model, labeled, apc=apc)(unseen), expected)


def test_heads_are_ranked_by_their_mean_precision_and_then_averaged(model, labeled, unseen):
    heads = [(layer, head) for layer in range(LAYERS) for head in range(HEADS)]

    def mean_precision(layer, head):
        method = Attention(model, layer, head, True)
        truth = {sample.protein.id: sample for sample in labeled}
        return np.mean(
            [
                precision_at(rank_pairs(method(s.protein), s.distances, RANGES["min3"], 8.0), 1)
                for s in truth.values()
            ]
        )

    best = sorted(heads, key=lambda head: -mean_precision(*head))[:3]
    expected = np.mean([Attention(model, *head, True)(unseen) for head in best], axis=0)
    np.testing.assert_allclose(top(model, labeled, k=3)(unseen), expected, atol=1e-6)


def test_all_heads_are_the_mean_of_all(model, labeled, unseen):
    found = top(model, labeled, k=LAYERS * HEADS)(unseen)
    np.testing.assert_allclose(found, Attention(model, None, None, True)(unseen), atol=1e-6)


def test_the_choice_costs_a_pass_for_each_labeled_protein_once(model, labeled, unseen):
    method = top(model, labeled)
    method(unseen)
    method(unseen)
    assert model.cost.forward_passes == 4 + 2


def test_what_is_not_resolved_does_not_count(model, unseen):
    class HalfKnown(Known):
        def __getitem__(self, identifier):
            return Known(identifier == "a").__getitem__(identifier)

    method = top(model, LabeledProteins(HalfKnown(), 5, 0))
    np.testing.assert_array_equal(method(unseen), Attention(model, 1, 1, True)(unseen))


def test_labeled_proteins_without_any_answer_are_an_error(model, unresolved, unseen):
    with pytest.raises(InputError, match="no labeled protein has a valid pair of range min3"):
        top(model, unresolved)(unseen)


def test_more_heads_than_there_are_is_an_error(model, labeled, unseen):
    with pytest.raises(InputError, match="k is 7; this model has 6 heads"):
        top(model, labeled, k=7)(unseen)


def test_too_few_labeled_proteins_are_a_prerequisite(model, labeled, unseen):
    with pytest.raises(PrerequisiteError, match=r"raise dataset\.labeled=N"):
        top(model, LabeledProteins(labeled.dataset, 6, 0))(unseen)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"k": 0}, "k is 0; allowed are 1"),
        ({"contact": "cb9"}, "contact='cb9'; allowed are cb8"),
        ({"range": "min4"}, "range 'min4'; allowed are .*min3"),
    ],
)
def test_bad_settings_are_refused(model, labeled, change, complaint):
    with pytest.raises(ValueError, match=complaint):
        top(model, labeled, **change)


def test_the_labeled_proteins_have_contacts_to_find():
    assert all((distances(number) < 8).any() for number in range(5))
