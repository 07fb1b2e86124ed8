"""From rows of recovery to curves, shares of recovered targets, jumps, and their context."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray
from pandas import DataFrame

from harness.blocks import Block
from harness.protocols import RowSummary
from harness.recovery import Jump
from harness.statistics import Bootstrap, Estimate

_PLACES = ["start", "end", "start_2", "end_2"]
_TARGET = ["protein", "range", *_PLACES]
_CLASSES = {"HH": "alpha_alpha", "EH": "alpha_beta", "EE": "beta_beta"}
_ALL = "all"
_NINE_TENTHS = 0.9


@dataclass(frozen=True)
class Summary:
    """How rows are summed up: the intervals, when a block is recovered, jumps, flanks to report."""

    bootstrap: Bootstrap
    recovered: float
    jump: Jump
    at: tuple[int, ...]


def pair_class(block: Block, secondary_structure: str | None) -> str:
    """The kinds of the two elements whose centers the segments have; empty where it is no pair."""
    if block.on_diagonal or secondary_structure is None:
        return ""
    letters = sorted(secondary_structure[segment.center] for segment in block.segments)
    return _CLASSES.get("".join(letters), "other")


def summarize(rows: DataFrame, settings: Summary) -> RowSummary:
    """Values by protein, estimates, curves and the table of targets."""
    steps = _steps(rows)
    targets = _targets(rows, settings)
    values = pd.DataFrame(
        _values(steps, targets, settings), columns=["protein", "metric", "range", "value", "weight"]
    )
    curves, halves = _curves(steps, settings)
    estimates = [*_means(values, settings.bootstrap), *halves, *_contexts(targets, settings)]
    return RowSummary(values, estimates, curves, targets)


def _steps(rows: DataFrame) -> DataFrame:
    """A line a step of a target: flank, recovery, correlation."""
    plain = rows[rows["metric"].isin(["recovery", "correlation"])]
    wide = plain.pivot(index=[*_TARGET, "flank"], columns="metric", values="value")
    return wide.reindex(columns=["recovery", "correlation"]).reset_index()


def _targets(rows: DataFrame, settings: Summary) -> DataFrame:
    """A line a target: whether it is ever recovered, where it jumps, what context that takes."""
    lines = []
    for key, own in rows.groupby(_TARGET, sort=False):
        curves = {str(metric): part.sort_values("flank") for metric, part in own.groupby("metric")}
        values = curves["recovery"]["value"].to_numpy()
        above = np.flatnonzero(values > settings.recovered)
        found = {name: _jump(curves.get(name), settings.jump) for name in _SIDES}
        sides = [found[name][1] for name in _SIDES[1:] if not np.isnan(found[name][1])]
        jump, context = found["recovery"]
        lines.append(
            dict(zip(_TARGET, key, strict=True))
            | {"steps": len(values), "highest": float(np.max(values)) if len(values) else np.nan}
            | {"recovered_flank": float(above[0]) if len(above) else np.nan}
            | {"jump_flank": jump, "context": context}
            | {"context_one_sided": min(sides) if sides else context}
        )
    columns = [*_TARGET, "steps", "highest", "recovered_flank"]
    return pd.DataFrame(lines, columns=[*columns, "jump_flank", "context", "context_one_sided"])


_SIDES = ["recovery", "recovery_left", "recovery_right"]
"""Metrics of growth on both sides, and on one with the other as at the jump."""


def _jump(curve: DataFrame | None, jump: Jump) -> tuple[float, float]:
    """Flank and number of visible residues at the first stable jump; NaN where there is none."""
    place = None if curve is None else jump.first(curve["value"].to_list())
    if curve is None or place is None:
        return np.nan, np.nan
    at = curve.iloc[place]
    return float(at["flank"]), float(at["visible"])


def _values(steps: DataFrame, targets: DataFrame, settings: Summary) -> Iterator[tuple[Any, ...]]:
    """Of each protein the mean over its targets (or steps), and how many these are."""
    above = steps.assign(value=(steps["recovery"] > settings.recovered).astype(float))
    yield from _by_protein("recovered", above)
    for flank in settings.at:
        here = above[above["flank"] == flank]
        yield from _by_protein(f"recovered_at_{flank}", here)
        yield from _by_protein(f"recovery_at_{flank}", here.assign(value=here["recovery"]))
        yield from _by_protein(f"correlation_at_{flank}", here.assign(value=here["correlation"]))
    ever = targets.assign(value=(targets["highest"] > settings.recovered).astype(float))
    yield from _by_protein("recoverable", ever)
    able = ever[ever["value"] > 0]
    yield from _by_protein("jump", able.assign(value=able["jump_flank"].notna().astype(float)))
    for name in ("context", "context_one_sided"):
        yield from _by_protein(name, targets.assign(value=targets[name]))


def _by_protein(metric: str, frame: DataFrame) -> Iterator[tuple[Any, ...]]:
    """Mean and number of a frame's values (not those that are NaN) by scope and protein."""
    for scope, part in _scopes(frame):
        for protein, values in part.groupby("protein", sort=False)["value"]:
            yield protein, metric, scope, values.mean(), float(values.count())


