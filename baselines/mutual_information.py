"""Mutual information between the columns of an alignment."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from baselines.family import Family, FamilyModel
from baselines.frequencies import counting_memory, frequencies, pair_frequencies
from harness.alphabet import AMINO_ACIDS

_RESIDUES = slice(len(AMINO_ACIDS))


@dataclass(frozen=True)
class MutualInformation(FamilyModel):
    """Strengths Σ_ab f_ij(a, b) log(f_ij(a, b) / f_i(a) f_j(b)) over 21 states, in nats.

    With the APC that all families get this is MIp (Dunn, Wahl & Gloor, Bioinformatics 2008). The
    gap counts as a 21st state. Couplings are the logarithms between amino acids, and 0 for a pair
    that never occurs, which adds nothing to the sum either. `pseudocount` is the share of a uniform
    distribution that is mixed into the frequencies (0 = none, as published).
    """

    pseudocount: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.pseudocount < 1:
            given = f"pseudocount is {self.pseudocount}"
            raise ValueError(f"{given}; allowed are fractions from 0 up to, but not, 1")

    def fit(self, family: Family) -> Float[Tensor, "K 20 K 20"]:
        """Logarithms of how much more often two amino acids occur together than by chance."""
        length, residues = family.states.shape[1], len(AMINO_ACIDS)
        couplings = np.empty((length, residues, length, residues))
        for i, _, excess in self._excess(family):
            couplings[i, :, i:] = excess[_RESIDUES, :, _RESIDUES]
            couplings[i:, :, i] = excess[_RESIDUES, :, _RESIDUES].transpose(1, 2, 0)
        return torch.from_numpy(couplings)

    def strengths(self, family: Family) -> Float[Tensor, "K K"]:
        """Mutual information, computed for one column and all others at a time."""
        length = family.states.shape[1]
        information = np.empty((length, length))
        for i, joint, excess in self._excess(family):
            information[i, i:] = information[i:, i] = (joint * excess).sum(axis=(0, 2))
        return torch.from_numpy(information)

    def memory(self, rows: int, columns: int) -> int:
        """Bytes at the peak of `couplings`: 8 · (20 K)², and the counting. Scores need less."""
        return 8 * (columns * len(AMINO_ACIDS)) ** 2 + counting_memory(rows, columns)

    def _excess(
        self, family: Family
    ) -> Iterator[tuple[int, Float[ndarray, "21 J 21"], Float[ndarray, "21 J 21"]]]:
        """For each i: i, f_ij and log(f_ij / f_i f_j) for all j ≥ i; 0 where f_ij is."""
        single = frequencies(family, self.pseudocount)
        for i, joint in pair_frequencies(family, self.pseudocount):
            chance = np.multiply.outer(single[i], single[i:])
            ratio = np.divide(joint, chance, out=np.ones_like(joint), where=joint > 0)
            yield i, joint, np.log(ratio, out=ratio)
