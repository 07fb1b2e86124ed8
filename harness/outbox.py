"""What a tracker is told about a run: written down first, sent when the tracker is there.

A run folder holds `.outbox.jsonl` while something waits to be sent, one line for each thing, in
order. A line is dropped when it has been sent, so that after a kill the last one may be sent again:
whoever sends takes care that this changes nothing.
"""

import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from filelock import FileLock
from pandas import DataFrame

from harness.errors import HarnessError, InputError, UnreachableError
from harness.results import replacing

OUTBOX = ".outbox.jsonl"

_SECONDS_BETWEEN_TRIES, _SECONDS_WHILE_WAITED_FOR = 30, 5

_TIMES_AS_LONG = 9
"""As a try in vain has taken, none follows: one at a server that hangs can take a minute."""

log = logging.getLogger("harness")

Entry = Mapping[str, Any]
"""What one line says: `call`, `time` (milliseconds of the epoch), and arguments."""


@runtime_checkable
class Delivers(Protocol):
    """The way to a tracker."""

    @property
    def id(self) -> str:
        """How the tracker calls the run; empty while it has not heard of it."""
        ...

    def __call__(self, entry: Entry) -> None:
        """Send one line; raises UnreachableError when the tracker does not answer."""
        ...


@dataclass
class Outbox:
    """Lines of one run folder; processes take turns."""

    folder: Path

    def add(self, call: str, **arguments: Any) -> None:
        """Write down one thing, safely on disk when this returns."""
        line = json.dumps({"call": call, "time": int(time.time() * 1000), **arguments}) + "\n"
        with self._alone(), self._path.open("a+b") as stream:
            stream.truncate(sum(len(whole) for whole in self._lines()))
            stream.write(line.encode())
            stream.flush()
            os.fsync(stream.fileno())

    def send(self, deliver: Callable[[Entry], None]) -> int:
        """Deliver what waits, in order; how many lines. What `deliver` raises leaves the rest."""
        with self._alone():
            lines = self._lines()
            for n, line in enumerate(lines):
                deliver(json.loads(line))
                self._keep(lines[n + 1 :])
        return len(lines)

    def _lines(self) -> list[bytes]:
        """The whole lines; one that a kill has cut short was never acknowledged."""
        if not self._path.exists():
            return []
        lines = self._path.read_bytes().splitlines(keepends=True)
        return [line for line in lines if line.endswith(b"\n")]

    def _keep(self, lines: Sequence[bytes]) -> None:
        if not lines:
            self._path.unlink()
            return
        with replacing(self._path) as partial:
            partial.write_bytes(b"".join(lines))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with FileLock(self._path.with_suffix(".lock")):
            yield

    @property
    def _path(self) -> Path:
        return self.folder / OUTBOX


@dataclass
class Pace:
    """When a tracker that does not answer is asked again: every half minute at most."""

    _next: float = field(default=0.0, init=False)

    @property
    def due(self) -> bool:
        """Whether it may be asked now."""
        return time.monotonic() >= self._next

    def in_vain(self, seconds: float) -> None:
        """Note a try that took so long."""
        pause = max(_SECONDS_BETWEEN_TRIES, _TIMES_AS_LONG * seconds)
        self._next = time.monotonic() + pause


@cache
def pace_of(tracker: str) -> Pace:
    """The one pace at which all runs of this process ask the tracker of that address."""
    return Pace()


@dataclass
class OutgoingRun:
    """A tracked run whose record goes through the outbox of its folder."""

    outbox: Outbox
    deliver: Delivers
    pace: Pace
    deferred: bool
    """Nothing is sent for now."""

    @property
    def id(self) -> str:
        """How the tracker calls this run; empty while it has not heard of it."""
        return self.deliver.id

    def record(
        self,
        parameters: Mapping[str, object],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
    ) -> None:
        """Pass on what was chosen, what was measured, and with what."""
        texts = {key: str(value) for key, value in parameters.items()}
        numbers = {key: float(value) for key, value in metrics.items()}
        self._pass_on("record", parameters=texts, metrics=numbers, tags=dict(tags))

    def dataset(self, name: str, version: str, n_proteins: int) -> None:
        """Pass on the data set."""
        self._pass_on("dataset", name=name, version=version, n_proteins=n_proteins)

    def table(self, name: str, frame: DataFrame) -> None:
        """Pass on a table."""
        content = frame.to_dict("split", index=False)
        self._pass_on("table", name=name, columns=content["columns"], data=content["data"])

    def curve(self, name: str, points: Mapping[int, float]) -> None:
        """Pass on the points of a curve."""
        self._pass_on("curve", name=name, points=[[x, float(y)] for x, y in points.items()])

    def files(self, paths: Sequence[Path], under: str) -> None:
        """Pass on files; those in the run folder may move with it until they are sent."""
        for path in paths:
            if not path.exists():
                raise InputError(f"{path}: is gone; the same command makes it again")
        places = [os.path.relpath(path, self.outbox.folder) for path in paths]
        self._pass_on("files", paths=places, under=under)

    def end(self, status: str, text: str) -> None:
        """Pass on how the run has ended."""
        self._pass_on("end", status=status, text=text)

    def begin(self, name: str, experiment: str, parent: str) -> None:
        """Pass on that the run begins or goes on; `parent` is the key of its sweep's run."""
        self._pass_on("begin", name=name, experiment=experiment, parent=parent)

    def send(self) -> int:
        """Send what waits; how many things. UnreachableError when the tracker does not answer."""
        return self.outbox.send(self.deliver)

    def _pass_on(self, call: str, **arguments: Any) -> None:
        self.outbox.add(call, **arguments)
        if self.deferred or not self.pace.due:
            return
        begin = time.monotonic()
        try:
            self.send()
        except UnreachableError as error:
            self.pace.in_vain(time.monotonic() - begin)
            log.warning("%s", error)


def waiting(folder: Path) -> list[Path]:
    """Folders, this one and below, from which something is to be sent; sweeps before their jobs."""
    found = [path.parent for path in folder.rglob(OUTBOX)]
    return sorted(found, key=lambda path: (len(path.parts), path))


def settle(folder: Path, send: Callable[[Path], int], patience: float) -> None:
    """Send what waits here and below; a tracker that is away has so many seconds to come back.

    What is left then, or will never be taken, is said and stays.
    """
    last, refused = time.monotonic() + patience, set[Path]()
    while left := [each for each in waiting(folder) if each not in refused]:
        try:
            for each in left:
                _send_one(each, send, refused)
        except UnreachableError as error:
            if time.monotonic() >= last:
                log.warning("%s", error)
                return
            time.sleep(_SECONDS_WHILE_WAITED_FOR)


def _send_one(folder: Path, send: Callable[[Path], int], refused: set[Path]) -> None:
    try:
        send(folder)
    except UnreachableError:
        raise
    except HarnessError as error:
        log.error("%s: not all is tracked: %s", folder, error)
        refused.add(folder)
