"""What can go wrong, and who mends it.

    HarnessError             printed as one message, without a traceback
    ├── PrerequisiteError    something is missing: the message holds the command that mends it
    │   └── UnreachableError     a server or store that does not answer now, and may later
    ├── PreemptedError       the system asked the process to end: the same command goes on
    └── InputError           a file or a record is wrong: the message names file, record, place

A wrong argument to a function is an ordinary ValueError or TypeError.
"""


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


def cannot_write(error: OSError, remedy: str) -> HarnessError:
    """The error of a place where nothing can be written, with what the user can do about it."""
    return HarnessError(f"{error.filename}: cannot write here ({error.strerror}); {remedy}")
