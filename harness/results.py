"""Results on disk: rows as they are measured, and the summary made of them.

A run folder holds
    config.yaml      what was asked for, resolved
    dataset.sha256   SHA-256 of each file that the samples were built from, as sha256sum writes it
    rows.csv         one measured number a line; the same run gives the same bytes
    proteins.jsonl   one line a finished protein: facts, cost, group, and where its rows end
    scores/          one .npz a protein (when asked for)
    maps/            one picture a protein (when asked for), and with it
    pairs/           the best pairs and the true contacts, as .npz
    values.csv       where a protein has many rows: what they come to; runs are compared by these
    curves.csv       and the means along an axis (curves.png: drawn), with
    targets.csv      a line for each thing that was looked at
    shard.json       where only a part of the proteins was measured: which part, and all of them
    summary.json     means with intervals, cost, facts, of all and of each group; provenance
    unfinished.txt   only until the run has ended well: why it has not

A protein is finished when its line in proteins.jsonl is whole. Whatever a killed run left behind
after the last such line is cut off when the folder is opened again.
"""

import csv
import io
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from harness.claims import IDENTITY, check_identity
from harness.errors import InputError
from harness.protocols import Row, RowSummary
from harness.statistics import Bootstrap

COLUMNS = ("protein", "method", "model", "metric", "range", "value")
ROWS, JOURNAL, SUMMARY, CONFIG = "rows.csv", "proteins.jsonl", "summary.json", "config.yaml"
MANIFEST = "dataset.sha256"
VALUES, CURVES, TARGETS = "values.csv", "curves.csv", "targets.csv"


@dataclass(frozen=True)
class RunFolder:
    """An open run folder: what is done, and a place to put what comes next."""

    path: Path
    method: str
    model: str
    coordinates: tuple[str, ...]

    def finished(self) -> dict[str, dict[str, Any]]:
        """Facts and cost of the finished proteins, by id, in the order they were measured."""
        return read_journal(self.path)

    def claim(self, identity: Mapping[str, str], text: str) -> None:
        """Mark the folder as this run's, and cut off what a killed run left over.

        `text` becomes config.yaml. Raises InputError when the folder holds another run.
        """
        identity = {"method": self.method, "model": self.model, **identity}
        check_identity(self.path, identity)
        for name, content in ((CONFIG, text), (IDENTITY, json.dumps(identity))):
            with replacing(self.path / name) as partial:
                partial.write_text(content, encoding="utf-8")
        self._recover()

    def write_manifest(self, files: Mapping[str, str]) -> None:
        """Write dataset.sha256, unless the data set is made of no files."""
        if files:
            with replacing(self.path / MANIFEST) as partial:
                lines = (f"{digest}  {name}\n" for name, digest in sorted(files.items()))
                partial.write_text("".join(lines), encoding="utf-8")

    def _recover(self) -> None:
        """Cut off what a killed run left after its last finished protein."""
        entries = list(self.finished().values())
        header = ",".join((*COLUMNS, *self.coordinates)) + "\n"
        rows, journal = self.path / ROWS, self.path / JOURNAL
        if entries:
            _truncate(rows, entries[-1]["rows_end"])
        else:
            rows.write_text(header, encoding="utf-8")
        journal.touch()
        _truncate(journal, sum(len(line) for line in _whole_lines(journal)))

    def append(self, protein: str, rows: Iterable[Row], facts: Mapping[str, Any]) -> None:
        """Add one protein: its rows first, then the line that says they are whole."""
        lines = io.StringIO()
        writer = csv.writer(lines, lineterminator="\n")
        for row in rows:
            places = [_number(row.coordinates[name]) for name in self.coordinates]
            head = (protein, self.method, self.model, row.metric, row.range)
            writer.writerow((*head, _number(row.value), *places))
        end = _append(self.path / ROWS, lines.getvalue())
        entry = {"protein": protein, **facts, "rows_end": end}
        _append(self.path / JOURNAL, json.dumps(entry) + "\n")

    def save_scores(self, protein: str, scores: Float[ndarray, "L L"]) -> None:
        """Write the score map of one protein as scores/<protein>.npz, key `scores`."""
        target = self.path / "scores" / f"{protein}.npz"
        target.parent.mkdir(exist_ok=True)
        with replacing(target) as partial, partial.open("wb") as stream:
            np.savez_compressed(stream, scores=scores.astype(np.float32))

    def rows(self) -> pd.DataFrame:
        """All rows measured so far."""
        return read_rows(self.path)

    def write_tables(self, summary: RowSummary) -> None:
        """Write what the rows come to, each file whole or not at all."""
        tables = {VALUES: summary.values, CURVES: summary.curves, TARGETS: summary.targets}
        for name, table in tables.items():
            with replacing(self.path / name) as partial:
                table.to_csv(partial, index=False)

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Write summary.json, whole or not at all; NaN becomes null."""
        with replacing(self.path / SUMMARY) as partial:
            text = json.dumps(_without_nan(summary), indent=2, allow_nan=False)
            partial.write_text(text + "\n", encoding="utf-8")


def read_values(folder: Path) -> pd.DataFrame:
    """Numbers by protein, metric and range: values.csv, or the rows, each of them once."""
    if not (folder / VALUES).exists():
        return read_rows(folder).assign(weight=1.0)
    types, missing = {"protein": str, "range": str}, {"value": [""]}
    return pd.read_csv(folder / VALUES, dtype=types, keep_default_na=False, na_values=missing)


def summarize(rows: pd.DataFrame, bootstrap: Bootstrap) -> list[dict[str, Any]]:
    """Per metric and range: mean over proteins with its interval, n, and how many unscored."""
    groups = rows.groupby(["metric", "range"], sort=False, dropna=False)["value"]
    return [
        {"metric": metric, "range": name, **asdict(bootstrap.mean(values.to_numpy(float)))}
        for (metric, name), values in groups
    ]


def summarize_facts(entries: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Mean of what the method reported, and for how many proteins it did and did not."""
    reported = [entry.get("facts", {}) for entry in entries]
    means = {}
    for name in dict.fromkeys(name for facts in reported for name in facts):
        known = [facts[name] for facts in reported if facts.get(name) is not None]
        mean = math.fsum(known) / len(known) if known else float("nan")
        means[name] = {"mean": mean, "n": len(known), "unscored": len(entries) - len(known)}
    return means


