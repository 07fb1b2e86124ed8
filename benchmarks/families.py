"""Alignments that all sides read, each in its own format."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int8
from numpy import ndarray

from harness.alignment import Alignment, read_alignment, subsample
from harness.alphabet import AMINO_ACIDS, GAP, N_STATES
from harness.weighting import sequence_weights

IDENTITY = 0.8
"""Rows that share so much of their columns, or more, are neighbors; a row weighs 1 / neighbors."""

_LETTERS = np.frombuffer((AMINO_ACIDS + "-").encode(), dtype="S1")


@dataclass(frozen=True, eq=False)
class Case:
    """An alignment without repeated rows; row 0 is the query."""

    name: str
    alignment: Alignment

    @property
    def states(self) -> Int8[ndarray, "N L"]:
        """Rows as states."""
        return self.alignment.states

    @property
    def length(self) -> int:
        """Number of columns."""
        return self.states.shape[1]

    @property
    def neighbor_columns(self) -> int:
        """The least number of equal columns that makes two rows neighbors."""
        return math.ceil(IDENTITY * self.length - 1e-9)

    def weights(self) -> Float[ndarray, " N"]:
        """What each row counts, for all sides."""
        return sequence_weights(self.states, IDENTITY)

    def rows(self) -> list[str]:
        """Rows as letters; whatever is not one of the twenty is a gap."""
        return [b"".join(row).decode() for row in _LETTERS[self.states]]

    def write_lines(self, path: Path) -> None:
        """One row a line, as PSICOV and CCMpred read it."""
        path.write_text("".join(f"{row}\n" for row in self.rows()))

    def write_fasta(self, path: Path) -> None:
        """Rows with numbers as names."""
        path.write_text("".join(f">{n}\n{row}\n" for n, row in enumerate(self.rows())))

    def write_a3m(self, path: Path) -> None:
        """The same for the harness: unknown residues of the query keep their letters there."""
        rows = [self.alignment.query, *self.rows()[1:]]
        path.write_text("".join(f">{n}\n{row}\n" for n, row in enumerate(rows)))


def read_case(path: Path, rows: int | None) -> Case:
    """The alignment of a file (or of msa.a3m.gz in a folder), cut down to so many rows at random.

    Repeated rows are left out for all sides, because pydca leaves them out.
    """
    if path.is_dir():
        path = path / "msa.a3m.gz"
    alignment = subsample(_without_repeats(read_alignment(path)), rows, seed=0)
    name = path.parent.name if path.name.startswith("msa.") else path.name.partition(".")[0]
    return Case(name, alignment)


def random_case(length: int, rows: int) -> Case:
    """Made-up relatives: each row is a copy of an earlier one with a fifth of its columns redrawn.

    Columns have preferences of their own (Dirichlet, 0.3) and one gap in twenty. What it lacks to
    a real family is contacts; it is for time and memory alone.
    """
    generator = np.random.default_rng([length, rows])
    preferences = generator.dirichlet(np.full(N_STATES - 1, 0.3), length)
    drawn = np.stack([generator.choice(N_STATES - 1, rows, p=p) for p in preferences], axis=1)
    drawn[1:][generator.random((rows - 1, length)) < 0.05] = GAP
    redrawn = generator.random((rows, length)) < 0.2
    states = drawn.astype(np.int8)
    for n in range(1, rows):
        parent = states[generator.integers(n)]
        states[n] = np.where(redrawn[n], states[n], parent)
    query = "".join(AMINO_ACIDS[state] for state in states[0])
    return Case(f"random_{length}x{rows}", Alignment(states, query))


def _without_repeats(alignment: Alignment) -> Alignment:
    """The first of equal rows, in the order of the file."""
    _, first = np.unique(alignment.states, axis=0, return_index=True)
    return replace(alignment, states=alignment.states[np.sort(first)])
