"""The only loop over samples: measure, write, go on; what is done already is skipped."""

import math
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from jaxtyping import Float
from numpy import ndarray

from harness.errors import InputError
from harness.protein import Protein
from harness.protocols import ContactMethod, Cost, Dataset, Evaluation, Model, ReportsFacts
from harness.provenance import commit
from harness.results import RunFolder
from harness.sample import Sample
from harness.statistics import Bootstrap


@dataclass
class RecordingMethod:
    """A method that remembers the first map of each protein, and how long it has worked.

    The maps can be kept and drawn; `reported` are the facts of the method about each of them, None
    for a number that is not finite. The seconds are those of the method, without the evaluation.
    """

    method: ContactMethod
    maps: dict[str, Float[ndarray, "L L"]] = field(default_factory=dict)
    reported: dict[str, dict[str, float | None]] = field(default_factory=dict)
    seconds: float = 0.0

    def __call__(self, protein: Protein) -> Float[ndarray, "L L"]:
        """The scores of the method."""
        start = time.perf_counter()
        scores = self.method(protein)
        self.seconds += time.perf_counter() - start
        if protein.id not in self.maps:
            self.maps[protein.id] = scores
            self.reported[protein.id] = _facts(self.method)
        return scores


@dataclass(frozen=True)
class RunNames:
    """How a run is called: its choices, and its settings. Without a model, `model` is empty."""

    method: str
    model: str
    settings: str
    dataset: str
    masking: str
    evaluation: str

    @property
    def label(self) -> str:
        """One line for tables, plots and the tracker."""
        return " ".join(part for part in (self.method, self.model, self.settings) if part)

    @property
    def title(self) -> str:
        """The same with what varies first, for places that cut long names."""
        return " ".join(part for part in (self.settings, self.model, self.method) if part)


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
    keep: Callable[[Sample, Float[ndarray, "L L"]], None],
    progress: Callable[[int, int], None],
) -> None:
    """Measure every protein that the folder does not hold yet.

    `keep` gets each sample with its score map before its rows are written; `progress` gets the
    number of proteins done and in all. Raises InputError for an empty data set.
    """
    wanted = list(dict.fromkeys(experiment.dataset.protein_ids))
    if not wanted:
        raise InputError("the data set holds no protein")
    finished = results.finished()
    missing = [identifier for identifier in wanted if identifier not in finished]
    progress(len(wanted) - len(missing), len(wanted))
    for n, identifier in enumerate(missing, start=len(wanted) - len(missing) + 1):
        _measure(experiment, experiment.dataset[identifier], results, keep)
        progress(n, len(wanted))


def _measure(
    experiment: Experiment,
    sample: Sample,
    results: RunFolder,
    keep: Callable[[Sample, Float[ndarray, "L L"]], None],
) -> None:
    method = RecordingMethod(experiment.method)
    before = _spent(experiment.model)
    rows = list(experiment.evaluation(method, sample))
    after = _spent(experiment.model)
    for scores in method.maps.values():
        keep(sample, scores)
    cost = {"seconds": method.seconds, **{key: after[key] - before[key] for key in after}}
    cost |= {"peak_memory_bytes": peak_memory(), "peak_device_bytes": _on_device(experiment.model)}
    facts = {"length": len(sample.protein), **cost, "commit": commit(), **sample.facts}
    facts |= {"group": sample.group} if sample.group else {}
    reported = method.reported.get(sample.protein.id)
    facts |= {"facts": reported} if reported else {}
    results.append(sample.protein.id, rows, facts)


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
