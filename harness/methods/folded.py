"""A structure that a model predicts now, read as one more contact map."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from jaxtyping import Float
from numpy import ndarray

from harness.methods.structure_scores import Latest, Scoring
from harness.predicted import PredictedStructure
from harness.protein import Protein
from harness.protocols import PredictsStructure


@dataclass(frozen=True)
class Folded:
    """Contact scores by the distances in the structure that the model folds the protein into."""

    model: PredictsStructure
    scoring: Scoring
    _latest: Latest = field(default_factory=Latest, init=False, repr=False, compare=False)

    def __call__(self, protein: Protein) -> Float[ndarray, "L L"]:
        """Contact scores."""
        return self.scoring(self._latest.keep(protein, self.model.fold(protein)))

    def structure(self, protein: Protein) -> PredictedStructure:
        """The predicted structure; that of the last map where it was of this protein."""
        return self._latest.of(protein) or self._latest.keep(protein, self.model.fold(protein))

    def passes(self, length: int) -> int:
        """One, whatever the length."""
        return 1

    @property
    def facts(self) -> Mapping[str, float]:
        """Mean pLDDT and mean aligned error of the last structure."""
        return self._latest.facts
