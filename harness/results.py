"""Results on disk: rows as they are measured, and the summary made of them.

A run folder holds
    config.yaml      what was asked for, resolved
    rows.csv         one measured number a line; the same run gives the same bytes
    proteins.jsonl   one line a finished protein: facts, cost, and where its rows end
    scores/          one .npz a protein (when asked for)
    maps/            one picture a protein (when asked for)
    summary.json     means with intervals, cost, provenance

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
from filelock import FileLock, Timeout
from jaxtyping import Float
from numpy import ndarray

from harness.errors import HarnessError, InputError
from harness.protocols import Row
from harness.statistics import Bootstrap

COLUMNS = ("protein", "method", "model", "metric", "range", "value")
ROWS, JOURNAL, SUMMARY, CONFIG = "rows.csv", "proteins.jsonl", "summary.json", "config.yaml"
UNFINISHED = "unfinished.txt"


@dataclass(frozen=True)
class RunFolder:
    """An open run folder: what is done, and a place to put what comes next."""

    path: Path
    method: str
    model: str
    coordinates: tuple[str, ...]

    def finished(self) -> dict[str, dict[str, Any]]:
        """Facts and cost of the finished proteins, by id, in the order they were measured."""
        lines = _whole_lines(self.path / JOURNAL)
        return {entry["protein"]: entry for entry in map(json.loads, lines)}

    def claim(self, config: Mapping[str, Any], text: str) -> None:
        """Mark the folder as this configuration's, and cut off what a killed run left over.

        `text` becomes config.yaml. Raises InputError when the folder holds another configuration.
        """
        fingerprint = self.path / ".identity.json"
        if fingerprint.exists():
            _check_identity(self.path, json.loads(fingerprint.read_text("utf-8")), config)
        for path, content in ((self.path / CONFIG, text), (fingerprint, json.dumps(config))):
            with _replacing(path) as partial:
                partial.write_text(content, encoding="utf-8")
        self._recover()

    def _recover(self) -> None:
        """Cut off what a killed run left after its last finished protein."""
        entries = list(self.finished().values())
        header = ",".join((*COLUMNS, *self.coordinates)) + "\n"
        rows, journal = self.path / ROWS, self.path / JOURNAL
        if not entries:
            rows.write_text(header, encoding="utf-8")
        else:
            _truncate(rows, entries[-1]["rows_end"])
        journal.touch()
        _truncate(journal, sum(len(line) for line in _whole_lines(journal)))

    def append(self, protein: str, rows: Iterable[Row], facts: Mapping[str, float]) -> None:
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
        with _replacing(target) as partial, partial.open("wb") as stream:
            np.savez_compressed(stream, scores=scores.astype(np.float32))

    def rows(self) -> pd.DataFrame:
        """All rows measured so far."""
        return read_rows(self.path)

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Write summary.json, whole or not at all; NaN becomes null."""
        with _replacing(self.path / SUMMARY) as partial:
            text = json.dumps(_without_nan(summary), indent=2, allow_nan=False)
            partial.write_text(text + "\n", encoding="utf-8")


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """The folder to itself; HarnessError when another process works in it.

    `unfinished.txt` stands in the folder from here until the block ends well, so that a failed or
    killed run can be told from a finished one.
    """
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise HarnessError(
            f"{folder}: another process is writing here; wait for it or choose another folder "
            "with hydra.run.dir=DIR"
        ) from error
    try:
        marker = folder / UNFINISHED
        marker.write_text("running, or killed\n", encoding="utf-8")
        try:
            yield
        except HarnessError as error:
            marker.write_text(f"{error}\n", encoding="utf-8")
            raise
        marker.unlink()
    finally:
        lock.release()


def summarize(rows: pd.DataFrame, bootstrap: Bootstrap) -> list[dict[str, Any]]:
    """Per metric and range: mean over proteins with its interval, n, and how many unscored."""
    groups = rows.groupby(["metric", "range"], sort=False, dropna=False)["value"]
    return [
        {"metric": metric, "range": name, **asdict(bootstrap.mean(values.to_numpy(float)))}
        for (metric, name), values in groups
    ]


def read_rows(folder: Path) -> pd.DataFrame:
    """The rows of a run folder; an empty range stays an empty string."""
    text_columns = {name: str for name in COLUMNS if name != "value"}
    return pd.read_csv(
        folder / ROWS, dtype=text_columns, keep_default_na=False, na_values={"value": ["nan"]}
    )


def read_summary(folder: Path) -> dict[str, Any]:
    """The summary of a finished run folder."""
    summary: dict[str, Any] = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    return summary


def find_metric(summary: Mapping[str, Any], metric: str, name: str) -> dict[str, Any]:
    """The estimate of one metric and range; nothing but missing values when it was not measured."""
    for estimate in summary["metrics"]:
        if (estimate["metric"], estimate["range"]) == (metric, name):
            return dict(estimate)
    return dict.fromkeys(("mean", "low", "high")) | {"n": 0, "unscored": 0}


def check_writable(folder: Path) -> None:
    """Create the folder and a file in it; HarnessError saying what to do when that fails."""
    probe = folder / ".writable"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise HarnessError(
            f"{folder}: cannot write here ({error.strerror}); choose another folder with "
            "hydra.run.dir=DIR (or hydra.sweep.dir=DIR for a sweep)"
        ) from error


def _check_identity(folder: Path, earlier: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    names = sorted(key for key in {*earlier, *now} if earlier.get(key) != now.get(key))
    if names:
        changes = "; ".join(f"{name}: {earlier.get(name)} → {now.get(name)}" for name in names)
        raise InputError(
            f"{folder}: holds a run of another configuration ({changes}); nothing was changed. "
            "Choose another folder with hydra.run.dir=DIR"
        )


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
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
