"""Constructed isoforms: proteins of another data set without a segment."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from harness.blocks import Segment
from harness.datasets.selection import Selection
from harness.digests import text_digest
from harness.errors import InputError
from harness.masking import draw, draw_seed
from harness.protein import Protein
from harness.protocols import Dataset
from harness.sample import Origin, Sample
from harness.work import lengths_of

CONSTRUCTED = "constructed: a segment was deleted; no such protein is known"


@dataclass(frozen=True)
class Deletions:
    """Proteins of the data set `whole`, each without one of some segments.

    Segments of `size` residues are drawn with `seed`, `each` for a protein, with at least `margin`
    residues before and behind; or they are the `segments` (start and end, 0-based, half-open), the
    same for every protein. An isoform is called as its protein with `_without_<start>_<end>`. Its
    own structure is unknown; that of the full length comes along. `ids` and `limit` select
    isoforms, by name and as the first so many.
    """

    whole: Dataset
    segments: Sequence[Sequence[int]] | None
    size: int
    each: int
    margin: int
    seed: int
    ranges: list[str]
    ids: Sequence[str | int] | None
    limit: int | None

    def __post_init__(self) -> None:
        for name, least in (("size", 1), ("each", 1), ("margin", 0), ("seed", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}; allowed are {least} and more")
        for segment in self.segments or ():
            if len(segment) != 2:
                raise ValueError(f"segments holds {list(segment)}; name a start and an end each")
            Segment(*segment)

    @cached_property
    def protein_ids(self) -> list[str]:
        """The selected isoforms, sorted by name."""
        selection = Selection(self.ids, None, 0, self.limit, 0)
        return selection.scored(sorted(self._cuts))[: self.limit]

    @property
    def labeled_ids(self) -> list[str]:
        """Those of the other data set, whole."""
        return self.whole.labeled_ids

    @property
    def version(self) -> str:
        """That of the other data set, and 12 digits of a SHA-256 over what is cut out."""
        return f"{self.whole.version}-deletions-{text_digest(' '.join(self.protein_ids))[:12]}"

    @property
    def manifest(self) -> Mapping[str, str]:
        """That of the other data set."""
        return self.whole.manifest

    @cached_property
    def lengths(self) -> dict[str, int]:
        """Residues of the full length of each isoform, which is read too."""
        return {name: self._lengths[self._cuts[name][0]] for name in self.protein_ids}

    def __getitem__(self, identifier: str) -> Sample:
        """The sample of one isoform; that of the other data set for a protein set aside."""
        if identifier in self.labeled_ids:
            return self.whole[identifier]
        if identifier not in self._cuts:
            raise KeyError(identifier)
        name, cut = self._cuts[identifier]
        full = self.whole[name]
        if full.protein.breaks:
            raise InputError(f"{name} has several chains; isoforms are made of proteins of one")
        letters = full.protein.sequence
        protein = Protein(identifier, letters[: cut.start] + letters[cut.end :])
        unknown = np.full((len(protein),) * 2, np.nan)
        notes = {"variant": f"without residues {cut.start} to {cut.end - 1} (from 0)"}
        places = np.delete(np.arange(len(letters)), slice(cut.start, cut.end))
        origin = Origin(full, notes | {"source": CONSTRUCTED}, places)
        return Sample(protein, unknown, group=full.group, origin=origin)

    @cached_property
    def _lengths(self) -> Mapping[str, int]:
        return lengths_of(self.whole, self.whole.protein_ids)

    @cached_property
    def _cuts(self) -> dict[str, tuple[str, Segment]]:
        """Protein and segment of each isoform."""
        return {
            f"{name}_without_{cut.start}_{cut.end}": (name, cut)
            for name in self.whole.protein_ids
            for cut in self._segments(name, self._lengths[name])
        }

    def _segments(self, name: str, length: int) -> Iterator[Segment]:
        """What is cut out of a protein; InputError where there is no room for it."""
        for start, end in self.segments or ():
            if end > length or end - start == length:
                raise InputError(
                    f"dataset.segments holds [{start}, {end}], and {name} has residues 0 to "
                    f"{length - 1}, of which one at least must stay"
                )
            yield Segment(start, end)
        if self.segments is not None:
            return
        starts = range(self.margin, length - self.margin - self.size + 1)
        if len(starts) < self.each or length == self.size:
            raise InputError(
                f"{name} has {length} residues: no room for {self.each} segments of {self.size} "
                f"with {self.margin} on either side (dataset.size, each, margin)"
            )
        generator = np.random.default_rng(draw_seed(self.seed, name, "deletion"))
        for start in sorted(draw(starts, self.each, generator)):
            yield Segment(start, start + self.size)
