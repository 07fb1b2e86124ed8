"""The only loop over samples: measure, write, go on; what is done already is skipped."""

import logging
import math
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from harness.blocks import Block, blocks_of
from harness.coupled_pairs import PairCouplings, couplings_of
from harness.errors import InputError, PreemptedError
from harness.protein import Protein
from harness.protocols import (
    ContactMethod,
    Cost,
    Dataset,
    Evaluation,
    Model,
    ReportsFacts,
    ShowsCouplings,
    SummarizesRows,
)
from harness.provenance import commit
from harness.results import RunFolder
from harness.sample import Sample
from harness.shards import all_ids
from harness.statistics import Bootstrap

log = logging.getLogger("harness")


@dataclass(frozen=True, eq=False)
class Watched:
    """A block of the map of a protein, some residues of which are hidden."""

    block: Block
    protein: Protein
    scores: Float[ndarray, "R C"]


Keep = Callable[[Sample, Float[ndarray, "L L"], Sequence[Watched], Sequence[PairCouplings]], None]


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


@dataclass(frozen=True)
class RunNames:
    """How a run is called: its choices, and its settings. Without a model, `model` is empty."""

    method: str
    model: str
    settings: str
    dataset: str
    masking: str
    evaluation: str
    shard: str = ""
    """Which part of the run this is; empty for all of it."""

    @property
    def label(self) -> str:
        """One line for tables, plots and the tracker."""
        parts = (self.method, self.model, self.settings, self._part)
        return " ".join(part for part in parts if part)

    @property
    def title(self) -> str:
        """The same with what varies first, for places that cut long names."""
        parts = (self.settings, self._part, self.model, self.method)
        return " ".join(part for part in parts if part)

    @property
    def whole(self) -> "RunNames":
        """The names of the run that this is a part of."""
        return replace(self, shard="")

    @property
    def _part(self) -> str:
        return f"shard={self.shard}" if self.shard else ""


@dataclass(frozen=True)
class Experiment:
    """What is measured: a method (and the model inside it) on a data set by an evaluation.

    `statistics` makes the intervals of the summary.
    """

    dataset: Dataset
    method: ContactMethod
    model: Model | None
    evaluation: Evaluation
    statistics: Bootstrap


def run(
    experiment: Experiment,
    results: RunFolder,
    keep: Keep,
    progress: Callable[[int, int, Callable[[], str]], None],
    stop: Callable[[], bool] = lambda: False,
) -> None:
    """Measure every protein that the folder does not hold yet.

    `keep` gets each sample with its score map, the first block that was watched while residues were
    hidden, and couplings that the evaluation shows, before its rows are written; `progress` gets
    the number of proteins done and in all, and a function that says what is under way. Raises
    InputError for an empty data set, and PreemptedError when `stop` says so between two proteins.
    """
    wanted = list(dict.fromkeys(experiment.dataset.protein_ids))
    if not wanted:
        raise InputError("the data set holds no protein")
    finished = results.finished()
    _check_targets(experiment.evaluation, all_ids(experiment.dataset))
    missing = [identifier for identifier in wanted if identifier not in finished]
    done = len(wanted) - len(missing)
    for identifier in missing:
        if stop():
            raise PreemptedError(
                f"told to stop (SIGTERM) with {done} of {len(wanted)} proteins measured; the same "
                "command with the same folder goes on"
            )
        progress(done, len(wanted), partial(_doing, identifier, experiment.model))
        _measure(experiment, experiment.dataset[identifier], results, keep)
        done += 1
    progress(done, len(wanted), str)


def _doing(identifier: str, model: Model | None) -> str:
    """The protein that is measured, and what the model has been asked so far."""
    return f"{identifier}, {model.cost.forward_passes:,} forward passes" if model else identifier


def _check_targets(evaluation: Evaluation, wanted: Sequence[str]) -> None:
    """Say which proteins of a list of targets are not there; InputError when none is."""
    absent = evaluation.check(wanted) if isinstance(evaluation, SummarizesRows) else []
    if absent:
        named = ", ".join(absent[:3]) + (", …" if len(absent) > 3 else "")
        log.warning("%d listed proteins are not in this data set: %s", len(absent), named)


def _measure(
    experiment: Experiment,
    sample: Sample,
    results: RunFolder,
    keep: Keep,
) -> None:
    method = RecordingMethod(experiment.method)
    before = _spent(experiment.model)
    rows = list(experiment.evaluation(method, sample))
    after = _spent(experiment.model)
    if sample.protein.id in method.maps:
        keep(sample, method.maps[sample.protein.id], method.watched, _shown(experiment.evaluation))
    cost = {"seconds": method.seconds, **{key: after[key] - before[key] for key in after}}
    cost |= {"peak_memory_bytes": peak_memory(), "peak_device_bytes": _on_device(experiment.model)}
    facts = {"length": len(sample.protein), **cost, "commit": commit(), **sample.facts}
    facts |= {"group": sample.group} if sample.group else {}
    reported = method.reported.get(sample.protein.id)
    facts |= {"facts": reported} if reported else {}
    results.append(sample.protein.id, rows, facts)


def _shown(evaluation: Evaluation) -> Sequence[PairCouplings]:
    return evaluation.shown if isinstance(evaluation, ShowsCouplings) else ()


def _facts(method: ContactMethod) -> dict[str, float | None]:
    """What the method says of its last map, as numbers that JSON has."""
    facts = method.facts if isinstance(method, ReportsFacts) else {}
    return {key: float(value) if math.isfinite(value) else None for key, value in facts.items()}


def _spent(model: Model | None) -> dict[str, int]:
    cost = model.cost if model else Cost()
    return {
        "forward_passes": cost.forward_passes,
        "tokens": cost.tokens,
        "flops": cost.flops,
    }


def _on_device(model: Model | None) -> int:
    return model.cost.peak_device_bytes if model else 0


def peak_memory() -> int:
    """The most memory this process has held so far, in bytes (resident set)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
