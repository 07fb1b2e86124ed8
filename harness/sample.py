"""A protein and, kept apart from it, the answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from harness.protein import Protein


@dataclass(frozen=True, eq=False)
class Sample:
    """One protein with its structure-derived truth.

    `distances` are in Å between the atoms of the contact definition, NaN where a residue is not
    resolved. `secondary_structure` has one letter a residue (H, E, C; '-' where unresolved).
    `couplings` are those of the family in nats, in the zero-sum gauge, where they are known exactly
    (index order i, a, j, b). `facts` are numbers worth recording beside the results (identity to
    the structure, …). Results are given for each `group` of proteins too; empty: in none.
    `origin` says what an isoform comes from; none for a protein that is no isoform. Raises
    ValueError when the truth does not fit the sequence.
    """

    protein: Protein
    distances: Float[ndarray, "L L"]
    secondary_structure: str | None = None
    facts: Mapping[str, float] = field(default_factory=dict)
    group: str = ""
    couplings: Float[ndarray, "L 20 L 20"] | None = None
    origin: "Origin | None" = None

    def __post_init__(self) -> None:
        length = len(self.protein)
        if self.distances.shape != (length, length):
            raise ValueError(
                f"protein {self.protein.id}: distances have shape {self.distances.shape}, "
                f"the sequence needs {(length, length)}"
            )
        if self.couplings is not None and self.couplings.shape != (length, 20, length, 20):
            raise ValueError(
                f"protein {self.protein.id}: couplings have shape {self.couplings.shape}, "
                f"the sequence needs {(length, 20, length, 20)}"
            )
        if self.secondary_structure is not None and len(self.secondary_structure) != length:
            raise ValueError(
                f"protein {self.protein.id}: {len(self.secondary_structure)} letters of secondary "
                f"structure for {length} residues"
            )

    @property
    def resolved(self) -> Bool[ndarray, " L"]:
        """Which residues have coordinates."""
        return ~np.isnan(np.diagonal(self.distances))


@dataclass(frozen=True, eq=False)
class Origin:
    """The full-length protein of an isoform, and what a table says of the two, as text.

    `places` gives for each residue of the isoform that of the full length (-1 for a new one), where
    that is known; else it is found by an alignment.
    """

    full_length: Sample
    notes: Mapping[str, str] = field(default_factory=dict)
    places: Int[ndarray, " M"] | None = None
