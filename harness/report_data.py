"""What a report shows, as plain values: the numbers of the run folders, and nothing computed anew.

Every metric of every range is called by one key, `metric range`.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from harness.comparison import ComparedRun, ComparedRuns, costs
from harness.journal import read_journal
from harness.metrics import RANGES, SeparationRange
from harness.pareto import COSTS, on_front
from harness.report_maps import STEPS, MapSource, fitted_maps
from harness.results import CONFIG, find_metric, headline, read_values

MOST_COMPARED = 12
"""Runs beyond which paired differences (n² of them) are left out."""

ESTIMATE = ("mean", "low", "high", "n", "unscored")

DIGITS = 5
"""Significant digits of a number in the page."""


def report_data(name: str, compared: ComparedRuns, maps_bytes: float) -> dict[str, Any]:
    """The content of a report on these runs."""
    runs, bootstrap = compared.runs, compared.bootstrap
    journals = [read_journal(run.folder) for run in runs]
    proteins = {protein: entry for journal in journals for protein, entry in journal.items()}
    metric, ranges = headline([run.summary for run in runs])
    keys = dict.fromkeys(_key(item) for run in runs for item in run.summary["metrics"])
    shown = [_run(run, list(proteins)) for run in runs]
    main = f"{metric} {ranges[0]}"
    data = {
        "name": name,
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "level": bootstrap.level,
        "resamples": bootstrap.resamples,
        "datasets": list(dict.fromkeys(run.summary["run"]["dataset"] for run in runs)),
        "contacts": list(dict.fromkeys(_contact(run) for run in runs)),
        "ranges": {item: str(RANGES[item]) for item in _ranges(runs)},
        "bounds": {item: _bounds(item) for item in _ranges(runs)},
        "headline": main,
        "keys": list(keys),
        "proteins": [
            {"id": protein, "length": entry["length"], "group": entry.get("group", "")}
            for protein, entry in proteins.items()
        ],
        "runs": shown,
        "fronts": {key: _fronts(runs, key) for key in keys},
        "differences": _differences(compared),
        "maps": _maps(runs, _best_first(list(proteins), shown[0]["values"].get(main)), maps_bytes),
    }
    return plain(data)


def plain(value: Any) -> Any:
    """The value as JSON has it: numbers of five digits, and null for those that are not finite."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return value


def _run(run: ComparedRun, proteins: list[str]) -> dict[str, Any]:
    """One run: names, costs, estimates and the values of these proteins by key, provenance."""
    names, cost = run.summary["run"], run.summary["cost"]
    values = read_values(run.folder)
    values["key"] = values["metric"] + " " + values["range"]
    wide = values.pivot(index="protein", columns="key", values="value").reindex(proteins)
    return {
        "label": run.label,
        "series": f"{names['method']} {names['settings']}".strip(),
        "model": names["model"],
        "parameters": cost["n_parameters"],
        **costs(run),
        "estimates": {_key(item): _estimate(item) for item in run.summary["metrics"]},
        "values": {str(key): wide[key].tolist() for key in wide},
        "facts": dict(run.summary["provenance"]),
        "config": (run.folder / CONFIG).read_text(encoding="utf-8"),
    }


def _key(estimate: Mapping[Any, Any]) -> str:
    return f"{estimate['metric']} {estimate['range']}"


def _estimate(item: Mapping[Any, Any]) -> list[Any]:
    return [item[part] for part in ESTIMATE]


def _contact(run: ComparedRun) -> str:
    names = run.summary["run"]
    return f"{names['contact_atom']} < {names['contact_cutoff']:g} Å"


def _ranges(runs: Sequence[ComparedRun]) -> list[str]:
    return list(dict.fromkeys(name for run in runs for name in run.summary["run"]["ranges"]))


def _bounds(name: str) -> dict[str, int | None]:
    """Separations of a range: the lowest (none between chains), and where it ends."""
    within = RANGES[name]
    if isinstance(within, SeparationRange):
        return {"lowest": within.lowest, "end": within.end}
    return {"lowest": None, "end": None}


def _fronts(runs: Sequence[ComparedRun], key: str) -> dict[str, list[bool]]:
    """Which runs are on the front of each cost; those that have none of it are not."""
    metric, _, name = key.partition(" ")
    means = [find_metric(run.summary, metric, name)["mean"] for run in runs]
    fronts = {}
    for cost in COSTS:
        spent = np.array([costs(run)[cost] or np.nan for run in runs], dtype=float)
        fronts[cost] = on_front(spent, np.array(means, dtype=float)).tolist()
    return fronts


def _differences(compared: ComparedRuns) -> dict[str, list[list[Any]]]:
    """By key: run, the run it is compared with, and the estimate of their difference."""
    if not 2 <= len(compared.runs) <= MOST_COMPARED:
        return {}
    places = {run.label: n for n, run in enumerate(compared.runs)}
    found: dict[str, list[list[Any]]] = {}
    for item in compared.differences.to_dict("records"):
        if not item["group"]:
            pair = [places[item["run"]], places[item["minus"]]]
            found.setdefault(_key(item), []).append(pair + _estimate(item))
    return found


def _best_first(proteins: Sequence[str], values: Sequence[float] | None) -> list[str]:
    """The proteins by falling value; those without one last."""
    known = dict(zip(proteins, values or [], strict=False))
    return sorted(proteins, key=lambda protein: -np.nan_to_num(known.get(protein, 0.0), nan=-1.0))


def _maps(runs: Sequence[ComparedRun], best_first: Sequence[str], limit: float) -> dict[str, Any]:
    """The contact maps of the proteins that have one, and what is left out of them.

    Where there is no room for all, those shown are spread evenly over the order of the proteins.
    """
    sources = []
    for protein in best_first:
        paths = [run.folder / "pairs" / f"{protein}.npz" for run in runs]
        files = [path if path.exists() else None for path in paths]
        if any(files):
            sources.append(MapSource(protein, files))
    level, maps = fitted_maps(sources, _ranges(runs), limit)
    return {"level": level, "kept": len(sources), "steps": STEPS, "proteins": maps}
