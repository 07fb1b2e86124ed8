"""One order of the twenty amino acids, used by every array in the project.

Models keep their own vocabularies and translate at their own door.
"""

import numpy as np
from jaxtyping import Int
from numpy import ndarray

AMINO_ACIDS = "ARNDCQEGHILKMFPSTWYV"
"""Order of every amino-acid axis: alphabetical by three-letter name (IUPAC-IUB 1983)."""

UNKNOWN = 20
"""Index of anything that is a residue but not one of the twenty (X, B, Z, J, U, O)."""

MASK = 21
"""Index of a residue that is hidden from the method."""

GAP = 20
"""Index of a gap in an alignment; unknown residues of an alignment count as gaps."""

N_STATES = 21
"""Twenty amino acids and the gap."""

MASK_LETTER = "?"
AMBIGUOUS_LETTERS = "XBZJUO"
SEQUENCE_LETTERS = AMINO_ACIDS + AMBIGUOUS_LETTERS + MASK_LETTER

_INDEX = {letter: index for index, letter in enumerate(AMINO_ACIDS)}
_INDEX |= dict.fromkeys(AMBIGUOUS_LETTERS, UNKNOWN)
_INDEX[MASK_LETTER] = MASK

_ALIGNED = np.full(256, -1, dtype=np.int8)
for _letter in AMINO_ACIDS:
    _ALIGNED[ord(_letter)] = _INDEX[_letter]
for _letter in AMBIGUOUS_LETTERS + "-":
    _ALIGNED[ord(_letter)] = GAP


def encode(sequence: str) -> Int[ndarray, " L"]:
    """Indices of the residues of one sequence: 0–19, `UNKNOWN` or `MASK`.

    Raises ValueError for a letter outside `SEQUENCE_LETTERS`.
    """
    for position, letter in enumerate(sequence):
        if letter not in _INDEX:
            raise ValueError(
                f"{letter!r} at position {position} is no residue; allowed are {SEQUENCE_LETTERS}"
            )
    return np.array([_INDEX[letter] for letter in sequence], dtype=np.int64)


def encode_aligned(row: str) -> Int[ndarray, " L"]:
    """States of one aligned row: 0–19 or `GAP`, and -1 where the letter is not allowed."""
    codes = np.frombuffer(row.encode("latin-1", errors="replace"), dtype=np.uint8)
    return _ALIGNED[codes]
