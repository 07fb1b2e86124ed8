"""Agreement: are the couplings of a method those that a reference reads from the alignment?"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from jaxtyping import Float
from numpy import ndarray

from harness import metrics
from harness.coupled_pairs import PairCouplings, above, couplings_of, far_enough, rank_coupled
from harness.couplings import corrected_map
from harness.errors import InputError
from harness.protein import Protein
from harness.protocols import ContactMethod, CouplingMethod, Masking, ReportsFacts, Row
from harness.sample import Sample
from harness.statistics import correlation, rank_correlation


@dataclass(frozen=True)
class Agreement:
    """Correlation of couplings in the pairs that the reference ties most, and of the score maps.

    The pairs are the L best of the reference's contact map, with residues at least `separation`
    apart; the entries are their couplings between amino acids. Those larger than n σ are kept, σ
    being the root mean square of the reference's, for each n of `sigmas` (Zhang et al., PNAS 2024,
    Fig. 4E). `reference` makes the method to compare with, at each of the `depths` of the
    alignment, or as it is configured (none). It always reads the whole protein; the method reads
    what `masking` leaves. Both maps are norms of couplings after the APC.

    Of the reference's best pairs so many `blocks` are shown, and those of `pairs` (0-based).
    """

    contact: str
    ranges: Sequence[str]
    masking: Masking
    reference: Callable[..., CouplingMethod]
    depths: Sequence[int] | None
    separation: int
    sigmas: Sequence[float]
    blocks: int
    pairs: Sequence[Sequence[int]] | None
    maps_per_protein: ClassVar[int] = 1
    coordinates: tuple[str, ...] = ("depth", "n_entries", "visible")
    shown: list[PairCouplings] = field(default_factory=list, init=False, compare=False)
    """Of the last sample, by the reference at the last depth."""

    def __post_init__(self) -> None:
        metrics.check_names(self.contact, self.ranges)
        if not isinstance(self.masking, Masking):
            raise ValueError("this masking is made for evaluation=recovery; use none or fraction")
        if self.separation < 1:
            raise ValueError(f"separation is {self.separation}; allowed are 1 and more")
        if self.depths is not None and not self.depths:
            raise ValueError("depths is empty; name at least one, or null for the reference's own")
        if self.depths and "depth" not in inspect.signature(self.reference).parameters:
            raise ValueError("this reference reads no alignment; leave depths=null")
        if not self.sigmas or min(self.sigmas) < 0:
            raise ValueError(f"sigmas is {list(self.sigmas)}; allowed are numbers of 0 and more")
        if self.blocks < 0:
            raise ValueError(f"blocks is {self.blocks}; allowed are 0 and more")
        for pair in self.pairs or ():
            if len(pair) != 2 or not 0 <= min(pair) < max(pair):
                raise ValueError(f"pairs holds {list(pair)}; name two different residues, 0-based")
        for depth in self._depths:
            self._reference(depth)  # refuses a wrong value before anything is measured

    def __call__(self, method: ContactMethod, sample: Sample) -> Iterator[Row]:
        """P@L of the method; then, at each depth, its agreement with the reference."""
        self.shown.clear()
        protein = self.masking(sample.protein)
        own, visible = _read(method, protein), len(protein) - protein.n_hidden
        for name in self.ranges:
            for metric, value, n in self._precision(own, sample, name):
                yield Row(metric, name, value, {"depth": 0, "n_entries": n, "visible": visible})
        for depth in self._depths:
            reference = self._reference(depth)
            theirs = _read(reference, sample.protein)
            rows = reference.facts.get("n_rows", 0) if isinstance(reference, ReportsFacts) else 0
            name = "" if depth is None else f"depth{depth}"
            for metric, value, n in self._agreement(own, theirs, sample):
                yield Row(metric, name, value, {"depth": rows, "n_entries": n, "visible": visible})
            self.shown[:] = self._blocks(own, theirs, sample.protein, type(reference).__name__)

    @property
    def _depths(self) -> Sequence[int | None]:
        return [None] if self.depths is None else self.depths

    def _reference(self, depth: int | None) -> CouplingMethod:
        return self.reference() if depth is None else self.reference(depth=depth)

    def _precision(self, read: "_Read", sample: Sample, name: str) -> Iterator["_Measured"]:
        """P@L of the map in this range, and its ceiling."""
        cutoff, breaks = metrics.CONTACTS[self.contact].cutoff, sample.protein.breaks
        within = metrics.RANGES[name]
        pairs = metrics.rank_pairs(read.scores, sample.distances, within, cutoff, breaks)
        n = min(pairs.top(1), pairs.n_valid)
        yield "p_at_L", metrics.precision_at(pairs, 1), n
        yield "ceiling_at_L", metrics.ceiling_at(pairs, 1), n

    def _agreement(self, own: "_Read", theirs: "_Read", sample: Sample) -> Iterator["_Measured"]:
        """Of entries in the reference's best pairs, of both maps, and the reference's own P@L."""
        among = far_enough(sample.protein, self.separation)
        pairs = rank_coupled(theirs.scores, among)
        best = pairs.top(len(sample.protein))
        yield from self._entries(best.blocks(own.couplings), best.blocks(theirs.couplings))
        a, b = own.scores[pairs.i, pairs.j], theirs.scores[pairs.i, pairs.j]
        yield "map_correlation", correlation(a, b), len(pairs)
        yield "map_spearman", rank_correlation(a, b), len(pairs)
        again = rank_coupled(own.scores, among).top(len(best))
        yield "top_overlap", best.shared_with(again), len(best)
        _, value, n = next(self._precision(theirs, sample, self.ranges[0]))
        yield "reference_p_at_L", value, n

    def _entries(
        self, own: Float[ndarray, "P 20 20"], theirs: Float[ndarray, "P 20 20"]
    ) -> Iterator["_Measured"]:
        for sigmas in self.sigmas:
            kept = above(theirs, sigmas)
            a, b = own[kept], theirs[kept]
            yield f"spearman_{sigmas:g}sigma", rank_correlation(a, b), len(a)
            yield f"pearson_{sigmas:g}sigma", correlation(a, b), len(a)

    def _blocks(
        self, own: "_Read", theirs: "_Read", protein: Protein, against: str
    ) -> list[PairCouplings]:
        """Couplings of the best pairs and of those asked for; copies, which free the tensors."""
        best = rank_coupled(theirs.scores, far_enough(protein, self.separation)).top(self.blocks)
        asked = [(min(pair), max(pair)) for pair in self.pairs or ()]
        for i, j in asked:
            if j >= len(protein):
                raise InputError(
                    f"evaluation.pairs holds [{i}, {j}], and protein {protein.id} has residues 0 "
                    f"to {len(protein) - 1}"
                )
        return [
            PairCouplings(i, j, own.block(i, j), theirs.block(i, j), against)
            for i, j in [*zip(best.i.tolist(), best.j.tolist(), strict=True), *asked]
        ]


_Measured = tuple[str, float, int]
"""Metric, value, and the number of entries or pairs that it stands on."""


@dataclass(frozen=True, eq=False)
class _Read:
    """What a method reads of a protein: couplings, and the contact map that they make."""

    couplings: Float[ndarray, "L 20 L 20"]
    scores: Float[ndarray, "L L"]

    def block(self, i: int, j: int) -> Float[ndarray, "20 20"]:
        return self.couplings[i, :, j].copy()


def _read(method: ContactMethod, protein: Protein) -> _Read:
    couplings = couplings_of(method, protein)
    return _Read(couplings, corrected_map(couplings))
