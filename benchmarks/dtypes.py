"""How the precision of a model's numbers moves its maps, against float32.

    python -m benchmarks.dtypes model=esm2_650m dataset=zhang_eval

takes the choices of `python -m harness`; docs/results/precision.md explains the columns.
"""

import sys
import time
from dataclasses import dataclass

import numpy as np
from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from jaxtyping import Float
from numpy import ndarray
from omegaconf import DictConfig

from benchmarks.agreement import Agreement, agreement
from harness.configuration import CONFIG_FOLDER, build_experiment, exit_on_user_error
from harness.device import choose_device
from harness.errors import InputError
from harness.metrics import CONTACTS, RANGES, precision_at, rank_pairs
from harness.statistics import Bootstrap, Estimate

REFERENCE, OTHERS = "float32", ("bfloat16", "float16")
HEADS = ("device", "error", "Spearman", "worst", "top L", "P@L minus float32", "s/protein")
WIDTHS = (10, 8, 10, 12, 12, 10, 28, 12)


@dataclass(frozen=True, eq=False)
class Maps:
    """The score map of each protein in one precision, its P@L, and the mean seconds of one."""

    device: str
    scores: list[Float[ndarray, "L L"]]
    precision: Float[ndarray, " n"]
    seconds: float
    bootstrap: Bootstrap

    @property
    def lengths(self) -> str:
        """Those of the shortest and the longest protein."""
        known = [len(scores) for scores in self.scores]
        return f"{min(known)}–{max(known)}"


def main() -> None:
    """Print a line for each precision."""
    with exit_on_user_error():
        reference = maps_in(REFERENCE, sys.argv[1:])
        mean = reference.bootstrap.mean(reference.precision).mean
        print(f"{len(reference.scores)} proteins, P@L {mean:.4f}, L {reference.lengths}")
        print_columns("", *HEADS)
        print_line(REFERENCE, reference, reference)
        for dtype in OTHERS:
            print_line(dtype, maps_in(dtype, sys.argv[1:]), reference)


def maps_in(dtype: str, overrides: list[str]) -> Maps:
    """What a run with these choices computes in this precision."""
    config = configured(dtype, overrides)
    experiment = build_experiment(config)
    samples = [experiment.dataset[name] for name in experiment.dataset.protein_ids]
    start = time.perf_counter()
    scores = [experiment.method(sample.protein) for sample in samples]
    seconds = (time.perf_counter() - start) / len(samples)
    within, cutoff = RANGES[config.dataset.ranges[0]], CONTACTS[config.contact].cutoff
    ranked = (
        rank_pairs(found, sample.distances, within, cutoff, sample.protein.breaks)
        for sample, found in zip(samples, scores, strict=True)
    )
    precision = np.array([precision_at(pairs, 1) for pairs in ranked])
    device = str(choose_device(config.model.device))
    return Maps(device, scores, precision, seconds, experiment.statistics)


def configured(dtype: str, overrides: list[str]) -> DictConfig:
    """These choices with the model in this precision; InputError where there is none to vary."""
    try:
        with initialize_config_dir(version_base="1.3", config_dir=CONFIG_FOLDER):
            config = compose("config", overrides)
    except HydraException as error:
        raise InputError(str(error)) from error
    if "model" not in config.method:
        raise InputError(f"{config.method._target_} reads no model, so it has no precision to vary")
    if "dtype" not in config.model:
        raise InputError(f"{config.model._target_} has no dtype, so it has no precision to vary")
    if not config.dataset.ranges:
        raise InputError("dataset.ranges is empty; the first of them is the range of P@L")
    config.model.dtype = dtype
    return config


def print_line(dtype: str, found: Maps, reference: Maps) -> None:
    """One line: how far the maps agree, and what that does to P@L."""
    agreements = [agreement(*pair) for pair in zip(found.scores, reference.scores, strict=True)]
    change = found.bootstrap.difference(found.precision, reference.precision)
    agreed, seconds = _agreement(agreements), f"{found.seconds:.2f}"
    print_columns(dtype, found.device, *agreed, _interval(change), seconds)


def print_columns(*columns: str) -> None:
    """Texts to the right of their columns."""
    line = "".join(f"{text:>{width}}" for text, width in zip(columns, WIDTHS, strict=True))
    print(line, flush=True)


def _agreement(found: list[Agreement]) -> tuple[str, str, str, str]:
    """The largest error of any protein, median and worst Spearman, mean share of the top L."""
    error = max(one.max_relative for one in found)
    correlations = [one.spearman for one in found]
    top = float(np.mean([one.top_l for one in found]))
    median, worst = np.median(correlations), min(correlations)
    return f"{error:.1e}", f"{median:.6f}", f"{worst:.6f}", f"{top:.1%}"


def _interval(change: Estimate) -> str:
    if np.isnan(change.mean):
        return "no structures"
    return f"{change.mean:+.3f} [{change.low:+.3f}, {change.high:+.3f}]"


if __name__ == "__main__":
    main()
