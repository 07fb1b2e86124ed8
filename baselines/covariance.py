"""Covariance of a one-hot encoded family, and minus its inverse: couplings of linear models."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.linalg import lapack

from baselines.family import Family
from baselines.frequencies import counting_memory, frequencies, pair_frequencies
from harness.errors import InputError

ROWS_COPIED = 256
"""Rows of a matrix copied at once."""


def covariance(
    family: Family, states: int, pseudocount: float
) -> Float[ndarray, "K {states} K {states}"]:
    """f_ij(a, b) − f_i(a) f_j(b) for the first `states` states, where i ≤ j; zeros below.

    The pseudocount is that of `frequencies`, as in Morcos et al. (PNAS 2011) and, by the name of a
    uniform prior with the weight `pseudocount`, in Baldassi et al. (PLoS ONE 2014).
    """
    length = family.states.shape[1]
    upper = np.zeros((length, states, length, states))
    single = frequencies(family, pseudocount)[:, :states]
    for i, joint in pair_frequencies(family, pseudocount):
        upper[i, :, i:] = joint[:states, :, :states] - np.multiply.outer(single[i], single[i:])
    return upper


def minus_inverse_(upper: Float[ndarray, "K A K A"], remedy: str) -> Float[ndarray, "K A K A"]:
    """Minus the inverse of a positive definite matrix given by its upper triangle, in its place.

    By its Cholesky factor: M³ operations, for M = K · A, and no memory besides. When the matrix is
    singular, InputError offers the remedy.
    """
    size = upper.shape[0] * upper.shape[1]
    matrix = upper.reshape(size, size)
    # LAPACK stores columns, so to it this is the lower triangle
    factor, info = lapack.dpotrf(matrix.T, lower=True, clean=False, overwrite_a=True)
    if info == 0:
        inverse, info = lapack.dpotri(factor, lower=True, overwrite_c=True)
    if info != 0:
        raise InputError(f"the covariance is singular to rounding; {remedy}")
    result = _mirrored_(inverse.T)
    np.negative(result, out=result)
    return result.reshape(upper.shape)


def inversion_memory(rows: int, columns: int, states: int) -> int:
    """Bytes of covariance and inverse: 8 · M · (M + 256), M = columns · states, and the counting.

    The one takes the place of the other; 256 rows are copied at a time.
    """
    size = columns * states
    return 8 * size * (size + ROWS_COPIED) + counting_memory(rows, columns)


def _mirrored_(upper: Float[ndarray, "M M"]) -> Float[ndarray, "M M"]:
    """The matrix with its upper triangle copied to the lower one, in blocks."""
    for start in range(0, len(upper), ROWS_COPIED):
        rows = slice(start, start + ROWS_COPIED)
        upper[rows, :start] = upper[:start, rows].T
        corner = np.triu(upper[rows, rows])
        upper[rows, rows] = corner + np.triu(corner, 1).T
    return upper
