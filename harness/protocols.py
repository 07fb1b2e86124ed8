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
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from jaxtyping import Float, Int
from numpy import ndarray

from harness.protein import Protein
from harness.sample import Sample

if TYPE_CHECKING:
    from pandas import DataFrame
    from torch import Tensor

    from harness.blocks import Block
    from harness.corpus import Corpus, CorpusSettings
    from harness.coupled_pairs import PairCouplings
    from harness.isoform_pair import IsoformPair
    from harness.masking import Step
    from harness.predicted import PredictedStructure
    from harness.statistics import Bootstrap


@dataclass
class Cost:
    """What a model has spent since it was built.

    A backward pass, and a derivative carried forward, count as one more forward pass. Tokens
    include the special ones of the model. Operations are floating-point multiplications and
    additions of matrix products (`torch.utils.flop_counter`).
    """

    forward_passes: int = 0
    tokens: int = 0
    flops: int = 0
    peak_device_bytes: int = 0
    """The most memory held on an accelerator so far; 0 on a CPU."""


@runtime_checkable
class Model(Protocol):
    """What the runner wants to know of any model."""

    n_parameters: int
    fingerprint: str
    """SHA-256 of the weights."""
    cost: Cost


@runtime_checkable
class PredictsLogits(Model, Protocol):
    """A model that scores the twenty amino acids at every position.

    Residues are indices of `harness.alphabet`; results stay on the model's device. A model decides
    itself how many sequences it takes at once, so that results for many come in slices.
    """

    def logits(self, residues: Int[Tensor, "B L"]) -> Float[Tensor, "B L 20"]:
        """Logits of each sequence."""
        ...

    def substituted_logits(
        self,
        residues: Int[Tensor, " L"],
        sites: Int[Tensor, " M"],
        substitutes: Int[Tensor, " M"],
    ) -> Iterator[tuple[slice, Float[Tensor, "B L 20"]]]:
        """Logits of the sequence with substitutes[m] at sites[m], for slices of 0…M-1 in order."""
        ...


@runtime_checkable
class HasPositions(Model, Protocol):
    """A model that knows where residues stand, and can be told otherwise."""

    def at(
        self, positions: Int[Tensor, " L"], length: int | None = None
    ) -> AbstractContextManager[None]:
        """While this lasts, residues stand at these increasing positions instead of 0…L-1.

        What stands at the ends of a sequence stands around `length` positions, or next to the
        residues (none).
        """
        ...


@runtime_checkable
class Differentiable(Model, Protocol):
    """A model whose logits have derivatives by the one-hot input x (L, 20)."""

    def gradients(
        self,
        residues: Int[Tensor, " L"],
        sites: Int[Tensor, " M"],
        directions: Float[Tensor, "M 20"],
    ) -> Iterator[tuple[slice, Float[Tensor, "B L 20"]]]:
        """Gradient by x of directions[m] · logits[sites[m]] (reverse mode), in slices of 0…M-1."""
        ...

    def derivatives(
        self,
        residues: Int[Tensor, " L"],
        sites: Int[Tensor, " M"],
        directions: Float[Tensor, "M 20"],
    ) -> Iterator[tuple[slice, Float[Tensor, "B L 20"]]]:
        """Change of all logits when x[sites[m]] moves along directions[m] (forward mode)."""
        ...


@runtime_checkable
class ExposesHidden(Model, Protocol):
    """A model that shows the states between its layers."""

    n_layers: int

    def hidden(self, residues: Int[Tensor, "B L"], layer: int) -> Float[Tensor, "B L W"]:
        """States after that many layers: 0 are the embeddings, `n_layers` the last ones."""
        ...

    def substituted_hidden(
        self,
        residues: Int[Tensor, " L"],
        sites: Int[Tensor, " M"],
        substitutes: Int[Tensor, " M"],
        layer: int,
    ) -> Iterator[tuple[slice, Float[Tensor, "B L W"]]]:
        """States of the sequence with substitutes[m] at sites[m], in slices of 0…M-1."""
        ...


@runtime_checkable
class ExposesAttention(Model, Protocol):
    """A model that shows its attention maps."""

    def attention(self, residues: Int[Tensor, " L"]) -> Float[Tensor, "N H L L"]:
        """How much each residue attends to each, in H heads of N layers; not symmetric."""
        ...


@runtime_checkable
class PredictsContacts(Model, Protocol):
    """A model with a supervised contact head of its own."""

    def contacts(self, residues: Int[Tensor, " L"]) -> Float[Tensor, "L L"]:
        """Probabilities of contact, symmetric."""
        ...

    def contact_blocks(
        self, residues: Int[Tensor, "B L"], block: Block
    ) -> Iterator[tuple[slice, Float[Tensor, "B R C"]]]:
        """One block of the map of each sequence, in slices of 0…B-1."""
        ...


@runtime_checkable
class PredictsStructure(Model, Protocol):
    """A model that folds a sequence; what it gives is NumPy's, for nothing else is done with it."""

    def fold(self, protein: Protein) -> PredictedStructure:
        """The atoms of the protein, and how sure the model is of them."""
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
class GivesStructure(ContactMethod, Protocol):
    """A contact method whose scores come from a predicted structure."""

    def structure(self, protein: Protein) -> PredictedStructure | None:
        """That structure; none where the method is made of another one that has none."""
        ...


@runtime_checkable
class ScoresBlocks(ContactMethod, Protocol):
    """A contact method to which a block of the map costs less than the map."""

    def blocks(self, proteins: Sequence[Protein], block: Block) -> Iterator[Float[ndarray, "R C"]]:
        """That block of the map of each protein, in order; all are of one length."""
        ...


