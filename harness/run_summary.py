"""What a run comes to: means with intervals, costs, and what they were measured with."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pandas import DataFrame

from harness.curves import curve_plot
from harness.errors import InputError
from harness.metrics import CONTACTS
from harness.protocols import Model, RowSummary, SummarizesRows
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
    found = _sum_up(rows, experiment)
    if found is None and isinstance(experiment.evaluation, SummarizesRows):
        raise InputError(
            "no protein has anything to look at: none of its blocks qualifies "
            "(evaluation.targets.threshold, size, margin), or none is listed"
        )
    if found is not None:
        _write_tables(found, experiment, results, names)
    return {
        "run": asdict(names) | place | defined,
        **_measured(rows, list(journal.values()), experiment, found),
        "groups": groups,
        "provenance": provenance() | {"commit": ", ".join(commits)} | inputs(experiment),
    }


def _measured(
    rows: DataFrame,
    entries: Sequence[Mapping[str, Any]],
    experiment: Experiment,
    found: RowSummary | None = None,
) -> dict[str, Any]:
    """Estimates, cost and facts of the proteins of these journal entries.

    `found` is what all rows come to, where that is known already.
    """
    own = rows[rows["protein"].isin([entry["protein"] for entry in entries])]
    found = _sum_up(own, experiment) if found is None else found
    estimates = summarize(own, experiment.statistics) if found is None else found.estimates
    return {
        "metrics": [dict(estimate) for estimate in estimates],
        "cost": _cost(entries, experiment.model),
        "facts": summarize_facts(entries),
    }


def _sum_up(rows: DataFrame, experiment: Experiment) -> RowSummary | None:
    """What an evaluation with many rows a protein makes of them; none where there is nothing."""
    evaluation = experiment.evaluation
    if not isinstance(evaluation, SummarizesRows) or rows.empty:
        return None
    return evaluation.summarize(rows, experiment.statistics)


def _write_tables(
    found: RowSummary, experiment: Experiment, results: RunFolder, names: RunNames
) -> None:
    """Files of a run with many rows a protein."""
    results.write_tables(found)
    if len(found.curves):
        curves, level = {names.label: found.curves}, experiment.statistics.level
        curve_plot(results.path / "curves.png", curves, level)


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
