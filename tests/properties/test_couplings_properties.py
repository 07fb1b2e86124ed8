import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from harness import couplings

NUMBERS = st.floats(-100, 100, width=32)


@st.composite
def tensors(draw):
    length, states = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    shape = (length, states, length, states)
    return torch.from_numpy(draw(arrays(np.float64, shape, elements=NUMBERS)))


@st.composite
def maps(draw):
    """Symmetric, not negative, with zero diagonal: as norms are."""
    length = draw(st.integers(1, 6))
    values = draw(arrays(np.float64, (length, length), elements=st.floats(0, 100, width=32)))
    upper = torch.from_numpy(np.triu(values, 1))
    return upper + upper.T


def close(one, other, rtol=0.0, atol=0.0):
    torch.testing.assert_close(one, other, rtol=rtol, atol=atol)


@given(maps())
def test_the_corrected_map_is_symmetric_and_its_rows_sum_to_zero(scores):
    """Σ_j (S_ij − S_i S_j / S) = S_i − S_i: nothing is left of a residue's background."""
    corrected = couplings.average_product_correction(scores)
    assert corrected.isfinite().all()
    close(corrected, corrected.T, atol=1e-12)
    close(corrected.sum(1), torch.zeros(len(scores), dtype=torch.float64), atol=1e-9)


@given(maps(), st.floats(0.01, 100))
def test_the_correction_keeps_the_unit_of_the_scores(scores, factor):
    scaled = couplings.average_product_correction(factor * scores)
    expected = factor * couplings.average_product_correction(scores)
    close(scaled, expected, rtol=1e-9, atol=1e-9)


@given(tensors())
def test_the_norm_sees_neither_sign_nor_order_of_the_amino_acids(tensor):
    norm = couplings.frobenius_norm(tensor)
    close(couplings.frobenius_norm(-tensor), norm)
    close(couplings.frobenius_norm(tensor.flip(1, 3)), norm, rtol=1e-12)


@given(tensors())
def test_the_norm_of_symmetric_couplings_is_symmetric(tensor):
    norm = couplings.frobenius_norm(couplings.symmetrize_(tensor))
    close(norm, norm.T, rtol=1e-12)


@given(tensors())
def test_symmetrizing_twice_is_symmetrizing_once(tensor):
    once = couplings.symmetrize_(tensor)
    close(couplings.symmetrize_(once.clone()), once)


@given(tensors(), st.sampled_from(["all", "amino_acids"]))
def test_centering_twice_is_centering_once(tensor, over):
    once = couplings.center_(tensor, over)
    close(couplings.center_(once.clone(), over), once, atol=1e-10)


@given(tensors(), st.sampled_from(["all", "amino_acids"]), st.floats(-10, 10))
def test_centering_forgets_what_does_not_depend_on_both_residues(tensor, over, shift):
    """A field of one residue, added to all its couplings, is a change of gauge."""
    field = shift * torch.arange(tensor.shape[1])[None, :, None, None]
    found = couplings.center_(tensor + field, over)
    close(found, couplings.center_(tensor, over), atol=1e-9)


@given(tensors())
def test_scores_keep_the_contract(tensor):
    scores = couplings.contact_scores(tensor)
    assert scores.isfinite().all()
    assert not scores.diagonal().any()
    close(scores, scores.T)
