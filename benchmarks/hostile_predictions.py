"""Predicted aligned errors of two residues, as JSON and as an archive of arrays."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from harness.predictions import read_pae

PAES = (b'[{"predicted_aligned_error": [[0, 1], [2, 0]]}]', b'{"pae": [[0, 1.5], [2, 0]]}')


def archives(folder: Path) -> Sequence[bytes]:
    """An archive as Boltz writes it."""
    np.savez_compressed(folder / "seed.npz", pae=np.array([[0, 1.5], [2, 0]], dtype="f4"))
    return [(folder / "seed.npz").read_bytes()]


def read(path: Path) -> None:
    """Read the errors of two residues."""
    read_pae(path, 2)
