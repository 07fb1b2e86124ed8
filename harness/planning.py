"""From a configuration to what its job will cost; and, afterwards, how right that was."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from harness import record
from harness.configuration import needs_of, resolved
from harness.digests import text_digest
from harness.errors import InputError
from harness.naming import run_names
from harness.pace import PACE, Kind, Pace, Rate, add_pace, earlier_rate, read_pace
from harness.plan import Amount, Footprint, Prediction, Shape, amount_of
from harness.plan_files import write_plan
from harness.protocols import (
    AsksSoOften,
    CouplingMethod,
    ExposesAttention,
    PredictsContacts,
    TrackedRun,
)
from harness.provenance import provenance
from harness.results import RunFolder
from harness.runner import Experiment
from harness.shards import whole_dataset
from harness.work import knows_lengths, lengths_of

log = logging.getLogger("harness")

_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2, "float64": 8}
_READING = ("method.", "model.", "masking", "hiding", "windows", "joining", "evaluation.")
"""Beginnings of the settings that the pace of a run depends on."""


@dataclass(frozen=True)
class Job:
    """What a configuration builds, looked at for its cost; the model need not be loaded."""

    config: DictConfig
    experiment: Experiment

    def predict(self, identifiers: Sequence[str], finished: int) -> Prediction:
        """What measuring these proteins will cost, where so many others are finished."""
        footprint, lengths = (
            self._footprint,
            lengths_of(whole_dataset(self.experiment.dataset), identifiers),
        )
        amount, rate = self.amount([lengths[name] for name in identifiers]), self.rate
        expected = replace(amount, passes=None, tokens=None, flops=None) if self.repeats else amount
        seconds = None if isinstance(rate, str) else rate.seconds(amount.work, amount.proteins)
        return Prediction(
            run_names(self.config).label,
            len(identifiers),
            finished,
            expected.passes,
            expected.tokens,
            expected.flops,
            seconds,
            footprint.peak(amount.longest),
            rate if isinstance(rate, str) else rate.source,
        )

    def amount(self, lengths: Sequence[int]) -> Amount:
        """The maps of proteins of these lengths."""
        window, evaluation = self.config.windows.get("size"), self.experiment.evaluation
        maps = evaluation.maps_per_protein if isinstance(evaluation, AsksSoOften) else 1
        return amount_of(self.experiment.method, [*lengths] * maps, self.shape, window)

    @property
    def repeats(self) -> bool:
        """Whether the evaluation asks the method nobody knows how often."""
        return not isinstance(self.experiment.evaluation, AsksSoOften)

    @cached_property
    def rate(self) -> Rate | str:
        """How fast this will be; or why that is not known."""
        given, reads = self.config.plan.flops_per_second, "model" in self.config.method
        if given and reads and self.shape and not self.repeats:
            return Rate(float(given), "plan.flops_per_second")
        paces = read_pace(Path(self.config.outputs) / PACE)
        if self.repeats:
            paces = [pace for pace in paces if pace.kind == self.kind]
        earlier = earlier_rate(paces, self.kind)
        if earlier is not None:
            return earlier
        if self.repeats:
            return "unknown: how often the method is asked shows on the way"
        if not reads:
            return "unknown: no earlier run"
        if self.shape is None:
            return "unknown: what the model is like; plan.models in conf/plan.yaml"
        return self._measured_rate(self.shape)

    def _measured_rate(self, shape: Shape) -> Rate | str:
        if self.amount([1]).flops is None:
            return "unknown: the method does not count its passes"
        plan, model = self.config.plan, self.config.model
        found = _product_rate(model.device, model.dtype, shape.width or 1024, plan.product_seconds)
        source = f"matrix product, {found / 1e9:.0f} GFLOP/s × {plan.efficiency:g}"
        return Rate(found * plan.efficiency, source)

    @cached_property
    def shape(self) -> Shape | None:
        """That of the model, from the table of the plan, else as far as a loaded one says."""
        if "model" not in self.config.method:
            return None
        known = self.config.plan.models.get(run_names(self.config).model)
        if known is not None:
            return Shape(**known)
        model = self.experiment.model
        counted = model.n_parameters if model is not None and "dtype" in self.config.model else 0
        return Shape(counted) if counted else None

    @cached_property
    def kind(self) -> Kind:
        """What the pace depends on."""
        names, machine = run_names(self.config), provenance()
        settings = record.settings(plain(self.config))
        reading = sorted(item for item in settings.items() if item[0].startswith(_READING))
        model = self.config.model if names.model else {}
        return Kind(
            self._device_name or machine["processor"],
            str(model.get("dtype", "")),
            machine["threads"],
            names.method,
            names.model,
            names.evaluation,
            text_digest(repr(reading))[:12],
            self.shape.parameters if self.shape else 0,
        )

    @property
    def _device_name(self) -> str:
        """The card's; empty where nothing but the processor computes."""
        if self._device == "cpu":
            return ""
        from harness.device import choose_device, device_name  # imports torch

        return device_name(choose_device(self.config.model.device))

    @cached_property
    def _device(self) -> str:
        """Kind of the device that the model is on."""
        wanted = self.config.model.get("device") if "model" in self.config.method else None
        if wanted is None:
            return "cpu"
        if wanted != "auto":
            return str(wanted).partition(":")[0]
        from harness.device import choose_device  # imports torch

        return choose_device("auto").type

    @property
    def _footprint(self) -> Footprint:
        model, method = self.config.model, self.config.method
        dtype = str(model.get("dtype", "float32"))
        if dtype not in _BYTES:
            raise InputError(f"model.dtype is {dtype}; allowed are {', '.join(_BYTES)}")
        coupled = isinstance(self.experiment.method, CouplingMethod) or "storage" in method
        stored = _BYTES.get(str(method.get("storage", "float32")), 4)
        needs = needs_of(self.config) if "model" in method else None
        return Footprint(
            self.shape,
            self._device,
            _BYTES[dtype],
            stored if coupled else 0,
            needs in (ExposesAttention, PredictsContacts),
            model.get("tokens_per_batch"),
            float(self.config.plan.process_bytes),
        )


