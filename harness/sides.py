"""The two sides of a comparison: a finished run folder, or a reference frozen in a file.

A frozen reference is a JSON file of everything that a comparison needs of a run: its names and
settings, what it was measured with and on (packages, commit, SHA-256 of weights and data), values
and cost of every protein, and a SHA-256 over all of that, which an edited file does not match.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from harness.comparison import COSTS
from harness.digests import digest, text_digest
from harness.errors import InputError
from harness.journal import read_journal
from harness.json_text import parse
from harness.results import MANIFEST, SUMMARY, read_summary, read_values, replacing

FORMAT = 1


@dataclass(frozen=True)
class Side:
    """One run in a comparison.

    `values` has a row a protein, metric and range, with its weight; `costs` are by protein;
    `facts` are names (`run`), settings and provenance. `folder` is empty for a frozen reference;
    `arguments` are those of the command that makes it again, where they are known.
    """

    source: str
    facts: Mapping[str, Mapping[str, Any]]
    values: pd.DataFrame
    costs: Mapping[str, Mapping[str, float]]
    folder: Path | None
    arguments: Sequence[str]

    @property
    def label(self) -> str:
        """How tables call it."""
        return str(self.facts["run"]["label"])

    @cached_property
    def definitions(self) -> dict[str, str]:
        """What its numbers mean, by name; only equal ones can be compared."""
        run, settings = self.facts["run"], self.facts["settings"]
        found = {
            "contact": f"{run['contact_atom']} < {run['contact_cutoff']:g} Å",
            "ranges": ", ".join(run["ranges"]),
            "data set": self.facts["provenance"]["dataset_version"],
        }
        return found | {k: v for k, v in settings.items() if k.startswith("evaluation.")}

    def cost(self, proteins: Sequence[str]) -> dict[str, float]:
        """Totals over these proteins."""
        return {key: math.fsum(self.costs[name][key] for name in proteins) for key in COSTS}


def read_side(folder: Path, source: str = "") -> Side:
    """The finished run in a folder; InputError when there is none."""
    if not (folder / SUMMARY).exists():
        raise InputError(f"{folder}: no finished run is here ({SUMMARY} is missing)")
    summary = read_summary(folder)
    if "settings" not in summary:
        raise InputError(
            f"{folder}: the summary is of an older version; the same command with "
            f"hydra.run.dir={folder} writes it again without measuring anything anew"
        )
    facts = {key: summary[key] for key in ("run", "settings", "provenance")}
    facts["provenance"].pop("platform", None)  # says nothing about numbers, much about a machine
    if (folder / MANIFEST).exists():
        facts["provenance"]["dataset_sha256"] = digest(folder / MANIFEST)
    costs = {
        protein: {key: entry.get(key, 0) for key in COSTS}
        for protein, entry in read_journal(folder).items()
    }
    return Side(source or str(folder), facts, read_values(folder), costs, folder, ())


def write_frozen(path: Path, side: Side, arguments: Sequence[str]) -> None:
    """Write a run as a frozen reference; `arguments` are those of the command that made it."""
    proteins = list(side.costs)
    tables = side.values.groupby(["metric", "range"], sort=False)
    content: dict[str, Any] = {"format": FORMAT}
    content |= {"arguments": list(arguments), **side.facts, "proteins": proteins}
    content |= {"costs": {key: [side.costs[name][key] for name in proteins] for key in COSTS}}
    content |= {f"{metric}/{name}": _columns(own, proteins) for (metric, name), own in tables}
    content["sha256"] = _digest(content)
    lines = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in content.items())
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        partial.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def read_frozen(path: Path) -> Side:
    """A frozen reference; InputError for a file that is none, or that was changed."""
    try:
        content = parse(path.read_text(encoding="utf-8"))
        own = content.pop("sha256")
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise InputError(f"{path}: not a frozen reference; freeze={path} makes one") from error
    if content.get("format") != FORMAT:
        raise InputError(f"{path}: format {content.get('format')}; this version reads {FORMAT}")
    if own != _digest(content):
        raise InputError(f"{path}: changed since it was frozen (its SHA-256 differs); freeze again")
    costs = {
        protein: {key: content["costs"][key][n] for key in COSTS}
        for n, protein in enumerate(content["proteins"])
    }
    facts = {name: content[name] for name in ("run", "settings", "provenance")}
    return Side(str(path), facts, _values(content), costs, None, content["arguments"])


def _values(content: Mapping[str, Any]) -> pd.DataFrame:
    """The table of values; null is a value that could not be measured."""
    rows = [
        (protein, *key.split("/", 1), math.nan if value is None else value, weight)
        for key, own in content.items()
        if "/" in key
        for protein, value, weight in zip(
            content["proteins"], own["value"], own["weight"], strict=True
        )
        if weight is not None
    ]
    return pd.DataFrame(rows, columns=["protein", "metric", "range", "value", "weight"])


def _columns(rows: pd.DataFrame, proteins: Sequence[str]) -> dict[str, list[float | None]]:
    """Value and weight of each protein; a protein without a row has no weight."""
    own = rows.set_index("protein").reindex(list(proteins))
    return {
        key: [None if math.isnan(value) else value for value in own[key].tolist()]
        for key in ("value", "weight")
    }


def _digest(content: Mapping[str, Any]) -> str:
    return text_digest(json.dumps(content, sort_keys=True))
