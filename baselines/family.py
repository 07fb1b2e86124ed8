"""The family of a protein as linear models read it, and what these models share."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float, Int, Int8
from numpy import ndarray
from torch import Tensor

from harness.alignment import Alignment, check_query, read_alignment, subsample
from harness.alphabet import GAP, MASK_LETTER
from harness.couplings import corrected_scores, frobenius_norm
from harness.device import require_memory
from harness.errors import InputError, PrerequisiteError
from harness.protein import Protein
from harness.weighting import distinct_rows, sequence_weights


@dataclass(frozen=True, eq=False)
class Family:
    """Weighted sequences over the K columns that a model keeps.

    `states` are 0–19 and `GAP`; row 0 is the query, and no two rows are equal: one row with the sum
    of their weights stands for all that are. `columns` are the residues of the protein that were
    kept, in ascending order.
    """

    states: Int8[ndarray, "N K"]
    weights: Float[ndarray, " N"]
    columns: Int[ndarray, " K"]

    @property
    def neff(self) -> float:
        """Effective number of sequences: the sum of their weights."""
        return float(self.weights.sum())


@dataclass(frozen=True)
class FamilyModel(ABC):
    """A linear model of coevolution, fitted anew to the alignment of each protein.

    It reads the query and `depth` − 1 other rows, drawn with `seed` (all when none), then leaves
    out columns in which at least the share `column_gaps` of rows has a gap, then rows with gaps in
    more than the share `row_gaps` of columns; the query stays. A row counts 1 / (number of rows
    equal to it in at least the share `weight_identity` of columns), or 1 when that is none.

    Columns left out and hidden residues have couplings and scores of zero. They hide the answer,
    not the alignment: the model is fitted to all of it.
    """

    weight_identity: float | None
    column_gaps: float | None
    row_gaps: float | None
    depth: int | None
    seed: int
    facts: dict[str, float] = field(default_factory=dict, init=False, compare=False, repr=False)
    """Of the last protein: what was read, its effective depth, and what the model adds."""

    def __post_init__(self) -> None:
        for name in ("weight_identity", "column_gaps", "row_gaps"):
            share = getattr(self, name)
            if share is not None and not 0 < share <= 1:
                given = f"{name} is {share}"
                raise ValueError(f"{given}; allowed are fractions above 0, up to 1, or null")
        if self.depth is not None and self.depth < 1:
            raise ValueError(f"depth is {self.depth}; allowed are 1 and more, or null")
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed}; it must not be negative")

    @abstractmethod
    def fit(self, family: Family) -> Float[Tensor, "K 20 K 20"]:
        """Couplings between amino acids; a block i = j may hold anything finite."""

    @abstractmethod
    def memory(self, rows: int, columns: int) -> int:
        """Bytes that a fit to so many rows and columns takes at its peak."""

    @property
    def where(self) -> torch.device:
        """Where the fit takes place."""
        return torch.device("cpu")

    def strengths(self, family: Family) -> Float[Tensor, "K K"]:
        """How strongly columns are coupled, before any correction."""
        return frobenius_norm(self.fit(family))

    def __call__(self, protein: Protein) -> Float[ndarray, "L L"]:
        """Contact scores: the strengths between visible residues after the APC."""
        family = self._read(protein)
        placed = np.zeros((len(protein), len(protein)))
        strengths = self.strengths(family).double().cpu().numpy()
        placed[np.ix_(family.columns, family.columns)] = strengths
        hidden = _hidden(protein)
        placed[hidden], placed[:, hidden] = 0, 0
        return corrected_scores(torch.from_numpy(placed), apc=True).numpy()

    def couplings(self, protein: Protein) -> Float[ndarray, "L 20 L 20"]:
        """Couplings between amino acids."""
        family = self._read(protein)
        couplings = _placed(self.fit(family).cpu().numpy(), family.columns, len(protein))
        hidden = _hidden(protein)
        couplings[hidden], couplings[:, :, hidden] = 0, 0
        return couplings

    def _read(self, protein: Protein) -> Family:
        """The family as the fields ask for it; raises before a fit that does not fit in memory."""
        states = subsample(_alignment(protein), self.depth, self.seed).states
        states, columns = _without_gaps(states, self.column_gaps, self.row_gaps)
        if not len(columns):
            raise InputError(
                f"{protein.alignment}: every column has gaps in {self.column_gaps:.0%} of the rows "
                "or more, so that nothing is left to fit; raise method.column_gaps"
            )
        what = f"{protein.id} with {len(states)} rows and {len(columns)} columns"
        instead = "keep fewer columns (method.column_gaps) or rows (method.depth)"
        require_memory(self.memory(*states.shape), self.where, what, instead)
        weights = np.ones(len(states))
        if self.weight_identity is not None:
            weights = sequence_weights(states, self.weight_identity)
        first, kinds, _ = distinct_rows(states)
        family = Family(states[first], np.bincount(kinds, weights), columns)
        self.facts.clear()
        self.facts.update(n_rows=len(states), n_columns=len(columns), neff=family.neff)
        return family


def _alignment(protein: Protein) -> Alignment:
    if protein.alignment is None:
        raise PrerequisiteError(
            f"protein {protein.id} has no alignment, and this method needs one: put an msa.a3m "
            "beside its structure, or choose a method that reads the sequence alone"
        )
    alignment = read_alignment(protein.alignment)
    check_query(alignment, protein.sequence, protein.alignment)
    return alignment


def _without_gaps(
    states: Int8[ndarray, "N L"], column_gaps: float | None, row_gaps: float | None
) -> tuple[Int8[ndarray, "n K"], Int[ndarray, " K"]]:
    """The rows and columns that stay, and the indices of the columns."""
    columns = np.arange(states.shape[1])
    if column_gaps is not None:
        columns = np.flatnonzero((states == GAP).mean(axis=0) < column_gaps)
        states = states[:, columns]
    if row_gaps is not None and len(columns):
        kept = (states == GAP).mean(axis=1) <= row_gaps
        kept[0] = True
        states = states[kept]
    return states, columns


def _placed(
    fitted: Float[ndarray, "K 20 K 20"], columns: Int[ndarray, " K"], length: int
) -> Float[ndarray, "L 20 L 20"]:
    """The couplings of the kept columns at their places, zeros elsewhere."""
    if len(columns) == length:
        return fitted
    couplings = np.zeros((length, fitted.shape[1], length, fitted.shape[3]), fitted.dtype)
    for i, rows in zip(columns, fitted, strict=True):
        couplings[i][:, columns] = rows
    return couplings


def _hidden(protein: Protein) -> list[int]:
    return [i for i, letter in enumerate(protein.sequence) if letter == MASK_LETTER]
