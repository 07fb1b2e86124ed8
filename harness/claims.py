"""Whose a run folder is: one process at a time, one configuration for ever, finished or not."""

import json
import traceback
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from harness.errors import HarnessError, InputError

IDENTITY, UNFINISHED = ".identity.json", "unfinished.txt"


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
    marker.write_text("running, or killed\n", encoding="utf-8")
    try:
        yield
    except HarnessError as error:
        marker.write_text(f"{error}\n", encoding="utf-8")
        raise
    except BaseException:
        marker.write_text(traceback.format_exc(), encoding="utf-8")
        raise
    marker.unlink()


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
