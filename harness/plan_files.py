"""The plan of a run beside what it took: plan.json of a run, plan.csv of a sweep, and a line."""

import csv
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.pace import Pace
from harness.plan import Prediction
from harness.results import replacing

PLAN, PLANS = "plan.json", "plan.csv"

_COLUMNS: tuple[str, ...] = (
    "run",
    "proteins",
    "planned_seconds",
    "measured_seconds",
    "seconds_ratio",
)
_COLUMNS += ("planned_memory_bytes", "measured_memory_bytes", "memory_ratio", "rate")


def write_plan(folder: Path, plan: Prediction, pace: Pace | None) -> None:
    """Write plan.json: what was expected and, once that is known, what was measured."""
    taken = None
    if pace is not None:
        taken = {"seconds": pace.elapsed, "method_seconds": pace.start + pace.seconds}
        taken |= {"memory_bytes": pace.memory_bytes}
    with replacing(folder / PLAN) as partial:
        text = json.dumps({"planned": asdict(plan), "measured": taken}, indent=2)
        partial.write_text(text + "\n", encoding="utf-8")


def write_plans(sweep: Path, folders: Sequence[Path]) -> list[Path]:
    """Write plan.csv, a line a run that has a plan; its path, none where no run has one."""
    lines = [line for folder in folders if (line := _line(folder)) is not None]
    if not lines:
        return []
    with replacing(sweep / PLANS) as partial, partial.open("w", encoding="utf-8") as stream:
        table = csv.DictWriter(stream, _COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(lines)
    return [sweep / PLANS]


def planned_line(folders: Sequence[Path]) -> str:
    """`planned 12 min, took 14 min` of the runs whose time was planned; empty where none was."""
    lines = [line for folder in folders if (line := _line(folder)) is not None]
    known = [line for line in lines if line["planned_seconds"] is not None]
    if not known:
        return ""
    expected, taken = (
        in_words(sum(line[f"{kind}_seconds"] for line in known)) for kind in ("planned", "measured")
    )
    part = f" ({len(known)} of {len(lines)} runs)" if len(known) < len(lines) else ""
    return f"planned {expected}, took {taken}{part}"


def in_words(seconds: float) -> str:
    """A time with two digits: 0.4 s, 38 s, 12 min, 3.4 h, 17 d."""
    units = [("s", 1, 100), ("min", 60, 6000), ("h", 3600, 172_800), ("d", 86_400, math.inf)]
    unit, size = next((unit, size) for unit, size, limit in units if seconds < limit)
    amount = seconds / size
    return f"{amount:.{1 if 0 < amount < 9.95 else 0}f} {unit}"


def _line(folder: Path) -> dict[str, Any] | None:
    """A run that was planned and measured; none of another."""
    path = folder / PLAN
    content = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    plan, taken = content.get("planned"), content.get("measured")
    if not plan or not taken:
        return None
    line = {"run": plan["label"], "proteins": plan["proteins"], "rate": plan["rate"]}
    for key, unit in (("seconds", "seconds"), ("memory_bytes", "memory")):
        line |= {f"planned_{key}": plan[key], f"measured_{key}": taken[key]}
        line[f"{unit}_ratio"] = round(taken[key] / plan[key], 3) if plan[key] else None
    return line