def read_rows(folder: Path) -> pd.DataFrame:
    """The rows of a run folder; an empty range stays an empty string."""
    types: dict[str, type] = dict.fromkeys(COLUMNS, str) | {"value": float}
    missing = {"value": ["nan"]}
    return pd.read_csv(folder / ROWS, dtype=types, keep_default_na=False, na_values=missing)


def read_journal(folder: Path) -> dict[str, dict[str, Any]]:
    """The line of each finished protein of a run folder, by id, in the order of measurement."""
    lines = _whole_lines(folder / JOURNAL)
    return {entry["protein"]: entry for entry in map(json.loads, lines)}


def grouped(journal: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """The proteins of each group, groups by name; those in none are left out."""
    groups = {protein: entry.get("group", "") for protein, entry in journal.items()}
    return {
        name: [protein for protein, own in groups.items() if own == name]
        for name in sorted(set(groups.values()) - {""})
    }


def read_summary(folder: Path) -> dict[str, Any]:
    """The summary of a finished run folder."""
    summary: dict[str, Any] = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    return summary


def headline(summaries: Iterable[Mapping[str, Any]]) -> tuple[str, list[str]]:
    """The metric that stands for these runs, P@L if one has it, and its ranges, main one first."""
    names = [(item["metric"], item["range"]) for one in summaries for item in one["metrics"]]
    metrics = dict.fromkeys(metric for metric, _ in names)
    metric = "p_at_L" if "p_at_L" in metrics else next(iter(metrics), "p_at_L")
    return metric, list(dict.fromkeys(name for other, name in names if other == metric)) or [""]


def fact_means(summary: Mapping[str, Any]) -> dict[str, float | None]:
    """Means of what the method reported, as tables and the tracker name them: facts/neff, …"""
    return {f"facts/{name}": fact["mean"] for name, fact in summary.get("facts", {}).items()}


def find_metric(summary: Mapping[str, Any], metric: str, name: str) -> dict[str, Any]:
    """The estimate of one metric and range; nothing but missing values when it was not measured."""
    for estimate in summary["metrics"]:
        if (estimate["metric"], estimate["range"]) == (metric, name):
            return dict(estimate)
    return dict.fromkeys(("mean", "low", "high")) | {"n": 0, "unscored": 0}


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A path beside the target that takes its place when the block ends well."""
    partial = target.with_name(f".{target.name}.partial")
    yield partial
    os.replace(partial, target)


def _append(path: Path, text: str) -> int:
    """Add text to a file, safely on disk when this returns; the file's new length in bytes."""
    with path.open("a", encoding="utf-8", newline="") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
        return os.fstat(stream.fileno()).st_size


def _whole_lines(path: Path) -> Sequence[bytes]:
    """The lines of a file that end in a newline."""
    if not path.exists():
        return []
    return [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


def _truncate(path: Path, length: int) -> None:
    if path.stat().st_size < length:
        raise InputError(
            f"{path}: shorter than {JOURNAL} says; it was changed by hand. Restore it, or delete "
            "the run folder to start again"
        )
    os.truncate(path, length)


def _number(value: float) -> str:
    """Shortest text that reads back as the same number; integers without a point."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
