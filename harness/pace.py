"""How fast earlier runs were: one line each in a file that many processes add to."""

import csv
import io
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from statistics import median

PACE = "pace.csv"

_NEWEST = 5
"""So many of the last runs are looked at: the code gets faster."""

_NEAR = 10
"""A model is like another that has at most so many times as many parameters."""


@dataclass(frozen=True)
class Kind:
    """What the pace of a run depends on: machine, method, model and settings.

    `settings` is a digest of how a protein is read; `parameters` is 0 without a model.
    """

    device: str
    dtype: str
    threads: str
    method: str
    model: str
    evaluation: str
    settings: str
    parameters: int

    def alike(self, other: "Kind") -> bool:
        """Whether they differ in settings only, and in a model of a size that is not far off.

        A small model spends its time on other things than a large one.
        """
        mine = replace(self, model="", settings="", parameters=0)
        theirs = replace(other, model="", settings="", parameters=0)
        both_or_none = bool(self.parameters) == bool(other.parameters)
        return mine == theirs and both_or_none and _times(self, other) <= _NEAR


@dataclass(frozen=True)
class Pace:
    """A finished run: `work` (see `harness.plan`) and proteins, and what they took.

    `start` are the seconds that the first protein took longer than the others, `seconds` those of
    the method without these, `elapsed` those of measuring altogether.
    """

    kind: Kind
    work: float
    proteins: int
    start: float
    seconds: float
    elapsed: float
    memory_bytes: int


@dataclass(frozen=True)
class Rate:
    """Work a second, and the seconds that the start and each protein take besides.

    `source` says where this is from.
    """

    per_second: float
    source: str
    start: float = 0.0
    beside: float = 0.0

    def seconds(self, work: float, proteins: int) -> float:
        """How long that much takes."""
        return self.start + work / self.per_second + self.beside * proteins if proteins else 0.0


_NUMBERS = [field.name for field in fields(Pace) if field.name != "kind"]
COLUMNS = [*(field.name for field in fields(Kind)), *_NUMBERS]


def add_pace(path: Path, pace: Pace) -> None:
    """Add a line to the file: one write, so that lines of several processes do not mix."""
    flat = asdict(pace.kind) | {name: getattr(pace, name) for name in _NUMBERS}
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [COLUMNS] if not path.exists() else []
    lines.append([str(flat[name]) for name in COLUMNS])
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    stream = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(stream, text.getvalue().encode())
    finally:
        os.close(stream)


def read_pace(path: Path) -> list[Pace]:
    """The runs of the file, oldest first; what is no whole line is left out. None without it."""
    if not path.exists():
        return []
    rows = csv.reader(path.read_text(encoding="utf-8", errors="replace").splitlines())
    return [pace for row in rows if (pace := _parsed(row)) is not None]


def earlier_rate(paces: Sequence[Pace], kind: Kind) -> Rate | None:
    """The rate of the newest runs of this kind, else of those alike with the nearest model."""
    same = [pace for pace in paces if pace.kind == kind]
    if same:
        return _rate(same[-_NEWEST:], "")
    alike = [pace for pace in paces if pace.kind.alike(kind)]
    if not alike:
        return None
    nearest = min(alike, key=lambda pace: _times(pace.kind, kind)).kind
    chosen = [pace for pace in alike if pace.kind == nearest]
    differs = nearest.model if nearest.model != kind.model else "other settings"
    return _rate(chosen[-_NEWEST:], f" with {differs}")


def _rate(paces: Sequence[Pace], added: str) -> Rate:
    number = "1 earlier run" if len(paces) == 1 else f"{len(paces)} earlier runs"
    per_second = median(pace.work / pace.seconds for pace in paces)
    start = median(pace.start for pace in paces)
    beside = median((pace.elapsed - pace.start - pace.seconds) / pace.proteins for pace in paces)
    return Rate(per_second, number + added, start, max(0.0, beside))


def _times(one: Kind, other: Kind) -> float:
    """How many times as large the larger of two models is."""
    smaller, larger = sorted((one.parameters, other.parameters))
    return larger / max(1, smaller)


def _parsed(row: Sequence[str]) -> Pace | None:
    """The run of a line; none for the header, and for what is broken or says nothing."""
    try:
        flat = dict(zip(COLUMNS, row, strict=True))
        words = {name: flat[name] for name in COLUMNS[: COLUMNS.index("parameters")]}
        kind = Kind(**words, parameters=int(flat["parameters"]))
        pace = Pace(
            kind,
            work=float(flat["work"]),
            proteins=int(flat["proteins"]),
            start=float(flat["start"]),
            seconds=float(flat["seconds"]),
            elapsed=float(flat["elapsed"]),
            memory_bytes=int(flat["memory_bytes"]),
        )
    except ValueError:
        return None
    positive = (pace.work, pace.proteins, pace.seconds, pace.elapsed)
    sound = 0 <= pace.start < math.inf and all(0 < number < math.inf for number in positive)
    return pace if sound else None