@runtime_checkable
class ReportsFacts(ContactMethod, Protocol):
    """A contact method with numbers worth recording beside its map: a depth, convergence, …"""

    @property
    def facts(self) -> Mapping[str, float]:
        """Those of the last call; a number that is not finite could not be measured."""
        ...


@runtime_checkable
class ReadsFiles(ContactMethod, Protocol):
    """A contact method that reads files of its own for each protein."""

    def files(self, identifier: str) -> Mapping[str, str]:
        """SHA-256 of those of a protein, by name."""
        ...


@runtime_checkable
class CountsPasses(ContactMethod, Protocol):
    """A contact method that knows how often it will ask its model."""

    def passes(self, length: int) -> int | None:
        """Forward passes for the map of a protein of so many known residues.

        None where a method is made of another one that does not say.
        """
        ...


@runtime_checkable
class Masking(Protocol):
    """Which residues of a protein stay visible."""

    def __call__(self, protein: Protein) -> Protein:
        """The protein with some residues hidden."""
        ...


@runtime_checkable
class StepwiseMasking(Protocol):
    """Which residues are shown around a block of the map, step by step."""

    def steps(self, protein: Protein, block: Block) -> Iterator[Step]:
        """From nothing but the block to the most."""
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
class AsksSoOften(Evaluation, Protocol):
    """An evaluation that knows how often it asks the method about each protein."""

    @property
    def maps_per_protein(self) -> int:
        """Maps of the longest sequence that belongs to a protein, about."""
        ...


@runtime_checkable
class ShowsDetails(Evaluation, Protocol):
    """An evaluation with something that is worth a picture."""

    shown: Sequence[PairCouplings | IsoformPair]
    """That of the last sample."""


@dataclass(frozen=True)
class RowSummary:
    """What becomes of the rows of all proteins, where each protein has many.

    `values` are what runs are compared by: protein, metric, range, value, weight. `estimates` are
    means and other statistics with their intervals; `curves` the same along an axis: metric, range,
    flank, mean, low, high, n. `targets` has a line for each thing that was looked at.
    """

    values: DataFrame
    estimates: Sequence[Mapping[str, Any]]
    curves: DataFrame
    targets: DataFrame


@runtime_checkable
class SummarizesRows(Evaluation, Protocol):
    """An evaluation with many rows a protein, which knows what to make of them."""

    def check(self, protein_ids: Sequence[str]) -> list[str]:
        """What was asked for of proteins that are not among these; InputError if all of it is."""
        ...

    def summarize(self, rows: DataFrame, bootstrap: Bootstrap) -> RowSummary:
        """The summary of the rows of any number of proteins."""
        ...


@runtime_checkable
class Fetched(Protocol):
    """Something made of files that are fetched once and kept: weights, structures."""

    def fetch(self) -> Path:
        """Where the files are, after those that were missing have been fetched."""
        ...

    def verify(self) -> list[str]:
        """What is wrong with the files that are there, a line each; nothing is fetched."""
        ...


@runtime_checkable
class Dataset(Protocol):
    """Samples, built one at a time as they are asked for."""

    protein_ids: list[str]
    """What is scored."""
    labeled_ids: list[str]
    """Proteins set aside for methods that need the answer of some; never scored."""
    version: str
    """Changes whenever a sample changes: name and SHA-256 of what the samples are built from."""
    manifest: Mapping[str, str]
    """SHA-256 of each file that the samples are built from, by name; empty when they are made."""

    def __getitem__(self, identifier: str) -> Sample:
        """The sample of one protein."""
        ...


@runtime_checkable
class KnowsLengths(Dataset, Protocol):
    """A data set that knows how long its proteins are before it builds any sample."""

    lengths: Mapping[str, int]
    """Residues of each protein that is scored."""


@runtime_checkable
class TrainingData(Protocol):
    """A data set that models can be trained on."""

    def corpus(self, settings: CorpusSettings, device: str) -> Corpus:
        """Sequences of its families; what has to be made is made on that device."""
        ...


@runtime_checkable
class Tracker(Protocol):
    """A record of runs that people can browse."""

    def run(
        self, name: str, folder: Path, parent: Path | None
    ) -> AbstractContextManager[TrackedRun]:
        """One run; begun anew or, when `folder` was tracked before, continued.

        `parent` is the folder of the sweep that it is part of, none for a run on its own.
        """
        ...

    def sync(self, folder: Path) -> int:
        """Send what a folder's run has not sent yet; how many things that were."""
        ...

    def fetch(self, identifier: str, into: Path) -> list[Path]:
        """Copies of the folders of that run, or of the jobs of that sweep; InputError for none."""
        ...

    def annotate(self, folder: Path, tags: Mapping[str, str], files: Sequence[Path]) -> bool:
        """Add tags and files to the run of a folder; whether it was tracked."""
        ...


@runtime_checkable
class TrackedRun(Protocol):
    """An open run of a tracker."""

    @property
    def id(self) -> str:
        """How the tracker calls this run; empty while it has not heard of it."""
        ...

    def record(
        self,
        parameters: Mapping[str, object],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
    ) -> None:
        """What was chosen, what was measured, and with what."""
        ...

    def dataset(self, name: str, version: str, n_proteins: int) -> None:
        """On which data set it was measured."""
        ...

    def table(self, name: str, frame: DataFrame) -> None:
        """Keep a table that can be compared across runs."""
        ...

    def curve(self, name: str, points: Mapping[int, float]) -> None:
        """What a metric is at each of these steps; those that are known already stay."""
        ...

    def files(self, paths: Sequence[Path], under: str) -> None:
        """Keep copies of these files."""
        ...
