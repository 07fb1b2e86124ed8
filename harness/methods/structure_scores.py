"""From a predicted structure to contact scores."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from harness.errors import InputError
from harness.predicted import PredictedStructure
from harness.protein import Protein

WEIGHTS = ("none", "plddt", "pae")
NARROWEST = 0.5
"""Å: of a steeper fall near pairs would all have the score 1, and be ranked by nothing."""


@dataclass(frozen=True)
class Scoring:
    """Scores 1 / (1 + exp((d - midpoint) / width)) of the distance d (Å) between CB atoms.

    CA stands for CB in glycine. They fall with the distance, so that with `weight` none the ranking
    is that by distance. They are multiplied by a weight: `plddt`: by that of both residues, as
    fractions; `pae`: by 1 / (1 + (e / tolerance)²), e being the mean of both aligned errors (Å),
    the form of the TM-score (Zhang & Skolnick, Proteins 2004).
    """

    midpoint: float
    width: float
    weight: str
    tolerance: float

    def __post_init__(self) -> None:
        if self.width < NARROWEST:
            raise ValueError(f"width is {self.width}; allowed are {NARROWEST} Å and more")
        if self.tolerance <= 0:
            raise ValueError(f"tolerance is {self.tolerance}; allowed are Å above 0")
        if self.weight not in WEIGHTS:
            raise ValueError(f"weight is {self.weight!r}; allowed are {', '.join(WEIGHTS)}")

    def __call__(self, structure: PredictedStructure) -> Float[ndarray, "L L"]:
        """Scores: symmetric, zero diagonal."""
        distances = structure.distances
        unplaced = np.flatnonzero(np.isnan(np.diagonal(distances)))
        if len(unplaced):
            raise InputError(
                f"{structure.source}: residue {unplaced[0]} (from 0) has no CB, nor N, CA and C to "
                "place one; predict all atoms of the backbone"
            )
        scores = _falling((distances - self.midpoint) / self.width) * self._weights(structure)
        np.fill_diagonal(scores, 0)
        return scores

    def _weights(self, structure: PredictedStructure) -> Float[ndarray, "..."]:
        if self.weight == "none":
            return np.ones(())
        known = {"plddt": structure.plddt, "pae": structure.pae}[self.weight]
        if known is None:
            raise InputError(
                f"{structure.source}: no {self.weight} comes with it; set "
                "method.scoring.weight=none"
            )
        if self.weight == "plddt":
            return np.outer(known, known) / 100**2
        return 1 / (1 + ((known + known.T) / 2 / self.tolerance) ** 2)


@dataclass
class Latest:
    """The last structure that was made, and of which protein."""

    protein: Protein | None = None
    structure: PredictedStructure | None = None

    def keep(self, protein: Protein, structure: PredictedStructure) -> PredictedStructure:
        """The structure, kept until the next."""
        self.protein, self.structure = protein, structure
        return structure

    def of(self, protein: Protein) -> PredictedStructure | None:
        """The structure, if it is of this protein."""
        return self.structure if self.protein == protein else None

    @property
    def facts(self) -> Mapping[str, float]:
        """How sure the predictor is, on average; empty where it does not say."""
        if self.structure is None:
            return {}
        known = {"mean_plddt": self.structure.plddt, "mean_pae": self.structure.pae}
        return {name: float(sure.mean()) for name, sure in known.items() if sure is not None}


def _falling(values: Float[ndarray, "L L"]) -> Float[ndarray, "L L"]:
    """1 / (1 + exp(x)), without overflow."""
    return np.exp(-np.logaddexp(0, values))
