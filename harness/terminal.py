"""What the person at the terminal sees: a progress bar, and a table at the end."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from harness.results import find_metric


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
    """One line a run: P@L of the headline range with interval and ceiling, the others, the cost."""
    headline, *others = dict.fromkeys(name for item in summaries for name in item["run"]["ranges"])
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("method", "model", "settings"):
        table.add_column(heading, overflow="fold")
    columns = [f"P@L {headline}", "ceiling", *(f"{name} (ceiling)" for name in others)]
    for heading in (*columns, "s/protein"):
        table.add_column(heading, justify="right", no_wrap=True)
    for item in summaries:
        run = item["run"]
        table.add_row(
            *(run[key] or "–" for key in ("method", "model", "settings")),
            _interval(find_metric(item, "p_at_L", headline)),
            _ceiling(item, headline),
            *(f"{_mean(item, name)} ({_ceiling(item, name)})" for name in others),
            _number(item["cost"]["seconds_per_protein"]),
        )
    console = Console()
    console = console if console.is_terminal else Console(width=120)
    console.print(table)


def _mean(summary: Mapping[str, Any], name: str) -> str:
    return _number(find_metric(summary, "p_at_L", name)["mean"])


def _ceiling(summary: Mapping[str, Any], name: str) -> str:
    return _number(find_metric(summary, "ceiling_at_L", name)["mean"])


def _interval(estimate: Mapping[str, Any]) -> str:
    mean, low, high = (_number(estimate[key]) for key in ("mean", "low", "high"))
    return f"{mean} [{low}, {high}]"


def _number(value: float | None) -> str:
    return "–" if value is None or math.isnan(value) else f"{value:.2f}"
