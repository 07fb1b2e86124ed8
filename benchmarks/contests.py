"""What is printed and written: one row for each side on an alignment."""

from dataclasses import asdict, dataclass
from math import isnan, nan

import pandas as pd
from numpy import ndarray

from benchmarks.agreement import Agreement, agreement
from benchmarks.contenders import Fitted
from benchmarks.families import Case
from benchmarks.potts import contact_map, objective

GIB = 2**30
_NO_MAP = Agreement(nan, nan, nan)


@dataclass(frozen=True)
class Row:
    """Figures of one side; ratios and agreements are to the first side that fitted."""

    alignment: str
    rows: int
    columns: int
    neff: float
    threads: int
    side: str
    wall_s: float
    cpu_s: float
    wall_ratio: float
    cpu_ratio: float
    objective: float
    """By `benchmarks.potts`, in float64, from the parameters that the side wrote."""
    excess: float
    """(objective − the lowest of all sides) / the lowest."""
    spearman: float
    top_l: float
    """Of the map as the side has it."""
    spearman_same: float
    top_l_same: float
    """Of the map from its parameters by our norm and APC."""
    spearman_best: float
    """The same, but to the side of the lowest objective."""
    iterations: float
    neff_told: float
    """What the side itself says that it counted."""
    gib: float
    """Memory at most, above what was resident when the clock started."""
    gib_stated: float
    """What the method says that it will take."""
    note: str = ""


@dataclass(frozen=True, eq=False)
class _Judged:
    """A side with what the referee says of it."""

    fitted: Fitted
    objective: float
    same_map: ndarray | None


def rows_of(case: Case, threads: int, sides: list[Fitted]) -> list[Row]:
    """One row for each side of a case."""
    weights = case.weights()
    judged = [_judge(fitted, case, weights) for fitted in sides]
    fits = [side for side in judged if not isnan(side.objective)]
    best = min(fits, key=lambda side: side.objective) if fits else None
    ran = [side for side in judged if side.fitted.finished]
    facts = case.name, *case.states.shape, float(weights.sum()), threads
    return [Row(*facts, **_figures(side, ran[0] if ran else side, best)) for side in judged]


def _judge(fitted: Fitted, case: Case, weights: ndarray) -> _Judged:
    """With its objective and the map of its parameters, or its own word where it wrote none."""
    if fitted.answer is None:
        return _Judged(fitted, nan, None)
    potts = fitted.answer.potts
    if potts is None:
        return _Judged(fitted, fitted.answer.facts.get("objective", nan), fitted.answer.scores)
    return _Judged(fitted, objective(potts, case.states, weights), contact_map(potts))


def _figures(side: _Judged, first: _Judged, best: _Judged | None) -> dict[str, float | str]:
    finished, answer = side.fitted.finished, side.fitted.answer
    facts = answer.facts if answer else {}
    ours, own = (None if s.fitted.answer is None else s.fitted.answer.scores for s in (first, side))
    as_it_is, same = _agreed(own, ours), _agreed(side.same_map, first.same_map)
    lowest = best.objective if best else nan
    return {
        "side": side.fitted.side,
        "wall_s": finished.wall if finished else nan,
        "cpu_s": finished.cpu if finished else nan,
        "wall_ratio": _ratio(side, first, "wall"),
        "cpu_ratio": _ratio(side, first, "cpu"),
        "objective": side.objective,
        "excess": (side.objective - lowest) / lowest,
        "spearman": as_it_is.spearman,
        "top_l": as_it_is.top_l,
        "spearman_same": same.spearman,
        "top_l_same": same.top_l,
        "spearman_best": _agreed(side.same_map, best.same_map if best else None).spearman,
        "iterations": facts.get("iterations", nan),
        "neff_told": facts.get("neff", nan),
        "gib": (finished.peak - finished.before) / GIB if finished else nan,
        "gib_stated": facts.get("memory", nan) / GIB,
        "note": side.fitted.note,
    }


def _ratio(side: _Judged, first: _Judged, clock: str) -> float:
    if side.fitted.finished is None or first.fitted.finished is None:
        return nan
    seconds = getattr(first.fitted.finished, clock)
    return getattr(side.fitted.finished, clock) / seconds if seconds else nan


def _agreed(found: ndarray | None, reference: ndarray | None) -> Agreement:
    return _NO_MAP if found is None or reference is None else agreement(found, reference)


_COLUMNS = {  # name, width and format of what is printed
    "alignment": (12, ""),
    "rows": (6, ""),
    "columns": (7, ""),
    "threads": (7, ""),
    "side": (18, ""),
    "wall_s": (8, ".3g"),
    "cpu_s": (8, ".3g"),
    "wall_ratio": (10, ".2f"),
    "cpu_ratio": (9, ".2f"),
    "objective": (12, ".1f"),
    "excess": (8, ".3%"),
    "spearman": (8, ".4f"),
    "top_l": (5, ".0%"),
    "spearman_same": (13, ".4f"),
    "top_l_same": (10, ".0%"),
    "spearman_best": (13, ".4f"),
    "iterations": (10, ".0f"),
    "gib": (6, ".2f"),
    "gib_stated": (10, ".2f"),
}


def header() -> str:
    """The names of the printed columns."""
    return " ".join(f"{name:>{width}}" for name, (width, _) in _COLUMNS.items())


def line(row: Row) -> str:
    """A row as it is printed; what is not known is a dash, and a note says why."""
    cells = asdict(row)
    printed = [f"{_cell(cells[name], how):>{width}}" for name, (width, how) in _COLUMNS.items()]
    return " ".join(printed) + (f"  {row.note}" if row.note else "")


def _cell(value: float | str, how: str) -> str:
    return "-" if value != value else format(value, how)  # not a number


def medians(rows: list[Row]) -> str:
    """Over the alignments, for each side: what the ratios and agreements are in the middle."""
    names = ["wall_ratio", "cpu_ratio", "excess", "spearman", "spearman_same", "spearman_best"]
    table = pd.DataFrame([asdict(row) for row in rows])
    counted = table.groupby(["threads", "side"], sort=False)
    found = counted[names].median()
    found.insert(0, "alignments", counted["wall_s"].count())
    return found.to_string(float_format="{:.4f}".format, na_rep="-")
