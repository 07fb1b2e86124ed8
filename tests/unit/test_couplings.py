import pytest
import torch

from harness import couplings


def random_tensor(length=5, states=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    size = (length, states, length, states)
    return torch.randn(size, generator=generator, dtype=torch.float64)


def close(one, other, tolerance=1e-12):
    """Equal to rounding of numbers of order one in double precision."""
    torch.testing.assert_close(one, other, rtol=0, atol=tolerance)


@pytest.mark.parametrize("over", ["all", "amino_acids", "none"])
def test_centering_leaves_zero_means_along_the_chosen_axes_only(over):
    centered = couplings.center_(random_tensor(), over)
    axes = {"all": {0, 1, 2, 3}, "amino_acids": {1, 3}, "none": set()}[over]
    zero = {axis for axis in range(4) if centered.mean(axis).abs().max() < 1e-12}
    assert zero == axes


@pytest.mark.usefixtures("unchecked")
def test_centering_over_something_unknown_is_refused_with_what_is_allowed():
    with pytest.raises(ValueError, match=r"'rows'; allowed are \['all', 'amino_acids', 'none'\]"):
        couplings.center_(random_tensor(), "rows")


@pytest.mark.parametrize("over", ["all", "amino_acids"])
def test_centering_and_symmetrization_commute(over):
    """Both are linear projections."""
    one = couplings.symmetrize_(couplings.center_(random_tensor(), over))
    other = couplings.center_(couplings.symmetrize_(random_tensor()), over)
    close(one, other)


def test_symmetrization_exchanges_both_sides_of_the_pair():
    tensor = random_tensor()
    symmetric = couplings.symmetrize_(tensor.clone())
    assert symmetric[1, 2, 3, 0] == (tensor[1, 2, 3, 0] + tensor[3, 0, 1, 2]) / 2
    assert torch.equal(symmetric, symmetric.permute(2, 3, 0, 1))


def test_symmetrizing_the_tensor_is_not_symmetrizing_the_map():
    """Opposite blocks cancel in four dimensions, but their norms do not."""
    tensor = random_tensor()
    in_two = couplings.frobenius_norm(tensor)
    in_two = (in_two + in_two.T) / 2
    in_four = couplings.frobenius_norm(couplings.symmetrize_(tensor))
    assert (in_two - in_four).abs().max() > 0.1


def test_the_norm_runs_over_both_amino_acid_axes():
    tensor = torch.zeros(2, 3, 2, 3)
    tensor[0, :2, 1, 0] = torch.tensor([3.0, 4.0])
    assert couplings.frobenius_norm(tensor).tolist() == [[0, 5], [0, 0]]


def test_the_diagonal_becomes_zero():
    assert couplings.zero_diagonal(torch.ones(2, 2)).tolist() == [[0, 1], [1, 0]]


def test_the_average_product_correction_by_hand():
    """Row sums 3, 4, 5 and total 12: 1 − 3·4/12, 2 − 3·5/12, 3 − 4·5/12."""
    scores = torch.tensor([[0.0, 1, 2], [1, 0, 3], [2, 3, 0]], dtype=torch.float64)
    corrected = couplings.average_product_correction(scores)
    close(corrected[[0, 0, 1], [1, 2, 2]], torch.tensor([0, 0.75, 4 / 3], dtype=torch.float64))


@pytest.mark.parametrize("value", [0.0, 1.0, -2.0])
def test_the_correction_of_a_constant_map_is_finite(value):
    scores = torch.full((4, 4), value, dtype=torch.float64)
    close(couplings.average_product_correction(scores), torch.zeros_like(scores))


def test_a_map_whose_total_is_zero_is_not_corrected():
    scores = torch.tensor([[0.0, 1], [-1, 0]])
    assert torch.equal(couplings.average_product_correction(scores), scores)


def test_maps_are_corrected_together_as_they_are_one_at_a_time():
    """Among them one whose total is zero."""
    maps = torch.stack([random_tensor(length=6, states=1, seed=n).squeeze() for n in range(6)])
    maps[4] = 0
    single = [couplings.average_product_correction(scores) for scores in maps]
    together = couplings.average_product_correction(maps.view(2, 3, 6, 6))
    assert torch.equal(together, torch.stack(single).view(2, 3, 6, 6))


def test_diagonals_of_many_maps_become_zero_together():
    zeroed = couplings.zero_diagonal(torch.ones(2, 3, 4, 4))
    assert torch.equal(zeroed, (1 - torch.eye(4)).expand(2, 3, 4, 4))


def test_couplings_that_are_all_zero_give_scores_that_are_all_zero():
    assert not couplings.contact_scores(torch.zeros(3, 4, 3, 4)).any()


@pytest.mark.parametrize("apc", [True, False])
def test_a_single_residue_has_a_contact_map_of_one_zero(apc):
    assert couplings.contact_scores(random_tensor(length=1), apc).tolist() == [[0]]


def test_without_the_correction_scores_are_the_norm_less_its_diagonal():
    tensor = couplings.symmetrize_(random_tensor())
    expected = tensor.square().sum((1, 3)).sqrt()
    close(couplings.contact_scores(tensor, apc=False), expected.fill_diagonal_(0))
    assert (couplings.contact_scores(tensor, apc=True) - expected).abs().max() > 0.1


def test_scores_of_couplings_that_are_not_symmetric_are_the_mean_with_the_transpose():
    tensor = random_tensor()
    norm = tensor.square().sum((1, 3)).sqrt().fill_diagonal_(0)
    corrected = norm - norm.sum(1, keepdim=True) * norm.sum(0, keepdim=True) / norm.sum()
    corrected.fill_diagonal_(0)
    close(couplings.contact_scores(tensor), (corrected + corrected.T) / 2)


def test_the_diagonal_of_the_norm_does_not_enter_the_correction():
    tensor = couplings.symmetrize_(random_tensor())
    changed = tensor.clone()
    changed[range(5), :, range(5)] = 100
    assert torch.equal(couplings.contact_scores(tensor), couplings.contact_scores(changed))


@pytest.mark.parametrize(
    "function",
    [
        lambda tensor: couplings.center_(tensor, "all"),
        lambda tensor: couplings.center_(tensor, "none"),
        couplings.symmetrize_,
    ],
    ids=["center", "center_none", "symmetrize"],
)
def test_a_function_with_an_underscore_changes_its_argument_and_returns_it(function):
    tensor = random_tensor()
    assert function(tensor) is tensor
    assert torch.equal(tensor, function(random_tensor()))


@pytest.mark.parametrize(
    ("function", "argument"),
    [
        (couplings.frobenius_norm, random_tensor()),
        (couplings.contact_scores, random_tensor()),
        (couplings.zero_diagonal, torch.ones(3, 3)),
        (couplings.average_product_correction, torch.ones(3, 3)),
        (couplings.average_product_correction, torch.zeros(3, 3)),
    ],
    ids=["norm", "scores", "diagonal", "apc", "apc_of_zero"],
)
def test_any_other_function_returns_a_new_tensor_and_leaves_its_argument(function, argument):
    before = argument.clone()
    result = function(argument)
    result += 1
    assert torch.equal(argument, before)
