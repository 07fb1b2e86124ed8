"""The attention heads that find contacts best on a few labeled proteins, averaged."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray

from harness.errors import InputError
from harness.labeled import LabeledProteins
from harness.methods.attention_maps import as_scores, attention_maps
from harness.metrics import CONTACTS, RANGES, check_names, precision_at, rank_pairs
from harness.protein import Protein
from harness.protocols import ExposesAttention
from harness.sample import Sample


@dataclass(frozen=True)
class TopHeads:
    """Mean of the symmetrized maps of the `k` heads of highest P@L on labeled proteins.

    P@L is that of `range` and `contact`; a protein without valid pairs does not count. With `apc`
    each map is corrected, before heads are chosen and before the mean. The heads are chosen at the
    first call, whose cost holds one more forward pass for each labeled protein.
    """

    model: ExposesAttention
    labeled: LabeledProteins
    k: int
    contact: str
    range: str
    apc: bool

    def __post_init__(self) -> None:
        check_names(self.contact, [self.range])
        if self.k < 1:
            raise ValueError(f"k is {self.k}; allowed are 1 and more")

    def __call__(self, protein: Protein) -> Float[ndarray, "L L"]:
        """Scores; InputError when the model has fewer than k heads."""
        maps = attention_maps(self.model, protein, self.apc).flatten(0, 1)
        return as_scores(maps[torch.from_numpy(self._best).to(maps.device)].mean(0))

    def passes(self, length: int) -> int:
        """One for a map; the choice, once, takes one more for each labeled protein."""
        return 1

    @cached_property
    def _best(self) -> Int[ndarray, " k"]:
        """Channels of the best heads, best first, ties by layer, then head."""
        precisions = np.stack([self._precisions(sample) for sample in self.labeled])
        counted = precisions[~np.isnan(precisions).any(axis=1)]
        if not len(counted):
            raise InputError(f"no labeled protein has a valid pair of range {self.range}")
        if self.k > counted.shape[1]:
            raise InputError(f"k is {self.k}; this model has {counted.shape[1]} heads")
        return np.argsort(-counted.mean(axis=0), kind="stable")[: self.k]

    def _precisions(self, sample: Sample) -> Float[ndarray, " C"]:
        """P@L of each channel on one protein; NaN without valid pairs."""
        maps = attention_maps(self.model, sample.protein, self.apc).flatten(0, 1).cpu().numpy()
        within, cutoff = RANGES[self.range], CONTACTS[self.contact].cutoff
        known, breaks = sample.distances, sample.protein.breaks
        ranked = (rank_pairs(scores, known, within, cutoff, breaks) for scores in maps)
        return np.array([precision_at(pairs, 1) for pairs in ranked])
