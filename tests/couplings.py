"""Couplings that are known, methods that give them, and what an evaluation makes of the two."""

import functools
from dataclasses import dataclass, field

import numpy as np

from baselines.inverse_covariance import InverseCovariance
from harness.datasets.lattice import LatticeDataset
from harness.evaluations.agreement import Agreement
from harness.masking import Unmasked
from harness.protein import Protein
from harness.sample import Sample

LENGTH = 12
SIGMAS = [0, 1, 2, 3, 4]
SETTINGS = {"contact": "cb8", "ranges": ["min6", "min3"], "masking": Unmasked(), "depths": None}
SETTINGS |= {"separation": 1, "sigmas": SIGMAS, "blocks": 1, "pairs": None}


@dataclass
class Given:
    """A method with these couplings, which counts how often it is asked."""

    values: np.ndarray
    asked: list[Protein] = field(default_factory=list)

    def __call__(self, protein):
        raise AssertionError("the map comes from the couplings")

    def couplings(self, protein):
        self.asked.append(protein)
        return self.values


def potts(seed=0, length=LENGTH):
    """Couplings of a Potts model: symmetric, no blocks i = j, and a few entries far from zero."""
    drawn = np.random.default_rng(seed).standard_t(3, size=(length, 20, length, 20))
    drawn += drawn.transpose(2, 3, 0, 1)
    drawn[range(length), :, range(length)] = 0
    return drawn


def sample(length=LENGTH):
    distances = np.full((length, length), 20.0)
    for i in range(length - 8):
        distances[i, i + 8] = distances[i + 8, i] = 5.0
    return Sample(Protein("p", "A" * length), distances)


def agreement(reference, **changes):
    return Agreement(reference=lambda: Given(reference), **(SETTINGS | changes))


def values(own, reference, truth=None, **changes):
    """Values of the rows by metric, without those of the ranges."""
    rows = list(agreement(reference, **changes)(Given(own), truth or sample(len(own))))
    return {row.metric: row.value for row in rows if row.range == ""}


def correlations(found):
    return [value for name, value in found.items() if name.startswith(("spearman", "pearson"))]


def lattice(cache, sequences=1):
    """Held-out sequences of the first family."""
    size = {"families": 1, "sequences": sequences, "labeled": 0, "depth": 4096}
    return LatticeDataset(**size, seed=0, cache=str(cache), ranges=["min3"], ids=None, limit=None)


def inverse_covariance(depth=None):
    settings = {"ridge": 4.5, "pseudocount": 0, "weight_identity": None, "column_gaps": None}
    return functools.partial(InverseCovariance, **settings, row_gaps=None, seed=0, depth=depth)
