import numpy as np
import pytest

from harness import couplings


def random_tensor(length=5, states=4, seed=0):
    return np.random.default_rng(seed).normal(size=(length, states, length, states))


@pytest.mark.parametrize("over", ["all", "amino_acids", "none"])
def test_centering_leaves_zero_means_along_the_chosen_axes_only(over):
    centered = couplings.center(random_tensor(), over)
    axes = {"all": {0, 1, 2, 3}, "amino_acids": {1, 3}, "none": set()}[over]
    zero = {axis for axis in range(4) if np.abs(centered.mean(axis=axis)).max() < 1e-12}
    assert zero == axes


@pytest.mark.usefixtures("unchecked")
def test_centering_over_something_unknown_is_refused_with_what_is_allowed():
    with pytest.raises(ValueError, match=r"'rows'; allowed are \['all', 'amino_acids', 'none'\]"):
        couplings.center(random_tensor(), "rows")


@pytest.mark.parametrize("over", ["all", "amino_acids"])
def test_centering_and_symmetrization_commute(over):
    """Both are linear projections; 1e-12 is rounding of numbers of order one."""
    tensor = random_tensor()
    one = couplings.symmetrize(couplings.center(tensor, over))
    other = couplings.center(couplings.symmetrize(tensor), over)
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)


def test_symmetrization_exchanges_both_sides_of_the_pair():
    tensor = random_tensor()
    symmetric = couplings.symmetrize(tensor)
    assert symmetric[1, 2, 3, 0] == (tensor[1, 2, 3, 0] + tensor[3, 0, 1, 2]) / 2
    np.testing.assert_array_equal(symmetric, symmetric.transpose(2, 3, 0, 1))


def test_symmetrizing_the_tensor_is_not_symmetrizing_the_map():
    """Opposite blocks cancel in four dimensions, but their norms do not."""
    tensor = random_tensor()
    in_two = couplings.frobenius_norm(tensor)
    in_two = (in_two + in_two.T) / 2
    in_four = couplings.frobenius_norm(couplings.symmetrize(tensor))
    assert np.abs(in_two - in_four).max() > 0.1


def test_the_norm_runs_over_both_amino_acid_axes():
    tensor = np.zeros((2, 3, 2, 3))
    tensor[0, :2, 1, 0] = 3, 4
    assert couplings.frobenius_norm(tensor).tolist() == [[0, 5], [0, 0]]


def test_the_diagonal_becomes_zero():
    assert couplings.zero_diagonal(np.ones((2, 2))).tolist() == [[0, 1], [1, 0]]


def test_the_average_product_correction_by_hand():
    """Row sums 3, 4, 5 and total 12: 1 − 3·4/12, 2 − 3·5/12, 3 − 4·5/12."""
    scores = np.array([[0.0, 1, 2], [1, 0, 3], [2, 3, 0]])
    corrected = couplings.average_product_correction(scores)
    np.testing.assert_allclose(corrected[np.triu_indices(3, 1)], [0, 0.75, 4 / 3], atol=1e-15)


@pytest.mark.parametrize("value", [0.0, 1.0, -2.0])
def test_the_correction_of_a_constant_map_is_finite(value):
    corrected = couplings.average_product_correction(np.full((4, 4), value))
    np.testing.assert_allclose(corrected, 0, atol=1e-15)


def test_couplings_that_are_all_zero_give_scores_that_are_all_zero():
    assert not couplings.contact_scores(np.zeros((3, 4, 3, 4))).any()


def test_a_single_residue_has_a_contact_map_of_one_zero():
    assert couplings.contact_scores(random_tensor(length=1)).tolist() == [[0]]


def test_the_diagonal_of_the_norm_does_not_enter_the_correction():
    tensor = couplings.symmetrize(random_tensor())
    changed = tensor.copy()
    changed[range(5), :, range(5)] = 100
    np.testing.assert_array_equal(
        couplings.contact_scores(tensor), couplings.contact_scores(changed)
    )


@pytest.mark.parametrize(
    ("function", "argument"),
    [
        (lambda tensor: couplings.center(tensor, "all"), random_tensor()),
        (lambda tensor: couplings.center(tensor, "none"), random_tensor()),
        (couplings.symmetrize, random_tensor()),
        (couplings.frobenius_norm, random_tensor()),
        (couplings.contact_scores, random_tensor()),
        (couplings.zero_diagonal, np.ones((3, 3))),
        (couplings.average_product_correction, np.ones((3, 3))),
        (couplings.average_product_correction, np.zeros((3, 3))),
    ],
    ids=["center", "center_none", "symmetrize", "norm", "scores", "diagonal", "apc", "apc_of_zero"],
)
def test_a_function_returns_a_new_array_and_leaves_its_argument(function, argument):
    before = argument.copy()
    result = function(argument)
    result += 1
    np.testing.assert_array_equal(argument, before)
