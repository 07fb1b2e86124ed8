"""Homologs of a protein: rows of its alignment as whole sequences, and where its residues are."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from harness.alignment import Alignment
from harness.alphabet import AMINO_ACIDS, GAP


@dataclass(frozen=True, eq=False)
class Homolog:
    """A row of an alignment without its gaps, insertions included.

    `places` says where the residue that is aligned with each residue of the query stands in
    `sequence`; -1 where there is a gap.
    """

    sequence: str
    places: Int[ndarray, " L"]


def homolog(row: str, query: str) -> Homolog:
    """The homolog that a row is; both rows as `read_rows` gives them.

    Lower case is an insertion, and so is a residue in a column where the query has a gap.
    """
    letters, columns = np.array(list(row)), np.array(list(query))
    residue, aligned = np.char.isalpha(letters), ~np.char.islower(letters)
    places = np.where(residue, np.cumsum(residue) - 1, -1)[aligned]
    return Homolog("".join(letters[residue]).upper(), places[columns != "-"])


@dataclass(frozen=True, eq=False)
class Likeness:
    """How like the query each row is: two shares, from 0 to 1.

    `identity` is that of equal residues in columns where both have one, `coverage` that of the
    query's columns in which the row has one too.
    """

    identity: Float[ndarray, " N"]
    coverage: Float[ndarray, " N"]


def likeness(alignment: Alignment) -> Likeness:
    """Likeness of each row; a row without a common column is not like the query at all."""
    query, states = alignment.states[0], alignment.states
    both = (states != GAP) & (query != GAP)
    n_both = both.sum(axis=1)
    same = (both & (states == query)).sum(axis=1)
    return Likeness(same / np.maximum(n_both, 1), n_both / states.shape[1])


def unambiguous(rows: list[str]) -> Bool[ndarray, " N"]:
    """Which rows hold nothing but the twenty amino acids, and gaps."""
    allowed = frozenset(AMINO_ACIDS + AMINO_ACIDS.lower() + "-")
    return np.array([allowed.issuperset(row) for row in rows])
