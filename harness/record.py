"""What becomes of a run: files kept on the way, the summary at the end, the tracker's copy."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from harness import run_summary
from harness.coupled_pairs import PairCouplings
from harness.coupling_plots import couplings_plot
from harness.curves import filling_plot
from harness.errors import InputError
from harness.isoform_pages import FOLDER as ISOFORMS
from harness.isoform_pages import TABLE, write_pair
from harness.isoform_pair import IsoformPair
from harness.journal import JOURNAL, ROWS
from harness.metrics import CONTACTS
from harness.pairs import kept_pairs
from harness.pictures import FORMS
from harness.plots import MapStyle, contact_map
from harness.protocols import TrackedRun
from harness.recording import Watched
from harness.results import (
    CONFIG,
    CURVES,
    MANIFEST,
    SUMMARY,
    TARGETS,
    VALUES,
    RunFolder,
    fact_means,
    headline,
    read_values,
)
from harness.runner import Detail, Experiment, RunNames
from harness.sample import Sample

FREE = (
    *("quiet", "tracker.", "statistics.", "outputs", "dataset.cache"),
    *("predictions", "dataset.path", "dataset.groups", "dataset.failures"),
    *("dataset.source.", "dataset.structures.", "dataset.sequences.", "dataset.secondary_"),
    *("model.source.", "model.path", "model.device", "model.tokens_per_batch", "model.context"),
    *("method.folder", "evaluation.at", "dataset.pairs", "dataset.fasta", "dataset.uniprot."),
)
"""Beginnings of keys that may differ between a run and its continuation: where things are and how
they are summed up. What lies there is named by `run_summary.INPUTS`."""


@dataclass(frozen=True)
class Keeper:
    """Keeps score maps, pictures and best pairs of a run, as its configuration asks."""

    results: RunFolder
    names: RunNames
    config: Mapping[str, Any]

    def __post_init__(self) -> None:
        for key in ("save_scores", "pictures", "quiet"):
            if not isinstance(self.config[key], bool):
                raise InputError(f"{key} is {self.config[key]}; allowed are true and false")

    def __call__(
        self,
        sample: Sample,
        scores: Float[ndarray, "L L"],
        watched: Sequence[Watched],
        shown: Sequence[Detail],
    ) -> None:
        """Write the files of one protein."""
        identifier = sample.protein.id
        if self.config["save_scores"]:
            self.results.save_scores(identifier, scores)
        if self.config["pictures"]:
            contact, ranges = CONTACTS[self.config["contact"]], self.config["dataset"]["ranges"]
            pairs = self.results.path / "pairs" / f"{identifier}.npz"
            kept_pairs(sample, scores, contact, ranges).save(pairs)
            style = MapStyle(contact, ranges[0])
            path = self.results.path / "maps" / f"{identifier}.png"
            title = f"{identifier} · {self.names.whole.label}"
            contact_map(path, sample, scores, title, style)
            if watched:
                filling_plot(path.with_name(f"{identifier}_filling.png"), watched, title)
            couplings = [detail for detail in shown if isinstance(detail, PairCouplings)]
            if couplings:
                couplings_plot(path.with_name(f"{identifier}_couplings.png"), couplings, title)
        for pair in shown:
            if isinstance(pair, IsoformPair):
                write_pair(self.results, pair, self.names.whole.label, self.config["pictures"])


def identity(config: Mapping[str, Any], experiment: Experiment) -> dict[str, str]:
    """What must not change between a run and its continuation, as text."""
    return settings(config) | run_summary.inputs(experiment)


def settings(config: Mapping[str, Any]) -> dict[str, str]:
    """The part of a run's identity that is known before anything is built."""
    parts = (config["method"], config.get("evaluation", {}).get("reference", {}))
    unread = () if any("model" in part for part in parts) else ("model.",)
    flat = _flat(config)
    return {key: str(flat[key]) for key in flat if not (_free(key) or key.startswith(unread))}


def _free(key: str) -> bool:
    """Whether it may differ; in a data set made of another one, as in that one."""
    return key.replace("dataset.whole.", "dataset.").startswith(FREE)


def describe(tracked: TrackedRun, names: RunNames, config: Mapping[str, Any]) -> None:
    """Tell the tracker what the run is, before it begins.

    What a continuation may change is a tag: MLflow's parameters are written once.
    """
    short = asdict(names) | {"model": names.model or "none"}
    marks = {"label": names.label} | ({"shard": names.shard} if names.shard else {})
    del short["shard"]
    left_out = ("tracker.",) if names.model else ("tracker.", "model.")
    flat = {key: v for key, v in _flat(config).items() if not key.endswith("_target_")}
    read = {key: value for key, value in flat.items() if not key.startswith(left_out)}
    fixed = {key: value for key, value in read.items() if not _free(key)}
    free = {key: str(value) for key, value in read.items() if key not in fixed}
    tracked.record(fixed | short, {}, free | marks)


