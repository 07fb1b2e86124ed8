"""What can go wrong, and who mends it.

    HarnessError             printed as one message, without a traceback
    ├── PrerequisiteError    something is missing: the message holds the command that mends it
    │   └── UnreachableError     a server or store that does not answer now, and may later
    ├── PreemptedError       the system asked the process to end: the same command goes on
    └── InputError           a file or a record is wrong: the message names file, record, place

A wrong argument to a function is an ordinary ValueError or TypeError.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class HarnessError(Exception):
    """Anything that the user, not the programmer, can put right."""


class PrerequisiteError(HarnessError):
    """Missing weights, data, device, server or package."""


class UnreachableError(PrerequisiteError):
    """A server or a store that does not answer now."""


class PreemptedError(HarnessError):
    """The system asked the process to end, and it did, with everything safe."""


class InputError(HarnessError, ValueError):
    """A file or a record that cannot be used as it is."""


def cannot_write(error: OSError, remedy: str, place: Path | str = "the disk") -> HarnessError:
    """The error of a place where nothing can be written, with what the user can do about it.

    `place` is where that was, for an error that does not say so itself.
    """
    where = error.filename or place
    return HarnessError(f"{where}: cannot write here ({error.strerror}); {remedy}")


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """What a disk that is full, read-only or gone does inside becomes a HarnessError.

    Files below the folder that have vanished count as such; other errors of the system go through.
    """
    try:
        yield
    except OSError as error:
        lost = error.errno == errno.ENOENT and folder in Path(str(error.filename)).parents
        if error.errno not in _FAILING_DISK and not lost:
            raise
        remedy = "free or mend the disk, then give the same command with the same folder: it goes "
        raise cannot_write(error, f"{remedy}on from what was finished", folder) from error


_FAILING_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM)
"""Full (2), read-only, broken, forbidden (2)."""