def plain(config: DictConfig) -> dict[str, Any]:
    """The configuration as plain values, without the plan: that is no part of a run."""
    return {key: value for key, value in resolved(config).items() if key != "plan"}


@cache
def _product_rate(device: str, dtype: str, width: int, seconds: float) -> float:
    """See `harness.device.product_rate`; measured once a process."""
    from harness.device import choose_device, product_rate  # imports torch

    return product_rate(choose_device(device), dtype, width, seconds)


@contextmanager
def compared(
    config: DictConfig, experiment: Experiment, results: RunFolder, tracked: TrackedRun
) -> Iterator[None]:
    """Around measuring: plan.json says what was expected of what is missing, then what it took.

    A run that goes on plans what is left; one with nothing left keeps the plan it has. Nothing is
    planned in a quiet run, and where a data set would have to build its proteins twice for it. The
    pace of what was measured is kept for later plans. Nothing of it is done where the configuration
    has no plan, as in a training.
    """
    finished = results.finished()
    left = [name for name in experiment.dataset.protein_ids if name not in finished]
    if "plan" not in config or not left:
        yield
        return
    job, plan = Job(config, experiment), None
    if not config.quiet and knows_lengths(whole_dataset(experiment.dataset)):
        plan = job.predict(left, len(finished))
        write_plan(results.path, plan, None)
    began = time.perf_counter()
    yield
    elapsed, journal = time.perf_counter() - began, results.finished()
    entries = [journal[name] for name in dict.fromkeys(left) if name in journal]
    if not entries:  # another process measured them all
        return
    pace = _pace(job, entries, elapsed)
    try:
        add_pace(Path(config.outputs) / PACE, pace)
    except OSError as error:  # the run itself is whole, and lies elsewhere
        log.warning("%s: the pace of this run is not kept (%s)", config.outputs, error.strerror)
    if plan is not None:
        write_plan(results.path, plan, pace)
        if plan.seconds is not None:
            tracked.record({}, {"cost/planned_seconds": round(plan.seconds, 4)}, {})


def _pace(job: Job, entries: Sequence[Mapping[str, Any]], elapsed: float) -> Pace:
    """How fast these proteins were measured; what the first took too long is the start."""
    works = [job.amount([entry["length"]]).work for entry in entries]
    times = [entry["seconds"] for entry in entries]
    warm = sum(times[1:]) / sum(works[1:]) if len(works) > 1 else times[0] / works[0]
    start = max(0.0, times[0] - works[0] * warm)
    peaks = [entry["peak_device_bytes"] or entry["peak_memory_bytes"] for entry in entries]
    seconds = sum(times) - start
    return Pace(job.kind, sum(works), len(entries), start, seconds, elapsed, max(peaks))
