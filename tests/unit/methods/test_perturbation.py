import pytest
import torch

from harness import device
from harness.alphabet import AMINO_ACIDS, encode
from harness.errors import PrerequisiteError
from harness.methods.perturbation import directions, gathered, substitutions


@pytest.mark.parametrize(("center", "number"), [("all", 19), ("amino_acids", 19), ("none", 20)])
def test_directions_are_orthonormal_and_as_many_as_there_are_dimensions(center, number):
    products = directions(center) @ directions(center).T
    torch.testing.assert_close(products, torch.eye(number, dtype=torch.float64))


@pytest.mark.parametrize("center", ["all", "amino_acids"])
def test_where_amino_acids_are_centered_directions_are_contrasts_between_them(center):
    sums = directions(center).sum(1)
    torch.testing.assert_close(sums, torch.zeros_like(sums), rtol=0, atol=1e-12)


def test_contrasts_there_and_back_subtract_the_mean():
    x, basis = torch.arange(20.0, dtype=torch.float64) ** 2, directions("all")
    torch.testing.assert_close(x @ basis.T @ basis, x - x.mean())


def test_a_residue_is_substituted_by_all_others_an_unknown_one_by_all_a_hidden_one_by_none():
    sites, substitutes = substitutions(torch.from_numpy(encode("AX?V")), AMINO_ACIDS)
    assert sites.tolist() == [0] * 19 + [1] * 20 + [3] * 19
    assert substitutes.tolist() == [*range(1, 20), *range(20), *range(19)]


def test_substitutes_can_be_chosen_and_keep_their_order():
    sites, substitutes = substitutions(torch.from_numpy(encode("AX?V")), "VA")
    assert sites.tolist() == [0, 1, 1, 3]
    assert substitutes.tolist() == [19, 19, 0, 0]


def test_answers_are_gathered_at_their_rows_whatever_slices_they_come_in():
    rows = torch.tensor([0, 2, 2]), torch.tensor([1, 0, 1])
    answers = torch.arange(1.0, 4.0)[:, None]
    slices = [(slice(0, 2), answers[:2]), (slice(2, 3), answers[2:])]
    found = gathered(iter(slices), rows, (3, 2, 1))[..., 0]
    assert found.tolist() == [[0, 1], [0, 0], [2, 3]]


@pytest.mark.parametrize(
    ("given", "held"),
    [
        (torch.float16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_answers_are_held_in_single_precision_at_least(given, held):
    rows = torch.tensor([0]), torch.tensor([0])
    assert gathered([(slice(0, 1), torch.ones(1, 1, dtype=given))], rows, (1, 1, 1)).dtype == held


def test_no_answers_are_zeros():
    nothing = torch.zeros(0, dtype=torch.int64)
    assert torch.equal(gathered([], (nothing, nothing), (2, 1)), torch.zeros(2, 1))


def test_derivatives_that_do_not_fit_are_refused(monkeypatch):
    monkeypatch.setattr(device, "free_memory", lambda where: 100)
    rows = torch.tensor([0]), torch.tensor([0])
    with pytest.raises(PrerequisiteError, match="a tensor of 3 × 20 × 3 × 20 derivatives needs"):
        gathered([(slice(0, 1), torch.zeros(1, 3, 20))], rows, (3, 20, 3, 20))
