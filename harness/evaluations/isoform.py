"""Isoforms: what of the full length is still there when a part is spliced out or replaced?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from harness.errors import InputError
from harness.evaluations.isoform_maps import Measured, map_measures, precision_measures
from harness.evaluations.isoform_structures import structure_measures
from harness.isoform import Kept, kept_residues
from harness.isoform_pair import IsoformPair, Settings, Side
from harness.metrics import CONTACTS, check_names
from harness.predicted import structure_of
from harness.protein import Protein
from harness.protocols import ContactMethod, Row
from harness.sample import Sample


@dataclass(frozen=True)
class Isoform:
    """An isoform beside its full length, by what the method says of the two, each by itself.

    Kept residues are those of segments of at least `shortest` equal residues. Pairs are measured
    whose residues are `separation` apart in both sequences at least. With a method that predicts
    structures a contact is a pair below the cutoff of `contact`, and folds and surfaces are
    compared too; `radius` (Å) is that of the spatial aggregation propensity. With any other method
    the contacts of a map are its best pairs, as many as residues. P@L is given for each of the
    `ranges` where the true structure of the full length is known. With `masked` the method is also
    asked about the full length while what is lost is hidden: that costs context, and moves nothing.
    """

    contact: str
    ranges: Sequence[str]
    masked: bool
    shortest: int
    separation: int
    radius: float
    coordinates: tuple[str, ...] = ("n", "n_kept", "n_lost", "n_new")
    shown: list[IsoformPair] = field(default_factory=list, init=False, compare=False)
    """That of the last sample."""

    def __post_init__(self) -> None:
        check_names(self.contact, self.ranges)
        for name in ("shortest", "separation"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; allowed are 1 and more")
        if self.radius <= 0:
            raise ValueError(f"radius is {self.radius}; allowed are Å above 0")

    @property
    def maps_per_protein(self) -> int:
        """Of the isoform, of the full length, and of that with residues hidden."""
        return 2 + self.masked

    def __call__(self, method: ContactMethod, sample: Sample) -> Iterator[Row]:
        """The rows of one isoform."""
        self.shown.clear()
        pair = self._pair(method, sample)
        pair.rows.extend(_row(measured, pair) for measured in self._measures(pair))
        self.shown.append(pair)
        yield from pair.rows

    def _pair(self, method: ContactMethod, sample: Sample) -> IsoformPair:
        if sample.origin is None:
            raise InputError(
                f"{sample.protein.id} is no isoform of anything: use dataset=isoforms "
                "dataset.pairs=FILE.csv, or dataset=deletions, which cuts proteins of another set"
            )
        full = sample.origin.full_length.protein
        for protein in (sample.protein, full):
            if protein.breaks:
                raise InputError(f"{protein.id} has several chains; isoforms are of one")
        known = sample.origin.places
        kept = (
            kept_residues(sample.protein, full, self.shortest)
            if known is None
            else Kept(known, len(full))
        )
        own, whole = (_side(method, protein) for protein in (sample.protein, full))
        hidden = method(full.masked(kept.full.tolist())) if self.masked else None
        settings = Settings(CONTACTS[self.contact], self.separation, self.radius)
        return IsoformPair(sample, kept, own, whole, settings, hidden)

    def _measures(self, pair: IsoformPair) -> Iterator[Measured]:
        yield from map_measures(pair)
        yield from precision_measures(pair, self.ranges)
        yield from structure_measures(pair)


def _side(method: ContactMethod, protein: Protein) -> Side:
    return Side(method(protein), structure_of(method, protein))


def _row(measured: Measured, pair: IsoformPair) -> Row:
    metric, name, value, n = measured
    kept = len(pair.kept.full)
    counts = {"n": n, "n_kept": kept, "n_lost": pair.kept.length - kept}
    return Row(metric, name, value, counts | {"n_new": len(pair.kept.places) - kept})
