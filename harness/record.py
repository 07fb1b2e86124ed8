"""What becomes of a run: files kept on the way, the summary at the end, the tracker's copy."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from jaxtyping import Float
from numpy import ndarray

from harness.metrics import CONTACTS
from harness.plots import MapStyle, contact_map
from harness.protocols import TrackedRun
from harness.provenance import provenance
from harness.results import CONFIG, ROWS, SUMMARY, RunFolder, summarize
from harness.runner import Experiment, RunNames, peak_memory
from harness.sample import Sample
from harness.statistics import Bootstrap


@dataclass(frozen=True)
class Keeper:
    """Keeps score maps and pictures of a run, as its configuration asks."""

    results: RunFolder
    names: RunNames
    config: Mapping[str, Any]

    def __call__(self, sample: Sample, scores: Float[ndarray, "L L"]) -> None:
        """Write the files of one protein."""
        identifier = sample.protein.id
        if self.config["save_scores"]:
            self.results.save_scores(identifier, scores)
        if self.config["pictures"]:
            contact = CONTACTS[self.config["contact"]]
            style = MapStyle(contact, self.config["dataset"]["ranges"][0])
            path = self.results.path / "maps" / f"{identifier}.png"
            contact_map(path, sample, scores, f"{identifier} · {self.names.label}", style)


def identity(config: Mapping[str, Any], experiment: Experiment) -> dict[str, str]:
    """What must not change between a run and its continuation, as text."""
    free = ("tracker", "statistics", "outputs", "model")
    chosen = {key: value for key, value in config.items() if key not in free}
    return {key: str(value) for key, value in (parameters(chosen) | _inputs(experiment)).items()}


def summarize_run(
    experiment: Experiment, results: RunFolder, names: RunNames, config: Mapping[str, Any]
) -> dict[str, Any]:
    """The content of summary.json."""
    entries = list(results.finished().values())
    seconds = math.fsum(entry["seconds"] for entry in entries)
    model = experiment.model
    cost = {
        "n_proteins": len(entries),
        "sequence_length": sum(entry["length"] for entry in entries) / max(1, len(entries)),
        "seconds": seconds,
        "seconds_per_protein": seconds / max(1, len(entries)),
        "forward_passes": sum(entry["forward_passes"] for entry in entries),
        "n_parameters": model.n_parameters if model else 0,
        "peak_memory_bytes": peak_memory(),
    }
    return {
        "run": asdict(names) | {"label": names.label, "ranges": config["dataset"]["ranges"]},
        "metrics": summarize(results.rows(), Bootstrap(**_without_target(config["statistics"]))),
        "cost": cost,
        "provenance": provenance() | _inputs(experiment),
    }


def send(
    tracked: TrackedRun, results: RunFolder, summary: Mapping[str, Any], config: Mapping[str, Any]
) -> None:
    """Copy a finished run to the tracker."""
    metrics = {}
    for item in summary["metrics"]:
        name = f"{item['metric']}/{item['range']}"
        metrics[name] = item["mean"]
        if item["metric"] == "p_at_L":
            metrics |= {f"interval/{name}_low": item["low"], f"interval/{name}_high": item["high"]}
    metrics |= {f"cost/{key}": value for key, value in summary["cost"].items()}
    tracked.record(parameters(config), metrics, tags(summary))
    tracked.table("rows.json", wide_table(results))
    tracked.files([results.path / name for name in (ROWS, SUMMARY, CONFIG)], "")
    tracked.files(sorted((results.path / "maps").glob("*.png")), "maps")


def wide_table(results: RunFolder) -> Any:
    """One line a protein, one column a metric and range: what MLflow compares across runs."""
    rows = results.rows()
    rows["name"] = rows["metric"] + "/" + rows["range"]
    wide = rows.pivot(index="protein", columns="name", values="value").round(4)
    return wide[list(dict.fromkeys(rows["name"]))].reset_index()


def parameters(config: Mapping[str, Any], prefix: str = "") -> dict[str, object]:
    """The configuration flattened to `group.key`; Hydra's own keys left out."""
    flat: dict[str, object] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            flat |= parameters(value, f"{prefix}{key}.")
        elif key != "_target_":
            flat[f"{prefix}{key}"] = value
    return flat


def tags(summary: Mapping[str, Any]) -> dict[str, str]:
    """Names and provenance of a run as text."""
    run = {key: str(value) for key, value in summary["run"].items()}
    return run | {key: str(value) for key, value in summary["provenance"].items()}


def _inputs(experiment: Experiment) -> dict[str, str]:
    """What the numbers were measured on."""
    return {
        "dataset_version": experiment.dataset.version,
        "weights_sha256": experiment.model.fingerprint if experiment.model else "",
    }


def _without_target(node: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in node.items() if key != "_target_"}
