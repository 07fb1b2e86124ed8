"""Agreement: are the couplings of a method those that a reference reads from the alignment?"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

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
    coordinates: tuple[str, ...] = ("depth", "n_entries", "visible")
    shown: list[PairCouplings] = field(default_factory=list, init=False, compare=False)
    """Of the last sample, by the reference at the last depth."""

    def __post_init__(self) -> None:
        metrics.check_names(self.contact, self.ranges)
        if not isinstance(self.masking, Masking):
            raise ValueError(
                "this masking is for evaluation=recovery; use masking=none or fraction"
            )
        if self.separation < 1:
            raise ValueError(f"separation is {self.separation}; allowed are 1 and more")
        if self.depths is not None and not self.depths:
            raise ValueError("depths is empty; name at least one, or null for the reference's own")
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
        for metric, name, value, n in self._precision(own, sample):
            yield Row(metric, name, value, {"depth": 0, "n_entries": n, "visible": visible})
        for depth in self._depths:
            reference = self._reference(depth)
            theirs = _read(reference, sample.protein)
            rows = reference.facts.get("n_rows", 0) if isinstance(reference, ReportsFacts) else 0
            name = "" if depth is None else f"depth{depth}"
            for metric, value, n in self._agreement(own, theirs, sample):
                yield Row(metric, name, value, {"depth": rows, "n_entries": n, "visible": visible})
            self._show(own, theirs, sample.protein, type(reference).__name__)

    @property
    def _depths(self) -> Sequence[int | None]:
        return [None] if self.depths is None else self.depths

    def _reference(self, depth: int | None) -> CouplingMethod:
        return self.reference() if depth is None else self.reference(depth=depth)

    def _precision(self, own: "_Read", sample: Sample) -> Iterator[tuple[str, str, float, int]]:
        """P@L of the method and its ceiling in each range, with the number of pairs looked at."""
        for name in self.ranges:
            pairs = self._ranked(own, sample, name)
            n = min(pairs.top(1), pairs.n_valid)
            yield "p_at_L", name, metrics.precision_at(pairs, 1), n
            yield "ceiling_at_L", name, metrics.ceiling_at(pairs, 1), n

    def _agreement(
        self, own: "_Read", theirs: "_Read", sample: Sample
    ) -> Iterator[tuple[str, float, int]]:
        """Metric, value, and the number of entries or pairs that it stands on."""
        pairs = rank_coupled(theirs.scores, far_enough(sample.protein, self.separation))
        best = pairs.top(len(sample.protein))
        blocks, others = best.blocks(own.couplings), best.blocks(theirs.couplings)
        for sigmas in self.sigmas:
            kept = above(others, sigmas)
            a, b = blocks[kept], others[kept]
            yield f"spearman_{sigmas:g}sigma", rank_correlation(a, b), len(a)
            yield f"pearson_{sigmas:g}sigma", correlation(a, b), len(a)
        a, b = own.scores[pairs.i, pairs.j], theirs.scores[pairs.i, pairs.j]
        yield "map_correlation", correlation(a, b), len(pairs)
        yield "map_spearman", rank_correlation(a, b), len(pairs)
        again = rank_coupled(own.scores, far_enough(sample.protein, self.separation))
        yield "top_overlap", best.shared_with(again.top(len(best))), len(best)
        ranked = self._ranked(theirs, sample, self.ranges[0])
        n = min(ranked.top(1), ranked.n_valid)
        yield "reference_p_at_L", metrics.precision_at(ranked, 1), n

    def _ranked(self, read: "_Read", sample: Sample, name: str) -> metrics.RankedPairs:
        cutoff, within = metrics.CONTACTS[self.contact].cutoff, metrics.RANGES[name]
        return metrics.rank_pairs(
            read.scores, sample.distances, within, cutoff, sample.protein.breaks
        )

    def _show(self, own: "_Read", theirs: "_Read", protein: Protein, against: str) -> None:
        """Keep the blocks of the best pairs and of those that were asked for."""
        best = rank_coupled(theirs.scores, far_enough(protein, self.separation)).top(self.blocks)
        asked = [sorted(pair) for pair in self.pairs or ()]
        for i, j in asked:
            if j >= len(protein):
                raise InputError(
                    f"evaluation.pairs holds [{i}, {j}], and protein {protein.id} has residues 0 to "
                    f"{len(protein) - 1}"
                )
        self.shown[:] = [
            PairCouplings(i, j, own.couplings[i, :, j], theirs.couplings[i, :, j], against)
            for i, j in [*zip(best.i.tolist(), best.j.tolist(), strict=True), *asked]
        ]


@dataclass(frozen=True, eq=False)
class _Read:
    """What a method reads of a protein: couplings, and the contact map that they make."""

    couplings: Float[ndarray, "L 20 L 20"]
    scores: Float[ndarray, "L L"]


def _read(method: ContactMethod, protein: Protein) -> _Read:
    couplings = couplings_of(method, protein)
    return _Read(couplings, corrected_map(couplings))
