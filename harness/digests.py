"""What names the bytes of a file."""

import hashlib
from pathlib import Path


def digest(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
