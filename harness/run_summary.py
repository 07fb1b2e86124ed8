"""What a run comes to: means with intervals, costs, and what they were measured with."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pandas import DataFrame

from harness.curves import curve_plot
from harness.errors import InputError
from harness.metrics import CONTACTS
from harness.protocols import Model, SummarizesRows
from harness.provenance import provenance
from harness.results import RunFolder, grouped, summarize, summarize_facts
from harness.runner import Experiment, RunNames

INPUTS = ("dataset_version", "weights_sha256")
"""What names the content of a data set and of weights, wherever they lie."""


def summarize_run(
    experiment: Experiment, results: RunFolder, names: RunNames, config: Mapping[str, Any]
) -> dict[str, Any]:
    """The content of summary.json."""
    rows, journal = results.rows(), results.finished()
    commits = dict.fromkeys(entry.get("commit", "unknown") for entry in journal.values())
    groups = {
        name: _measured(rows, [journal[protein] for protein in proteins], experiment)
        for name, proteins in grouped(journal).items()
    }
    contact = CONTACTS[config["contact"]]
    defined = {"contact_atom": contact.atom, "contact_cutoff": contact.cutoff}
    place = {"label": names.label, "ranges": config["dataset"]["ranges"]}
    _write_tables(rows, experiment, results, names)
    return {
        "run": asdict(names) | place | defined,
        **_measured(rows, list(journal.values()), experiment),
        "groups": groups,
        "provenance": provenance() | {"commit": ", ".join(commits)} | inputs(experiment),
    }


def _measured(
    rows: DataFrame, entries: Sequence[Mapping[str, Any]], experiment: Experiment
) -> dict[str, Any]:
    """Estimates, cost and facts of the proteins of these journal entries."""
    own = rows[rows["protein"].isin([entry["protein"] for entry in entries])]
    return {
        "metrics": _estimates(own, experiment),
        "cost": _cost(entries, experiment.model),
        "facts": summarize_facts(entries),
    }


def _estimates(rows: DataFrame, experiment: Experiment) -> list[dict[str, Any]]:
    evaluation, statistics = experiment.evaluation, experiment.statistics
    if not isinstance(evaluation, SummarizesRows):
        return summarize(rows, statistics)
    found = evaluation.summarize(rows, statistics).estimates if len(rows) else []
    return [dict(estimate) for estimate in found]


def _write_tables(
    rows: DataFrame, experiment: Experiment, results: RunFolder, names: RunNames
) -> None:
    """Files of a run with many rows a protein; InputError when no protein has any."""
    if not isinstance(experiment.evaluation, SummarizesRows):
        return
    if rows.empty:
        raise InputError(
            "no protein has anything to look at: none of its blocks qualifies "
            "(evaluation.targets.threshold, size, margin), or none is listed"
        )
    found = experiment.evaluation.summarize(rows, experiment.statistics)
    results.write_tables(found)
    curve_plot(
        results.path / "curves.png", {names.label: found.curves}, experiment.statistics.level
    )


def _cost(entries: Sequence[Mapping[str, Any]], model: Model | None) -> dict[str, float]:
    n = max(1, len(entries))
    seconds = math.fsum(entry["seconds"] for entry in entries)
    flops = _total(entries, "flops")
    return {
        "n_proteins": len(entries),
        "sequence_length": _total(entries, "length") / n,
        "seconds": seconds,
        "seconds_per_protein": seconds / n,
        "forward_passes": _total(entries, "forward_passes"),
        "tokens": _total(entries, "tokens"),
        "flops": flops,
        "flops_per_protein": flops / n,
        "n_parameters": model.n_parameters if model else 0,
        "peak_memory_bytes": _most(entries, "peak_memory_bytes"),
        "peak_device_bytes": _most(entries, "peak_device_bytes"),
    }


def _total(entries: Sequence[Mapping[str, Any]], key: str) -> int:
    return sum(entry.get(key, 0) for entry in entries)


def _most(entries: Sequence[Mapping[str, Any]], key: str) -> int:
    return max((entry.get(key, 0) for entry in entries), default=0)


def inputs(experiment: Experiment) -> dict[str, str]:
    """What the numbers were measured on."""
    weights = experiment.model.fingerprint if experiment.model else ""
    return dict(zip(INPUTS, (experiment.dataset.version, weights), strict=True))
