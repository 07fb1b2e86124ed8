"""A chain laid onto its sequence, kept on disk with the SHA-256 of what it was made of."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from harness.arrays import read_arrays
from harness.digests import digest
from harness.errors import InputError, cannot_write
from harness.placement import Placed, map_to_query
from harness.structure import Chain, read_chain

MODEL = 1
"""The model that is read of a structure: the first, also of an NMR ensemble."""

_TEXTS = ("sequence", "letters", "name", "source", "source_sha256")


@dataclass(frozen=True, eq=False)
class BuiltChain:
    """The whole sequence, the residues that were seen, and for each of the L its residue or -1.

    `name` is that of the chain in the file `source`; empty: the only one there.
    """

    sequence: str
    letters: str
    backbone: Float[ndarray, "R 4 3"]
    index: Int[ndarray, " L"]
    identity: float
    name: str
    source: str
    source_sha256: str

    @classmethod
    def of(cls, path: Path, chain: str | None, sequence: str | None, kept: Path) -> BuiltChain:
        """The chain of a file on this sequence (none: that of its entity), read or built and kept.

        Raises InputError when it cannot be.
        """
        origin = (chain or "", str(path.resolve()), digest(path))
        found = _read(kept)
        if found is None or found.origin != origin or sequence not in (None, found.sequence):
            found = cls(*_lay(read_chain(path, chain, MODEL), sequence), *origin)
            _write(kept, found)
        return found

    @property
    def origin(self) -> tuple[str, str, str]:
        """What it was made of: name, path and SHA-256."""
        return self.name, self.source, self.source_sha256

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all that samples are made of."""
        parts = (self.sequence.encode(), self.letters.encode(), self.index.astype("<i8").tobytes())
        whole = hashlib.sha256(b"\0".join((*parts, self.backbone.astype("<f8").tobytes())))
        return whole.hexdigest()

    @property
    def placed(self) -> Placed:
        """The chain on its sequence."""
        return Placed(Chain(self.name, self.letters, self.backbone), self.index, self.identity)

    @staticmethod
    def problem(kept: Path) -> str:
        """What is wrong with a chain that was kept; empty when nothing is."""
        if not kept.exists():
            return "has not been built"
        found = _read(kept)
        if found is None:
            return f"{kept} cannot be read; delete it"
        source = Path(found.source)
        if not source.exists():
            return f"{source} is gone"
        return "" if digest(source) == found.source_sha256 else f"{source} has changed since"


def _lay(
    chain: Chain, sequence: str | None
) -> tuple[str, str, Float[ndarray, "R 4 3"], Int[ndarray, " L"], float]:
    """The first five fields of the chain on this sequence, or on that of its entity."""
    if sequence is not None:
        index, identity = map_to_query(chain, sequence)
        return sequence, chain.sequence, chain.backbone, index, identity
    if chain.entity is None or chain.numbers is None:
        raise InputError(f"{chain.name}: the file does not state the sequence (SEQRES)")
    index = np.full(len(chain.entity), -1)
    index[chain.numbers] = np.arange(len(chain.sequence))
    return chain.entity, chain.sequence, chain.backbone, index, 1.0


def _read(kept: Path) -> BuiltChain | None:
    """The chain that was kept; none when there is none, or it is not usable."""
    try:
        file = read_arrays(kept)
        sequence, letters, *origin = (str(file[name]) for name in _TEXTS)
        identity = float(file["identity"])
        return BuiltChain(sequence, letters, file["backbone"], file["index"], identity, *origin)
    except (ValueError, KeyError, TypeError):
        return None  # built again


def _write(kept: Path, chain: BuiltChain) -> None:
    whole = kept.with_suffix(f".{os.getpid()}.npz")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(whole, **vars(chain))
        os.replace(whole, kept)
    except OSError as error:
        raise cannot_write(
            error, "choose another folder with dataset.structures.cache=DIR"
        ) from error