def _scopes(frame: DataFrame) -> Iterator[tuple[str, DataFrame]]:
    """The whole, and each class of pairs."""
    yield _ALL, frame
    for name in sorted(set(frame["range"]) - {""}):
        yield name, frame[frame["range"] == name]


def _means(values: DataFrame, bootstrap: Bootstrap) -> Iterator[dict[str, Any]]:
    for (metric, scope), own in values.groupby(["metric", "range"], sort=False):
        found = bootstrap.mean(own["value"].to_numpy(float), own["weight"].to_numpy(float))
        yield {"metric": metric, "range": scope, **asdict(found)}


def _curves(steps: DataFrame, settings: Summary) -> tuple[DataFrame, list[dict[str, Any]]]:
    """Means over targets at each flank; and the flank at which half of them are recovered."""
    lines: list[dict[str, Any]] = []
    halves = []
    for scope, part in _scopes(steps):
        shares = part.assign(recovered=(part["recovery"] > settings.recovered).astype(float))
        curves = [_Curve(shares, name, settings.bootstrap) for name in _ALONG]
        lines += [{"range": scope, **line} for curve in curves for line in curve.lines()]
        half = {"metric": "half_recovered_flank", "range": scope}
        halves.append(half | asdict(curves[0].half()))
    return pd.DataFrame(
        lines, columns=["metric", "range", "flank", "mean", "low", "high", "n"]
    ), halves


_ALONG = ("recovered", "recovery", "correlation")


@dataclass(frozen=True)
class _Curve:
    """One metric of the steps of many targets along the flank."""

    steps: DataFrame
    metric: str
    bootstrap: Bootstrap

    def lines(self) -> Iterator[dict[str, Any]]:
        """Mean over targets, its interval, and their number, at each flank that any has."""
        sums, counts = self._totals
        for flank, resampled in zip(sums.columns, self._resampled.T, strict=True):
            n = int(counts[flank].sum())
            low, high = self.bootstrap.interval(resampled[~np.isnan(resampled)])
            mean = float(sums[flank].sum() / n)
            place = {"metric": self.metric, "flank": int(flank)}
            yield place | {"mean": mean, "low": low, "high": high, "n": n}

    def half(self) -> Estimate:
        """The first flank at which the mean has reached one half; NaN where it never does."""
        sums, counts = self._totals
        own = self._first_half((sums.sum() / counts.sum()).to_numpy()[None])
        found = np.sort(self._first_half(self._resampled))
        tail = (1 - self.bootstrap.level) / 2
        low, high = np.quantile(found, [tail, 1 - tail], method="nearest")
        mean, low, high = (float(x) if np.isfinite(x) else np.nan for x in (own[0], low, high))
        return Estimate(mean, low, high, len(sums), 0)

    def _first_half(self, curves: Float[ndarray, "m K"]) -> Float[ndarray, " m"]:
        reached = curves >= 0.5
        flanks = self._totals[0].columns.to_numpy()
        return np.where(reached.any(axis=1), flanks[reached.argmax(axis=1)], np.inf)

    @cached_property
    def _totals(self) -> tuple[DataFrame, DataFrame]:
        """Sum and number of the values of each protein (rows) at each flank (columns)."""
        known = self.steps[self.steps[self.metric].notna()]
        grouped = known.groupby(["protein", "flank"])[self.metric]
        return grouped.sum().unstack(fill_value=0), grouped.count().unstack(fill_value=0)

    @cached_property
    def _resampled(self) -> Float[ndarray, "m K"]:
        """The mean in every resample of proteins; NaN where none has so long a flank."""
        sums, counts = (part.to_numpy(np.float32) for part in self._totals)
        drawn = self.bootstrap.counts(len(sums))
        with np.errstate(invalid="ignore"):
            return (drawn @ sums) / (drawn @ counts)


def _contexts(targets: DataFrame, settings: Summary) -> Iterator[dict[str, Any]]:
    """The context that nine of ten jumps are content with."""
    for name in ("context", "context_one_sided"):
        known = targets[targets[name].notna()].sort_values(name)
        if len(known):
            proteins, place = np.unique(known["protein"], return_inverse=True)
            drawn = settings.bootstrap.counts(len(proteins))
            values = known[name].to_numpy(float)
            own = float(np.quantile(values, _NINE_TENTHS, method="lower"))
            low, high = settings.bootstrap.interval(_quantiles(values, drawn[:, place]))
            found = Estimate(own, low, high, len(proteins), 0)
            yield {"metric": f"{name}_p90", "range": _ALL, **asdict(found)}


def _quantiles(values: Float[ndarray, " n"], times: Float[ndarray, "m n"]) -> Float[ndarray, " m"]:
    """The same quantile of increasing values, each of them there so many times."""
    below = times.cumsum(axis=1)
    wanted = np.floor(_NINE_TENTHS * (below[:, -1] - 1))
    return values[(below > wanted[:, None]).argmax(axis=1)]
