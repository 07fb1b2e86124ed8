"""SIGTERM, by which schedulers take a machine away: finish the protein at hand, then stop."""

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

EXIT_CODE = 128 + signal.SIGTERM
"""Of a process that ended because it was told to, as shells count."""

log = logging.getLogger("harness")

_asked = threading.Event()


def stop_asked() -> bool:
    """Whether this process has been told to stop."""
    return _asked.is_set()


@contextmanager
def heeding_sigterm() -> Iterator[None]:
    """While this lasts the first SIGTERM is noted, and the second one ends the process at once.

    Nothing changes in a thread other than the main one, which alone hears of signals, nor where
    somebody heeds SIGTERM already (another such block; submitit, which lets Slurm queue the job
    again), nor once the process has been told to stop.
    """
    before, main = signal.getsignal(signal.SIGTERM), threading.main_thread()
    if threading.current_thread() is not main or before != signal.SIG_DFL or stop_asked():
        yield
        return
    signal.signal(signal.SIGTERM, _note)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _note(number: int, frame: FrameType | None) -> None:
    _asked.set()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    log.warning("told to stop (SIGTERM): ends after this protein; once more ends it at once")
