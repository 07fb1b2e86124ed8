"""A protein as a method sees it: sequence and alignment, never the structure."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from harness.alphabet import MASK_LETTER, encode
from harness.errors import InputError

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True)
class Protein:
    """One protein: a unique id, its full sequence, and the path of its alignment (A3M) or none.

    A complex is the sequences of its chains, one after the other; `breaks` are where all but the
    first begin (0-based, increasing). Hidden residues are `?` in the sequence. Raises InputError
    for an id that is no safe file name, an empty sequence, or a letter that is no residue;
    ValueError for breaks that leave a chain empty.
    """

    id: str
    sequence: str
    alignment: Path | None = None
    breaks: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check_id(self.id)
        if not self.sequence:
            raise InputError(f"protein {self.id}: the sequence is empty")
        try:
            encode(self.sequence)
        except ValueError as error:
            raise InputError(f"protein {self.id}: {error}") from error
        edges = (0, *self.breaks, len(self))
        if any(start >= end for start, end in pairwise(edges)):
            raise ValueError(f"protein {self.id}: breaks {self.breaks} of {len(self)} residues")

    def __len__(self) -> int:
        return len(self.sequence)

    @property
    def n_hidden(self) -> int:
        """How many residues are hidden."""
        return self.sequence.count(MASK_LETTER)

    @property
    def chain_sequences(self) -> list[str]:
        """The sequence of each chain, in order."""
        return [self.sequence[start:end] for start, end in pairwise((0, *self.breaks, len(self)))]

    def masked(self, visible: Collection[int]) -> "Protein":
        """The same protein with every residue outside `visible` (0-based) hidden."""
        beyond = [i for i in visible if not 0 <= i < len(self)]
        if beyond:
            raise ValueError(
                f"positions {beyond} lie outside protein {self.id} (0–{len(self) - 1})"
            )
        keep = frozenset(visible)
        letters = (c if i in keep else MASK_LETTER for i, c in enumerate(self.sequence))
        return replace(self, sequence="".join(letters))

    def window(self, start: int, end: int) -> "Protein":
        """Residues `start` to `end` - 1 by themselves; without the alignment, which is longer."""
        inside = tuple(at - start for at in self.breaks if start < at < end)
        return Protein(self.id, self.sequence[start:end], breaks=inside)


def check_id(identifier: str) -> str:
    """The id itself, when it is safe as a file name; else InputError."""
    if not _ID.fullmatch(identifier):
        raise InputError(
            f"{identifier!r} cannot name a protein: use 1–128 letters, digits, '.', '_' or '-', "
            "beginning with a letter or digit"
        )
    return identifier
