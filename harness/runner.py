"""The only loop over samples: measure, write, go on; what is done already is skipped."""

import logging
import resource
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from jaxtyping import Float
from numpy import ndarray

from harness.coupled_pairs import PairCouplings
from harness.errors import InputError, PreemptedError
from harness.isoform_pair import IsoformPair
from harness.protocols import (
    ContactMethod,
    Cost,
    Dataset,
    Evaluation,
    Model,
    ReadsFiles,
    ShowsDetails,
    SummarizesRows,
)
from harness.provenance import commit
from harness.recording import RecordingMethod, Watched
from harness.results import RunFolder
from harness.sample import Sample
from harness.shards import all_ids
from harness.statistics import Bootstrap

log = logging.getLogger("harness")


Detail = PairCouplings | IsoformPair
"""What an evaluation may show of a sample beside its map."""

Keep = Callable[[Sample, Float[ndarray, "L L"], Sequence[Watched], Sequence[Detail]], None]


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
    hidden, and what the evaluation shows, before its rows are written; `progress` gets
    the number of proteins done and in all, and a function that says what is under way. Raises
    InputError for an empty data set, and PreemptedError when `stop` says so between two proteins.
    """
    wanted = list(dict.fromkeys(experiment.dataset.protein_ids))
    if not wanted:
        raise InputError("the data set holds no protein")
    finished = results.finished()
    _check_targets(experiment.evaluation, all_ids(experiment.dataset))
    _check_files(experiment.method, finished)
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


def _check_files(method: ContactMethod, finished: Mapping[str, Mapping[str, Any]]) -> None:
    """Nothing; raises InputError when files of a protein have changed since it was measured."""
    for identifier, entry in finished.items():
        before = entry.get("files", {})
        if _files(method, before) != before:
            names = ", ".join(name for files in before.values() for name in files)
            raise InputError(
                f"{names}: changed since {identifier} was measured; measure all in another folder "
                "(hydra.run.dir=DIR), or put the files back"
            )


def _files(method: ContactMethod, identifiers: Iterable[str]) -> dict[str, dict[str, str]]:
    """SHA-256 of the files that the method reads for each of these proteins, by name."""
    if not isinstance(method, ReadsFiles):
        return {}
    return {identifier: dict(method.files(identifier)) for identifier in identifiers}


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
    files = _files(experiment.method, method.maps)
    facts |= {"files": files} if files else {}
    results.append(sample.protein.id, rows, facts)


def _shown(evaluation: Evaluation) -> Sequence[Detail]:
    return evaluation.shown if isinstance(evaluation, ShowsDetails) else ()


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
