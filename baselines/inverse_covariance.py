"""Inverse covariance of an alignment: the multivariate Gaussian model of coevolution."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from scipy.linalg import lapack

from harness.alignment import Alignment, check_query, read_alignment, sequence_weights, subsample
from harness.alphabet import AMINO_ACIDS, MASK_LETTER, N_STATES
from harness.couplings import contact_scores
from harness.errors import PrerequisiteError
from harness.protein import Protein


@dataclass(frozen=True)
class InverseCovariance:
    """Couplings = −(C + ridge/√N)⁻¹ of the one-hot alignment with 21 states.

    As in the published script of Zhang et al. (PNAS 2024), where ridge is 4.5 and every sequence
    counts the same. With `weight_identity`, a sequence counts 1 / (number of sequences at least so
    similar to it), and N is the sum of these weights. `depth` keeps the query and a random subset
    of the other sequences (all of them when none).
    """

    ridge: float
    weight_identity: float | None
    depth: int | None
    seed: int

    def __post_init__(self) -> None:
        if self.ridge <= 0:
            raise ValueError(f"ridge is {self.ridge}; it must be positive")
        if self.weight_identity is not None and not 0 < self.weight_identity <= 1:
            given = f"weight_identity is {self.weight_identity}"
            raise ValueError(f"{given}; allowed are fractions above 0, up to 1, or null")
        if self.depth is not None and self.depth < 1:
            raise ValueError(f"depth is {self.depth}; allowed are 1 and more, or null")

    def __call__(self, protein: Protein) -> Float[ndarray, "L L"]:
        """Contact scores: Frobenius norm over the twenty amino acids, APC; zero where hidden."""
        return contact_scores(torch.from_numpy(self.couplings(protein))).numpy()

    def couplings(self, protein: Protein) -> Float[ndarray, "L 20 L 20"]:
        """Couplings between amino acids, the gap state left out; zero at hidden residues."""
        alignment = subsample(_alignment(protein), self.depth, self.seed)
        weights = np.ones(alignment.depth)
        if self.weight_identity is not None:
            weights = sequence_weights(alignment.states, self.weight_identity)
        couplings = _gaussian_couplings(alignment.states, weights, self.ridge)
        hidden = [i for i, letter in enumerate(protein.sequence) if letter == MASK_LETTER]
        couplings[hidden] = 0
        couplings[:, :, hidden] = 0
        return couplings


def _alignment(protein: Protein) -> Alignment:
    if protein.alignment is None:
        raise PrerequisiteError(
            f"protein {protein.id} has no alignment, and this method needs one: put an msa.a3m "
            "beside its structure, or choose a method that reads the sequence alone"
        )
    alignment = read_alignment(protein.alignment)
    check_query(alignment, protein.sequence, protein.alignment)
    return alignment


def _gaussian_couplings(
    states: Int[ndarray, "N L"], weights: Float[ndarray, " N"], ridge: float
) -> Float[ndarray, "L 20 L 20"]:
    length = states.shape[1]
    covariance = _one_hot_covariance(states, weights)
    covariance[np.diag_indices_from(covariance)] += ridge / np.sqrt(weights.sum())
    blocks = -_inverse(covariance).reshape(length, N_STATES, length, N_STATES)
    return blocks[:, : len(AMINO_ACIDS), :, : len(AMINO_ACIDS)].copy()


def _inverse(matrix: Float[ndarray, "M M"]) -> Float[ndarray, "M M"]:
    """Inverse of a positive definite matrix, through its Cholesky factor."""
    factor, info = lapack.dpotrf(matrix, lower=True, overwrite_a=True)
    if info == 0:
        inverse, info = lapack.dpotri(factor, lower=True, overwrite_c=True)
    if info != 0:
        raise ValueError(f"the ridge is too small: the covariance is singular (LAPACK {info})")
    lower = np.tril(inverse)
    return lower + np.tril(inverse, -1).T


def _one_hot_covariance(
    states: Int[ndarray, "N L"], weights: Float[ndarray, " N"]
) -> Float[ndarray, "M M"]:
    """Weighted covariance of the one-hot encoding, M = 21 L, summed over blocks of sequences.

    Products are in single precision (whole numbers without weights, so exact), sums in double.
    """
    n, length = states.shape
    size = length * N_STATES
    moments, sums = np.zeros((size, size)), np.zeros(size)
    for chosen in np.array_split(np.arange(n), max(1, n // 1024)):
        one_hot = np.zeros((len(chosen), size), dtype=np.float32)
        columns = np.arange(length) * N_STATES + states[chosen].astype(np.int64)
        np.put_along_axis(one_hot, columns, 1.0, axis=1)
        weighted = one_hot * weights[chosen, None].astype(np.float32)
        moments += one_hot.T @ weighted
        sums += weighted.sum(axis=0)
    mean = sums / weights.sum()
    return moments / weights.sum() - np.outer(mean, mean)
