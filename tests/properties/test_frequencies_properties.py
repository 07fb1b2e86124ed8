"""What holds for the frequencies and the information of any weighted family."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from baselines.family import Family
from baselines.frequencies import frequencies, pair_frequencies
from baselines.mutual_information import MutualInformation
from harness.alphabet import GAP

SHARES = st.sampled_from([0.0, 0.1, 0.5])


@st.composite
def families(draw: st.DrawFn) -> Family:
    """One to twelve weighted rows of one to six columns."""
    shape = (draw(st.integers(1, 12)), draw(st.integers(1, 6)))
    states = draw(npst.arrays(np.int8, shape, elements=st.integers(0, GAP)))
    weights = draw(npst.arrays(np.float64, shape[0], elements=st.floats(0.01, 1)))
    return Family(states, weights, np.arange(shape[1]))


def information(family: Family, pseudocount: float) -> np.ndarray:
    """Mutual information before the correction."""
    filters = {"column_gaps": None, "row_gaps": None, "depth": None, "seed": 0}
    method = MutualInformation(pseudocount=pseudocount, weight_identity=None, **filters)
    return method.strengths(family).numpy()


@given(family=families(), share=SHARES)
def test_frequencies_are_shares(family: Family, share: float) -> None:
    single = frequencies(family, share)
    assert (single >= 0).all()
    np.testing.assert_allclose(single.sum(axis=1), 1, rtol=1e-12)
    for _, joint in pair_frequencies(family, share):
        assert (joint >= 0).all()
        np.testing.assert_allclose(joint.sum(axis=(0, 2)), 1, rtol=1e-12)


@given(family=families(), share=SHARES, factor=st.floats(0.1, 10))
def test_only_relative_weights_count(family: Family, share: float, factor: float) -> None:
    scaled = Family(family.states, factor * family.weights, family.columns)
    expected = frequencies(family, share)
    np.testing.assert_allclose(frequencies(scaled, share), expected, atol=1e-12)


@given(family=families(), share=SHARES)
def test_information_is_symmetric_and_no_more_than_a_column_holds(
    family: Family, share: float
) -> None:
    """The information of a column about itself is its entropy."""
    shared = information(family, share)
    np.testing.assert_array_equal(shared, shared.T)
    assert shared.min() >= -1e-12
    entropies = np.diagonal(shared)
    assert (shared <= np.minimum.outer(entropies, entropies) + 1e-12).all()