def send(tracked: TrackedRun, results: RunFolder, summary: Mapping[str, Any]) -> None:
    """Copy a finished run to the tracker."""
    tracked.record({}, shown_metrics(summary), tags(summary))
    tracked.table("rows.json", wide_table(results))
    names = [ROWS, JOURNAL, SUMMARY, CONFIG, MANIFEST, VALUES, CURVES, TARGETS, TABLE]
    names += [f"curves{suffix}" for suffix in FORMS]
    tracked.files([path for name in names if (path := results.path / name).exists()], "")
    for name, points in curves(results).items():
        tracked.curve(f"curve/{name}", points)
    kinds = (("maps", "png"), ("pairs", "npz"), (ISOFORMS, "html"), (ISOFORMS, "csv"))
    for kind, ending in kinds:
        tracked.files(sorted((results.path / kind).glob(f"*.{ending}")), kind)


def shown_metrics(summary: Mapping[str, Any]) -> dict[str, float]:
    """Estimates, cost and facts of a finished run, as the tracker shows them."""
    cost = {f"cost/{key}": value for key, value in summary["cost"].items()}
    metrics = _metrics(summary) | cost | _axes(summary["cost"])
    shown = {key: _rounded(value) for key, value in metrics.items()}
    facts = {key: _significant(value) for key, value in fact_means(summary).items()}
    return shown | facts


def _metrics(summary: Mapping[str, Any]) -> dict[str, float | None]:
    """Every mean, intervals of P@L, and the headline metric of each group."""
    metrics = {}
    for item in summary["metrics"]:
        name = _path(item["metric"], item["range"])
        metrics[name] = item["mean"]
        if item["metric"] == "p_at_L":
            metrics |= {f"interval/{name}_low": item["low"], f"interval/{name}_high": item["high"]}
    main, _ = headline([summary])
    for group, part in summary["groups"].items():
        chosen = [item for item in part["metrics"] if item["metric"] == main]
        metrics |= {_path(main, item["range"], _legal(group)): item["mean"] for item in chosen}
    return metrics


def _path(*parts: object) -> str:
    """One name of several; an empty part (no range) is left out, as MLflow wants it."""
    return "/".join(str(part) for part in parts if part)


def _legal(group: str) -> str:
    """How metrics call a group; what MLflow's names may not hold, and '/', by its hexadecimal code.

    Replacing it by one letter for all would make one group of SCOP's classes a+b and a/b.
    """
    return "group_" + re.sub(r"[^\w. -]", lambda found: f"_{ord(found[0]):x}_", group)


def _significant(value: float | None) -> float:
    """Six digits: facts may be as large as an objective and as small as a gradient."""
    return float("nan") if value is None else float(f"{value:.6g}")


def _rounded(value: float | None) -> float:
    """Four decimals, as many as a table can show; summary.json has them all."""
    return float("nan") if value is None else round(value, 4)


def curves(results: RunFolder) -> dict[str, dict[int, float]]:
    """Curves of a run by metric and range: a mean at each step. None where there are none."""
    path = results.path / CURVES
    if not path.exists():
        return {}
    lines = pd.read_csv(path).groupby(["metric", "range"], sort=False)
    return {
        _path(metric, name): dict(zip(own["flank"].tolist(), own["mean"].round(4), strict=True))
        for (metric, name), own in lines
    }


def wide_table(results: RunFolder) -> Any:
    """One line a protein, one column a metric and range: what MLflow compares across runs."""
    rows = read_values(results.path)
    rows["name"] = [_path(*pair) for pair in zip(rows["metric"], rows["range"], strict=True)]
    wide = rows.pivot(index="protein", columns="name", values="value").round(4)
    return wide[list(dict.fromkeys(rows["name"]))].reset_index()


def tags(summary: Mapping[str, Any]) -> dict[str, str]:
    """Names and provenance of a run as text."""
    facts = summary["run"] | summary["provenance"]
    return {key: str(value) for key, value in facts.items() if value}


def _flat(
    config: Mapping[str, Any], prefix: str = "", top: Mapping[str, Any] | None = None
) -> dict[str, object]:
    """The configuration flattened to `group.key`.

    Left out are copies: what a group has interpolated from the top level (method.model, …).
    """
    flat: dict[str, object] = {}
    top = config if top is None else top
    for group, node in config.items():
        if not isinstance(node, Mapping):
            flat[prefix + group] = node
            continue
        own = {key: value for key, value in node.items() if value != top.get(key)}
        flat |= _flat(own, f"{prefix}{group}.", top)
    return flat


def _axes(cost: Mapping[str, float]) -> dict[str, float]:
    """Metrics that charts put on an axis; MLflow's have no logarithmic one."""
    logarithmic = ("n_parameters", "seconds_per_protein", "flops_per_protein")
    axes = {f"log10_{key}": math.log10(cost[key]) for key in logarithmic if cost[key] > 0}
    if cost["n_parameters"]:
        axes["n_parameters"] = cost["n_parameters"]
    return axes | {"sequence_length": cost["sequence_length"]}
