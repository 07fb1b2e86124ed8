"""Homologs: do a method's couplings change from one sequence of a family to another?"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from numpy import ndarray
from pandas import DataFrame

from harness.alignment import check_query, read_alignment, read_rows
from harness.alphabet import GAP
from harness.coupled_pairs import CoupledPairs, above, couplings_of, far_enough, rank_coupled
from harness.couplings import corrected_map
from harness.errors import PrerequisiteError
from harness.homologs import Homolog, homolog, likeness, unambiguous
from harness.masking import draw, draw_seed
from harness.protein import Protein
from harness.protocols import ContactMethod, Row, RowSummary
from harness.sample import Sample
from harness.statistics import Bootstrap, rank_correlation


@dataclass(frozen=True)
class Homologs:
    """Spearman correlation of the couplings of the query and of sequences of its alignment.

    The sequences are drawn with `seed`, `draws` of each bin of identity to the query; `edges` are
    those of the bins, the lower one included. A row is drawn only when it covers the share
    `coverage` of the query and holds no ambiguous residue. The method reads it as a protein of its
    own, insertions included; columns in which both have a residue are compared.

    As in Zhang et al. (PNAS 2024): the pairs are the best of the query's own contact map between
    these columns, as many as there are columns, with residues at least `separation` apart; the
    entries are their couplings larger than `sigmas` σ, the root mean square of the query's. A bin
    without a sequence gives one row without a value (of row 0, the query).
    """

    edges: Sequence[float]
    draws: int
    seed: int
    coverage: float
    separation: int
    sigmas: float
    coordinates: tuple[str, ...] = ("row", "identity", "n_columns")

    def __post_init__(self) -> None:
        rising = all(low < high for low, high in pairwise(self.edges))
        if len(self.edges) < 2 or not rising or not 0 <= self.edges[0] < self.edges[-1] <= 1:
            given = f"edges is {list(self.edges)}"
            raise ValueError(f"{given}; allowed are two numbers or more that rise from 0 to 1")
        for name, least in (("draws", 1), ("seed", 0), ("separation", 1), ("sigmas", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}; allowed are {least} and more")
        if not 0 < self.coverage <= 1:
            raise ValueError(f"coverage is {self.coverage}; allowed are fractions above 0, up to 1")

    @property
    def bins(self) -> dict[str, tuple[float, float]]:
        """The edges of each bin by its name, in percent."""
        return {
            f"identity_{100 * low:g}_{100 * high:g}": (low, high)
            for low, high in pairwise(self.edges)
        }

    def __call__(self, method: ContactMethod, sample: Sample) -> Iterator[Row]:
        """One row for each homolog."""
        drawn = self._drawn(sample.protein)
        couplings = couplings_of(method, sample.protein)
        query = _Query(sample.protein, couplings, corrected_map(couplings))
        for name, chosen in drawn.items():
            for one in chosen:
                value = self._spearman(method, query, one)
                place = {"identity": one.identity, "n_columns": int(one.aligned.sum())}
                yield Row("spearman", name, value, {"row": one.row, **place})
            if not chosen:
                nothing = {"row": 0, "identity": 0, "n_columns": 0}
                yield Row("spearman", name, float("nan"), nothing)

    def check(self, protein_ids: Sequence[str]) -> list[str]:
        """Nothing: no protein is named here."""
        return []

    def summarize(self, rows: DataFrame, bootstrap: Bootstrap) -> RowSummary:
        """Means over the homologs of each protein, then over proteins; of all bins and of each."""
        values = pd.concat([_by_protein(rows.assign(range="all")), _by_protein(rows)])
        order = ["all", *self.bins]
        estimates = []
        for name in [name for name in order if name in set(values["range"])]:
            own = values[values["range"] == name]
            found = bootstrap.mean(own["value"].to_numpy(float), own["weight"].to_numpy(float))
            estimates.append({"metric": "spearman", "range": name, **asdict(found)})
        curves = DataFrame(columns=["metric", "range", "flank", "mean", "low", "high", "n"])
        return RowSummary(values, estimates, curves, rows[["protein", "range", *_OF_HOMOLOG]])

    def _drawn(self, protein: Protein) -> dict[str, list["_Drawn"]]:
        """The homologs of each bin, in the order of the alignment."""
        if protein.alignment is None:
            raise PrerequisiteError(
                f"protein {protein.id} has no alignment to draw homologs from: put an msa.a3m into "
                "its folder, or leave it out of dataset.ids"
            )
        alignment, rows = read_alignment(protein.alignment), read_rows(protein.alignment)
        check_query(alignment, protein.sequence, protein.alignment)
        like = likeness(alignment)
        eligible = (like.coverage >= self.coverage) & unambiguous(rows)
        eligible[0] = False
        drawn = {}
        for name, (low, high) in self.bins.items():
            inside = np.flatnonzero(eligible & (like.identity >= low) & (like.identity < high))
            generator = np.random.default_rng(draw_seed(self.seed, protein.id, name))
            chosen = sorted(draw(inside.tolist(), self.draws, generator))
            known = alignment.states[0] != GAP
            drawn[name] = [
                _Drawn(row, float(like.identity[row]), homolog(rows[row], rows[0]), known)
                for row in chosen
            ]
        return drawn

    def _spearman(self, method: ContactMethod, query: "_Query", one: "_Drawn") -> float:
        """Correlation of the query's couplings with the homolog's, in the query's best pairs."""
        among = far_enough(query.protein, self.separation)
        among &= np.logical_and.outer(one.aligned, one.aligned)
        pairs = rank_coupled(query.scores, among).top(int(one.aligned.sum()))
        theirs = pairs.blocks(query.couplings)
        kept = above(theirs, self.sigmas)
        couplings = couplings_of(method, Protein(f"row{one.row}", one.homolog.sequence))
        places = one.homolog.places
        own = CoupledPairs(places[pairs.i], places[pairs.j]).blocks(couplings)
        return rank_correlation(own[kept], theirs[kept])


@dataclass(frozen=True, eq=False)
class _Query:
    """The protein itself, its couplings and the contact map that they make."""

    protein: Protein
    couplings: Float[ndarray, "L 20 L 20"]
    scores: Float[ndarray, "L L"]


@dataclass(frozen=True, eq=False)
class _Drawn:
    """A row of the alignment; `known` are the residues of the query that are of the twenty."""

    row: int
    identity: float
    homolog: Homolog
    known: Bool[ndarray, " L"]

    @property
    def aligned(self) -> Bool[ndarray, " L"]:
        """Columns in which both have a residue."""
        return self.known & (self.homolog.places >= 0)


_OF_HOMOLOG = ["row", "identity", "n_columns", "value"]


def _by_protein(rows: DataFrame) -> DataFrame:
    """Mean over the homologs of each protein and range, and how many were measured."""
    groups = rows.groupby(["protein", "range"], sort=False)["value"]
    found = groups.agg(value="mean", weight="count").reset_index()
    return found.assign(metric="spearman", weight=found["weight"].astype(float))
