"""Whose a run folder is: one process at a time, one configuration for ever, finished or not."""

import json
import traceback
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from harness.errors import HarnessError, InputError, disk_errors

IDENTITY, UNFINISHED = ".identity.json", "unfinished.txt"

_PROBE = 1 << 16
"""Bytes without which no run can begin: its configuration, its log, its marker."""


def check_writable(folder: Path) -> None:
    """Create the folder and a file in it; HarnessError saying what to do when that fails."""
    probe = folder / ".writable"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            probe.write_bytes(bytes(_PROBE))
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        remedy = "choose another folder with hydra.run.dir=DIR (or hydra.sweep.dir=DIR for a sweep)"
        raise HarnessError(f"{folder}: cannot write here ({error.strerror}); {remedy}") from error


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """The folder to itself; HarnessError when another process works in it."""
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise HarnessError(
            f"{folder}: another process is writing here; wait for it or choose another folder "
            "with hydra.run.dir=DIR"
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def unfinished(folder: Path) -> Iterator[None]:
    """`unfinished.txt` stands in the folder until the block ends well, and says why it did not."""
    marker = folder / UNFINISHED
    with disk_errors(folder):
        marker.write_text("running, or killed\n", encoding="utf-8")
    try:
        with disk_errors(folder):
            yield
    except HarnessError as error:
        _mark(marker, f"{error}\n")
        raise
    except BaseException:
        _mark(marker, traceback.format_exc())
        raise
    marker.unlink()


def _mark(marker: Path, reason: str) -> None:
    """Write the reason, unless the disk that is to blame takes no more."""
    with suppress(OSError):
        marker.write_text(reason, encoding="utf-8")


def check_identity(folder: Path, now: Mapping[str, str], later: Collection[str] = ()) -> None:
    """Nothing; raises InputError when the folder holds a run that differs from this one.

    Keys in `later` are not known yet and not compared.
    """
    path = folder / IDENTITY
    before = json.loads(path.read_text("utf-8")) if path.exists() else now
    if changed := changes(before, now, later):
        raise InputError(
            f"{folder}: holds another run ({'; '.join(changed)}); nothing was changed. "
            "Choose another folder with hydra.run.dir=DIR (into=DIR for merged shards)"
        )


def changes(
    before: Mapping[str, str], now: Mapping[str, str], later: Collection[str] = ()
) -> list[str]:
    """What differs between two identities, a text each; keys in `later` are not compared."""
    return [
        f"{name}: {before.get(name, 'absent')} → {now.get(name, 'absent')}"
        for name in dict.fromkeys((*now, *before))
        if name not in later and before.get(name) != now.get(name)
    ]
