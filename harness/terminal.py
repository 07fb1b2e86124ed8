"""What the person at the terminal sees: how far a run is, and a table at the end."""

import logging
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from harness.plan import Prediction
from harness.plan_files import in_words
from harness.results import find_metric, headline

_ABSENT = "–"
_PREFIXES = ("", "k", "M", "G", "T", "P")
_SECONDS_BETWEEN_LINES = 30

log = logging.getLogger("harness")


class Progress(Protocol):
    """How far something is: shown as a bar, as lines in a log, or not at all."""

    def __call__(self, done: int, total: int, doing: Callable[[], str] = str) -> None:
        """So many of all are done; `doing` says what is under way, whenever it is asked."""
        ...


@contextmanager
def progress_bar(label: str, unit: str = "proteins", quiet: bool = False) -> Iterator[Progress]:
    """Progress on a terminal as a bar; elsewhere, and under CI, as a log line now and then.

    Nothing when quiet.
    """
    if quiet:
        yield _show_nothing
        return
    console = Console(stderr=True)
    if not console.is_interactive or os.environ.get("CI", "") not in ("", "0", "false"):
        yield _Lines(label, unit).show
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
        _Doing(),
    )
    with Bar(*columns, console=console) as bar:
        task = bar.add_task(label, doing=str)

        def show(done: int, total: int, doing: Callable[[], str] = str) -> None:
            bar.update(task, completed=done, total=total, doing=doing)

        yield show


def _show_nothing(done: int, total: int, doing: Callable[[], str] = str) -> None:
    """The progress of a quiet run."""


class _Doing(ProgressColumn):
    """What is under way, asked anew whenever the bar is drawn."""

    def render(self, task: Task) -> Text:
        """The text."""
        return Text(task.fields["doing"]())


@dataclass
class _Lines:
    """A line in the log, at most every half minute."""

    label: str
    unit: str
    began: tuple[float, int] | None = None
    """When the first call came, and how many were done by then."""
    last: float = 0.0

    def show(self, done: int, total: int, doing: Callable[[], str] = str) -> None:
        """Log how far it is, if the last line is old enough."""
        now = time.monotonic()
        if self.began is None:
            self.began, self.last = (now, done), now
        if now - self.last < _SECONDS_BETWEEN_LINES:
            return
        self.last = now
        start, before = self.began
        parts = [f"{self.label}: {done}/{total} {self.unit}", doing()]
        if done > before:
            left = (now - start) / (done - before) * (total - done)
            parts.append(f"about {_duration(left)} left")
        log.info(", ".join(part for part in parts if part))


def _duration(seconds: float) -> str:
    """Minutes, or hours when there are many."""
    minutes = math.ceil(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.0f} h"


def print_table(summaries: Sequence[Mapping[str, Any]]) -> None:
    """One line a run: P@L of the headline range with interval and ceiling, the others, the cost.

    On a narrow terminal FLOPs are left out first, then the last ranges; summary.json has them.
    """
    console = Console()
    console = console if console.is_terminal else Console(width=200)
    metric, ranges = headline(summaries)
    flops = any(item["cost"]["flops_per_protein"] for item in summaries)
    layouts = [(ranges, flops), *((ranges[:n], False) for n in range(len(ranges), 0, -1))]
    tables = [_table(summaries, metric, *layout) for layout in layouts]
    fitting = [table for table in tables if _width(console, table) <= console.width]
    console.print((fitting or tables[-1:])[0])


def _table(
    summaries: Sequence[Mapping[str, Any]], metric: str, ranges: Sequence[str], flops: bool
) -> Table:
    main, *others = ranges
    title = "P@L" if metric == "p_at_L" else metric
    names = [key for key in ("method", "model", "settings") if any(_names(summaries, key))]
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold", min_width=10)
    precision = (f"{title} {main}", "ceiling", *(f"{name} (ceiling)" for name in others))
    for heading in (*precision, "s/protein", *["FLOPs/protein"] * flops):
        table.add_column(heading, justify="right", no_wrap=True)
    for item in summaries:
        table.add_row(
            *(item["run"][name] or _ABSENT for name in names),
            _interval(find_metric(item, metric, main)),
            _mean(item, "ceiling_at_L", main),
            *(_with_ceiling(item, metric, name) for name in others),
            _seconds(item["cost"]["seconds_per_protein"]),
            *[_scaled(item["cost"]["flops_per_protein"])] * flops,
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


def _seconds(value: float) -> str:
    """Hundredths, or one digit of what is less."""
    digits = 2 if not 0 < value < 0.01 else -math.floor(math.log10(value))
    return f"{value:.{digits}f}"


def _scaled(value: float) -> str:
    """Two digits and a prefix, as in 48 M, 7.3 G, 1.2 T; a dash for zero."""
    if not value:
        return _ABSENT
    steps = min(int(math.log10(value) / 3), len(_PREFIXES) - 1)
    scaled = value / 1000**steps
    return f"{scaled:.{1 if scaled < 9.95 else 0}f} {_PREFIXES[steps]}".rstrip()


def print_plan(plans: Sequence[Prediction]) -> None:
    """One line a job, what is expected of it and why; then the sums."""
    console = Console()
    console = console if console.is_terminal else Console(width=200)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_footer=len(plans) > 1)
    table.add_column("job", overflow="fold", min_width=10, footer="all")
    known = [plan.seconds for plan in plans if plan.seconds is not None]
    some = "" if len(known) == len(plans) else " and more"
    footers = {"proteins": str(sum(plan.proteins for plan in plans))}
    footers |= {"passes": _scaled(sum(plan.passes or 0 for plan in plans))}
    footers |= {"FLOPs": _scaled(sum(plan.flops or 0 for plan in plans))}
    footers |= {"time": (in_words(sum(known)) + some) if known else _ABSENT}
    footers |= {"memory": _scaled(max(plan.memory_bytes for plan in plans)) + "B"}
    for name, footer in footers.items():
        table.add_column(name, justify="right", no_wrap=True, footer=footer)
    table.add_column("time is from", overflow="fold")
    for plan in plans:
        table.add_row(
            plan.label,
            f"{plan.proteins}{f' ({plan.finished} done)' if plan.finished else ''}",
            *(_ABSENT if n is None else _scaled(n) for n in (plan.passes, plan.flops)),
            _ABSENT if plan.seconds is None else in_words(plan.seconds),
            _scaled(plan.memory_bytes) + "B",
            plan.rate,
        )
    console.print(table)
