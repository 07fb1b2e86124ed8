"""How far two contact maps agree."""

from dataclasses import dataclass

import numpy as np
from numpy import ndarray
from scipy.stats import spearmanr

MIN_SEPARATION = 6


@dataclass(frozen=True)
class Agreement:
    """Of one map with a reference."""

    max_relative: float
    """Largest difference, relative to the largest entry of the reference."""
    spearman: float
    """Rank correlation over all pairs."""
    top_l: float
    """Share of the L best pairs, at least 6 apart, that the two have in common."""


def agreement(found: ndarray, reference: ndarray) -> Agreement:
    """The agreement of two symmetric maps (L, L)."""
    difference = np.abs(found - reference).max() / np.abs(reference).max()
    pairs = np.triu_indices(len(found), 1)
    correlation = spearmanr(found[pairs], reference[pairs]).statistic
    first, second = _best(found), _best(reference)
    return Agreement(difference, correlation, len(first & second) / len(first))


def _best(scores: ndarray) -> set[int]:
    """The L best pairs, each as its index in the list of those far enough apart."""
    far = scores[np.triu_indices(len(scores), MIN_SEPARATION)]
    return set(np.argsort(-far, kind="stable")[: len(scores)].tolist())
