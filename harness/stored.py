"""How many numbers the pair statistics of protein families are, and how many bits."""

import math

STATES = 20
_FREE = (STATES - 1) ** 2
"""Values of a 20 × 20 block in the zero-sum gauge that can be chosen freely."""


def estimate_of_literature(families: int, length: int, contacts: int | None) -> int:
    """Coupling values of families: families × C(L, 2) × 400 (Zhang et al., bioRxiv 2024).

    With at most so many `contacts` a residue, families × L × contacts / 2 × 400 (the same authors,
    PNAS 2024). Raises ValueError for numbers that describe no protein.
    """
    return families * _pairs(families, length, contacts) * STATES**2


def independent_values(families: int, length: int, contacts: int | None) -> int:
    """The same, counting only what can be chosen freely: 19 × 19 values a pair, not 20 × 20."""
    return families * _pairs(families, length, contacts) * _FREE


def estimated_bits(values: int, share: float) -> float:
    """Bits that it takes to know Gaussian values to this share of their variance.

    −½ log₂(1 − ρ²) each: rate and distortion of a Gaussian source (Cover & Thomas, 2006, theorem
    10.3.2).
    """
    if not 0 <= share < 1:
        raise ValueError(f"share is {share}; allowed are 0 up to, but not, 1")
    return -0.5 * math.log2(1 - share) * values


def _pairs(families: int, length: int, contacts: int | None) -> int:
    if families < 1 or length < 2:
        raise ValueError(f"{families} families of {length} residues; allowed are 1 of 2 and more")
    if contacts is None:
        return length * (length - 1) // 2
    if not 1 <= contacts < length:
        raise ValueError(f"{contacts} contacts a residue; allowed are 1 to {length - 1}")
    return length * contacts // 2
