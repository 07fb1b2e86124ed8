"""A structure that another program predicted, read as one more contact map."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from jaxtyping import Float
from numpy import ndarray

from harness.errors import InputError, PrerequisiteError
from harness.methods.structure_scores import Latest, Scoring
from harness.predicted import PredictedStructure
from harness.predictions import Predictions
from harness.protein import Protein


@dataclass(frozen=True)
class Structure:
    """Contact scores by the distances in a predicted structure, found in `folder` by protein id.

    `confidence` and `scoring`: see `Predictions` and `Scoring`. The whole sequence was read when
    the structure was predicted, so that a protein with hidden residues is refused.
    """

    folder: str | None
    confidence: str
    scoring: Scoring
    _latest: Latest = field(default_factory=Latest, init=False, repr=False, compare=False)

    def __call__(self, protein: Protein) -> Float[ndarray, "L L"]:
        """Contact scores."""
        return self.scoring(self._latest.keep(protein, self._read(protein)))

    def structure(self, protein: Protein) -> PredictedStructure:
        """The predicted structure; that of the last map where it was of this protein."""
        return self._latest.of(protein) or self._latest.keep(protein, self._read(protein))

    def _read(self, protein: Protein) -> PredictedStructure:
        if protein.n_hidden:
            raise InputError(
                f"{protein.n_hidden} residues of {protein.id} are hidden, and its structure was "
                "predicted from all of them: use masking=none, evaluation.masked=false, or fold "
                "what is visible with method=folded model=esmfold"
            )
        return self._predictions.read(protein)

    def files(self, identifier: str) -> Mapping[str, str]:
        """SHA-256 of what is read for that protein, by name."""
        return self._predictions.digests(identifier)

    @property
    def facts(self) -> Mapping[str, float]:
        """Mean pLDDT and mean aligned error of the last structure, where it has them."""
        return self._latest.facts

    @cached_property
    def _predictions(self) -> Predictions:
        if self.folder is None:
            raise PrerequisiteError(
                "predictions is not set: add predictions=DIR, a folder of predicted structures "
                "(docs/predicted_structures.md), or fold now with method=folded model=esmfold"
            )
        return Predictions(Path(self.folder), self.confidence)
