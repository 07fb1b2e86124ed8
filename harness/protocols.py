"""Every seam of the harness on one page.

Shape letters: B sequences in a batch, L residues, A or 20 amino acids in the order of
`harness.alphabet`, T tokens (residues and special tokens), N aligned sequences.

Torch lives between a model and a method; from the method outwards everything is NumPy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from jaxtyping import Float, Int
from numpy import ndarray

from harness.protein import Protein
from harness.sample import Sample

if TYPE_CHECKING:
    from pandas import DataFrame
    from torch import Tensor


@runtime_checkable
class Model(Protocol):
    """What the runner wants to know of any model."""

    n_parameters: int
    forward_passes: int
    """Sequences that have gone through the model since it was built."""
    fingerprint: str
    """SHA-256 of the weights."""


@runtime_checkable
class PredictsLogits(Model, Protocol):
    """A model that scores the twenty amino acids at every position."""

    def logits(self, residues: Int[Tensor, "B L"]) -> Float[Tensor, "B L 20"]:
        """Logits for sequences of `harness.alphabet` indices, on the model's device."""
        ...


@runtime_checkable
class ContactMethod(Protocol):
    """A map of contact scores for a protein."""

    def __call__(self, protein: Protein) -> Float[ndarray, "L L"]:
        """Scores: symmetric, zero diagonal, finite, higher = likelier contact."""
        ...


@runtime_checkable
class CouplingMethod(ContactMethod, Protocol):
    """A contact method that also gives the pair interactions behind its scores."""

    def couplings(self, protein: Protein) -> Float[ndarray, "L 20 L 20"]:
        """Interaction of residue a at i with residue b at j (index order i, a, j, b)."""
        ...


@runtime_checkable
class Masking(Protocol):
    """Which residues stay visible."""

    def __call__(self, protein: Protein) -> Protein:
        """The protein with some residues hidden."""
        ...


@dataclass(frozen=True)
class Row:
    """One measured number; the runner adds protein, method and model."""

    metric: str
    range: str
    value: float
    coordinates: Mapping[str, float] = field(default_factory=dict)


@runtime_checkable
class Evaluation(Protocol):
    """A measurement; it decides how often the method is called."""

    coordinates: tuple[str, ...]
    """Names of the coordinates that every row carries, in column order."""

    def __call__(self, method: ContactMethod, sample: Sample) -> Iterator[Row]:
        """The rows of one sample."""
        ...


@runtime_checkable
class Dataset(Protocol):
    """Samples, built one at a time as they are asked for."""

    protein_ids: list[str]
    version: str
    """Changes whenever a sample changes: name and SHA-256 of what the samples are built from."""

    def __getitem__(self, identifier: str) -> Sample:
        """The sample of one protein."""
        ...


@runtime_checkable
class Tracker(Protocol):
    """A record of runs that people can browse."""

    def run(self, name: str, folder: Path, parent: str) -> AbstractContextManager[TrackedRun]:
        """One run; begun anew or, when `folder` was tracked before, continued.

        `parent` is the id of the sweep's run, empty for a run on its own.
        """
        ...


@runtime_checkable
class TrackedRun(Protocol):
    """An open run of a tracker."""

    @property
    def id(self) -> str:
        """How the tracker calls this run."""
        ...

    def record(
        self,
        parameters: Mapping[str, object],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
    ) -> None:
        """What was chosen, what was measured, and with what."""
        ...

    def table(self, name: str, frame: DataFrame) -> None:
        """Keep a table that can be compared across runs."""
        ...

    def files(self, paths: Sequence[Path], under: str) -> None:
        """Keep copies of these files."""
        ...
