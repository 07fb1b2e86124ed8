"""A method that is listened to: what it answered first, and how long that took."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from harness.blocks import Block, blocks_of
from harness.coupled_pairs import couplings_of
from harness.errors import InputError
from harness.predicted import PredictedStructure, structure_of
from harness.protein import Protein
from harness.protocols import ContactMethod, ReportsFacts


@dataclass(frozen=True, eq=False)
class Watched:
    """A block of the map of a protein, some residues of which are hidden."""

    block: Block
    protein: Protein
    scores: Float[ndarray, "R C"]


@dataclass
class RecordingMethod:
    """A method that remembers the first map of each protein, and how long it has worked.

    The maps can be kept and drawn; `reported` are the facts of the method about each of them, None
    for a number that is not finite; `watched` is the first block that was asked for many times. The
    seconds are those of the method, without the evaluation.
    """

    method: ContactMethod
    maps: dict[str, Float[ndarray, "L L"]] = field(default_factory=dict)
    watched: list[Watched] = field(default_factory=list)
    reported: dict[str, dict[str, float | None]] = field(default_factory=dict)
    seconds: float = 0.0

    def __call__(self, protein: Protein) -> Float[ndarray, "L L"]:
        """The scores of the method."""
        start = time.perf_counter()
        scores = self.method(protein)
        self.seconds += time.perf_counter() - start
        self._remember(protein, scores)
        return scores

    def couplings(self, protein: Protein) -> Float[ndarray, "L 20 L 20"]:
        """The couplings of the method; InputError where it has none, or not all are finite."""
        from harness.couplings import corrected_map  # imports torch: not for runs without couplings

        start = time.perf_counter()
        found = couplings_of(self.method, protein)
        self.seconds += time.perf_counter() - start
        scores = corrected_map(found)
        if not np.isfinite(scores).all():
            raise InputError(
                f"protein {protein.id}: {type(self.method).__name__} gives couplings that are not "
                "finite; a method that stores them in float16 can keep more in float32"
            )
        self._remember(protein, scores)
        return found

    def structure(self, protein: Protein) -> PredictedStructure | None:
        """The structure of the method, if it has one."""
        start = time.perf_counter()
        found = structure_of(self.method, protein)
        self.seconds += time.perf_counter() - start
        return found

    def blocks(self, proteins: Sequence[Protein], block: Block) -> Iterator[Float[ndarray, "R C"]]:
        """The method's block of each protein."""
        first, scores = not self.watched, blocks_of(self.method, proteins, block)
        for protein in proteins:
            start = time.perf_counter()
            found = next(scores)
            self.seconds += time.perf_counter() - start
            if first:
                self.watched.append(Watched(block, protein, found))
            yield found

    def _remember(self, protein: Protein, scores: Float[ndarray, "L L"]) -> None:
        if protein.id not in self.maps:
            self.maps[protein.id] = scores
            self.reported[protein.id] = _facts(self.method)


def _facts(method: ContactMethod) -> dict[str, float | None]:
    """What the method says of its last map, as numbers that JSON has."""
    facts = method.facts if isinstance(method, ReportsFacts) else {}
    return {key: float(value) if math.isfinite(value) else None for key, value in facts.items()}
