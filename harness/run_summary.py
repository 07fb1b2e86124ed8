"""What a run comes to: means with intervals, costs, and what they were measured with."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pandas import DataFrame

from harness.curves import curve_plot
from harness.errors import InputError
from harness.isoform_pages import write_index
from harness.metrics import CONTACTS
from harness.protocols import Evaluation, RowSummary, SummarizesRows
from harness.provenance import provenance
from harness.results import RunFolder, grouped, summarize, summarize_facts
from harness.runner import Experiment, RunNames
from harness.statistics import Bootstrap

INPUTS = ("dataset_version", "weights_sha256")
"""What names the content of a data set and of weights, wherever they lie."""


@dataclass(frozen=True)
class Basis:
    """What a summary is made with, beside the rows.

    `evaluation` may be none where proteins have no more rows than one a metric and range; `inputs`
    are what the rows were measured on (`INPUTS`).
    """

    evaluation: Evaluation | None
    statistics: Bootstrap
    n_parameters: int
    inputs: Mapping[str, str]

    @classmethod
    def of(cls, experiment: Experiment) -> "Basis":
        """That of an experiment."""
        n_parameters = experiment.model.n_parameters if experiment.model else 0
        own = (experiment.evaluation, experiment.statistics)
        return cls(*own, n_parameters, inputs(experiment))


def summarize_run(
    basis: Basis, results: RunFolder, names: RunNames, config: Mapping[str, Any]
) -> dict[str, Any]:
    """The content of summary.json; InputError where there is nothing to sum up.

    A shard may have nothing: the others may.
    """
    rows, journal = results.rows(), results.finished()
    commits = dict.fromkeys(entry.get("commit", "unknown") for entry in journal.values())
    groups = {
        name: _measured(rows, [journal[protein] for protein in proteins], basis)
        for name, proteins in grouped(journal).items()
    }
    contact = CONTACTS[config["contact"]]
    defined = {"contact_atom": contact.atom, "contact_cutoff": contact.cutoff}
    place = {"label": names.label, "ranges": config["dataset"]["ranges"]}
    found = _sum_up(rows, basis)
    if found is None and isinstance(basis.evaluation, SummarizesRows) and not names.shard:
        raise InputError(
            "no protein has anything to look at: none of its blocks qualifies "
            "(evaluation.targets.threshold, size, margin), or none is listed"
        )
    if found is not None:
        _write_tables(found, basis, results, names)
    write_index(results, names.whole.label)
    return {
        "run": asdict(names) | place | defined,
        **_measured(rows, list(journal.values()), basis, found),
        "groups": groups,
        "provenance": provenance() | {"commit": ", ".join(commits), **basis.inputs},
    }


def _measured(
    rows: DataFrame,
    entries: Sequence[Mapping[str, Any]],
    basis: Basis,
    found: RowSummary | None = None,
) -> dict[str, Any]:
    """Estimates, cost and facts of the proteins of these journal entries.

    `found` is what all rows come to, where that is known already.
    """
    own = rows[rows["protein"].isin([entry["protein"] for entry in entries])]
    found = _sum_up(own, basis) if found is None else found
    estimates = summarize(own, basis.statistics) if found is None else found.estimates
    return {
        "metrics": [dict(estimate) for estimate in estimates],
        "cost": _cost(entries, basis.n_parameters),
        "facts": summarize_facts(entries),
    }


def _sum_up(rows: DataFrame, basis: Basis) -> RowSummary | None:
    """What an evaluation with many rows a protein makes of them; none where there is nothing."""
    evaluation = basis.evaluation
    if not isinstance(evaluation, SummarizesRows) or rows.empty:
        return None
    return evaluation.summarize(rows, basis.statistics)


def _write_tables(found: RowSummary, basis: Basis, results: RunFolder, names: RunNames) -> None:
    """Files of a run with many rows a protein."""
    results.write_tables(found)
    if len(found.curves):
        curves, level = {names.label: found.curves}, basis.statistics.level
        curve_plot(results.path / "curves.png", curves, level)


def _cost(entries: Sequence[Mapping[str, Any]], n_parameters: int) -> dict[str, float]:
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
        "n_parameters": n_parameters,
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
