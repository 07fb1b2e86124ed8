"""What the person at the terminal sees: a progress bar, and a table at the end."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from harness.results import find_metric, headline

_ABSENT = "–"


@contextmanager
def progress_bar(label: str, unit: str = "proteins") -> Iterator[Callable[[int, int], None]]:
    """A function of (done, in all) that draws a bar; silent where none fits."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(label)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def print_table(summaries: Sequence[Mapping[str, Any]]) -> None:
    """One line a run: P@L of the headline range with interval and ceiling, the others, the cost.

    On a narrow terminal the last ranges are left out; summary.json has them.
    """
    console = Console()
    console = console if console.is_terminal else Console(width=200)
    metric, ranges = headline(summaries)
    table = _table(summaries, metric, ranges)
    while len(ranges) > 1 and _width(console, table) > console.width:
        ranges = ranges[:-1]
        table = _table(summaries, metric, ranges)
    console.print(table)


def _table(summaries: Sequence[Mapping[str, Any]], metric: str, ranges: Sequence[str]) -> Table:
    main, *others = ranges
    title = "P@L" if metric == "p_at_L" else metric
    names = [key for key in ("method", "model", "settings") if any(_names(summaries, key))]
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold", min_width=10)
    for heading in (f"{title} {main}", "ceiling", *(f"{name} (ceiling)" for name in others)):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("s/protein", justify="right", no_wrap=True)
    for item in summaries:
        table.add_row(
            *(item["run"][name] or _ABSENT for name in names),
            _interval(find_metric(item, metric, main)),
            _mean(item, "ceiling_at_L", main),
            *(_with_ceiling(item, metric, name) for name in others),
            _number(item["cost"]["seconds_per_protein"]),
        )
    return table


def _width(console: Console, table: Table) -> int:
    """Characters that the table takes when no cell is folded."""
    return console.measure(table, options=console.options.update(max_width=1000)).maximum


def _names(summaries: Sequence[Mapping[str, Any]], key: str) -> list[str]:
    return [item["run"][key] for item in summaries]


def _mean(summary: Mapping[str, Any], metric: str, name: str) -> str:
    return _number(find_metric(summary, metric, name)["mean"])


def _with_ceiling(summary: Mapping[str, Any], metric: str, name: str) -> str:
    return f"{_mean(summary, metric, name)} ({_mean(summary, 'ceiling_at_L', name)})"


def _interval(estimate: Mapping[str, Any]) -> str:
    mean, low, high = (_number(estimate[key]) for key in ("mean", "low", "high"))
    return mean if mean == _ABSENT else f"{mean} [{low}, {high}]"


def _number(value: float | None) -> str:
    return _ABSENT if value is None or math.isnan(value) else f"{value:.2f}"
