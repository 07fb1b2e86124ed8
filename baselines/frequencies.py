"""How often states occur in the columns of a family, alone and in pairs."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int8
from numpy import ndarray

from baselines.family import Family
from harness.alphabet import N_STATES

ROWS = 4096
"""Rows counted at once."""


def frequencies(family: Family, pseudocount: float) -> Float[ndarray, "K 21"]:
    """f_i(a), the weighted share of state a in column i.

    `pseudocount` is the share of a uniform distribution that is mixed in: λ / (λ + N_eff), where
    Morcos et al. (PNAS 2011) add λ sequences in all, λ / q to each of q states.
    """
    length = family.states.shape[1]
    places = N_STATES * np.arange(length) + family.states
    weights = np.repeat(family.weights, length)
    counts = np.bincount(places.reshape(-1), weights, length * N_STATES).reshape(length, N_STATES)
    return (1 - pseudocount) * counts / family.neff + pseudocount / N_STATES


def pair_frequencies(
    family: Family, pseudocount: float
) -> Iterator[tuple[int, Float[ndarray, "21 J 21"]]]:
    """For each column i in turn: i, and f_ij(a, b) as (a, j, b) for the J = K − i columns j ≥ i.

    `pseudocount` is mixed in as in `frequencies`: λ / q² to each pair of states, and to f_ii what
    makes it f_i on the diagonal and 0 beside it. Counted in double precision.
    """
    columns = np.ascontiguousarray(family.states.T)
    single = frequencies(family, pseudocount)
    for i in range(len(columns)):
        joint = _pair_counts(columns[i:], family.weights).transpose(1, 0, 2)
        joint *= (1 - pseudocount) / family.neff
        joint += pseudocount / N_STATES**2
        joint[:, 0] = np.diag(single[i])
        yield i, joint


def counting_memory(rows: int, columns: int) -> int:
    """Bytes that counting takes besides its results.

    Three tables of 8 bytes, columns × `ROWS`, three of one column against all, and the alignment.
    """
    return 24 * columns * (min(rows, ROWS) + N_STATES**2) + 9 * columns * rows


def _pair_counts(
    columns: Int8[ndarray, "J N"], weights: Float[ndarray, " N"]
) -> Float[ndarray, "J 21 21"]:
    """Weighted counts of the states (a, b) of the first column and of each one."""
    n_pairs = N_STATES**2
    offsets = n_pairs * np.arange(len(columns))[:, None]
    counts = np.zeros(len(columns) * n_pairs)
    for start in range(0, len(weights), ROWS):
        block = columns[:, start : start + ROWS]
        # column by column, so that the counters in use stay in the fastest cache
        pairs = N_STATES * block[0].astype(np.int64) + offsets
        pairs += block
        repeated = np.tile(weights[start : start + ROWS], len(columns))
        counts += np.bincount(pairs.reshape(-1), repeated, len(counts))
    return counts.reshape(-1, N_STATES, N_STATES)
