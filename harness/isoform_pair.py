"""An isoform beside its full length: the maps of both, and what two predicted structures show."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from biotite.structure import AtomArray
from jaxtyping import Bool, Float, Shaped
from numpy import ndarray

from harness.coupled_pairs import rank_coupled
from harness.errors import InputError
from harness.exposure import Exposure, exposure
from harness.isoform import Kept
from harness.metrics import ContactDefinition, separations
from harness.placement import distances_between
from harness.predicted import PredictedStructure
from harness.protocols import Row
from harness.sample import Sample
from harness.superposition import laid_on

GONE = 0.5
"""Share of its contacts with which a kept residue has lost its surroundings."""


@dataclass(frozen=True)
class Settings:
    """Which pairs are in contact, and how far apart in both sequences residues are, at least.

    `radius` (Å) is that of the aggregation propensity.
    """

    contact: ContactDefinition
    separation: int
    radius: float


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two: its contact map, and its predicted structure if the method has one."""

    scores: Float[ndarray, "L L"]
    structure: PredictedStructure | None

    def contacts(self, settings: Settings) -> Bool[ndarray, "L L"]:
        """Pairs in contact, both triangles.

        Those with atoms closer than the cutoff in the structure; without one the best pairs of the
        map, as many as residues.
        """
        length = len(self.scores)
        far = np.abs(separations(length, ())) >= settings.separation
        if self.structure is not None:
            places = self.structure.places(settings.contact.atom)
            return far & (distances_between(places) < settings.contact.cutoff)
        return _best(self.scores, far)


@dataclass(frozen=True, eq=False)
class IsoformPair:
    """The isoform, the sample of its full length, what is kept, and what the method says of both.

    `hidden` is the map of the full length while what is lost is hidden, where that was asked for.
    `rows` are what was measured, which is added when it is known.
    """

    sample: Sample
    kept: Kept
    isoform: Side
    full: Side
    settings: Settings
    hidden: Float[ndarray, "L L"] | None = None
    rows: list[Row] = field(default_factory=list)

    @property
    def full_sample(self) -> Sample:
        """The sample of the full length."""
        if self.sample.origin is None:
            raise ValueError(f"{self.sample.protein.id} is no isoform")
        return self.sample.origin.full_length

    @cached_property
    def far(self) -> Bool[ndarray, "K K"]:
        """Pairs of kept residues that are far enough apart in both sequences."""
        return self.kept.in_both(self.settings.separation)

    def in_full_numbers(self, values: Shaped[ndarray, "K K"]) -> Shaped[ndarray, "L L"]:
        """Values of pairs of kept residues where the full length has them, 0 elsewhere."""
        found = np.zeros((self.kept.length,) * 2, dtype=values.dtype)
        found[np.ix_(self.kept.full, self.kept.full)] = values
        return found

    @cached_property
    def maps(self) -> tuple[Float[ndarray, "K K"], Float[ndarray, "K K"]]:
        """Scores of the kept residues: of the full length, and of the isoform."""
        places = (self.kept.full, self.kept.isoform)
        sides = (self.full, self.isoform)
        full, own = (s.scores[np.ix_(at, at)] for s, at in zip(sides, places, strict=True))
        return full.astype(float), own.astype(float)

    @property
    def hidden_map(self) -> Float[ndarray, "K K"] | None:
        """Scores of the kept residues while the others are hidden."""
        at = np.ix_(self.kept.full, self.kept.full)
        return None if self.hidden is None else self.hidden[at].astype(float)

    @cached_property
    def contacts(self) -> tuple[Bool[ndarray, "K K"], Bool[ndarray, "K K"]]:
        """Contacts of the kept residues: in the full length, and in the isoform.

        Without structures as many of each map, the best of the same pairs, so that equal maps have
        equal contacts.
        """
        if self.full.structure is None or self.isoform.structure is None:
            full, isoform = (_best(scores, self.far) for scores in self.maps)
            return full, isoform
        own = self.isoform.contacts(self.settings)
        among = np.ix_(self.kept.full, self.kept.full)
        return self._full_contacts[among], own[np.ix_(self.kept.isoform, self.kept.isoform)]

    @cached_property
    def bereft(self) -> Bool[ndarray, " K"]:
        """Kept residues that have lost a share `GONE` of their contacts in the full length."""
        lost = np.ones(self.kept.length, dtype=bool)
        lost[self.kept.full] = False
        own = self._full_contacts[self.kept.full]
        return (own.any(axis=1)) & (own[:, lost].sum(axis=1) >= GONE * own.sum(axis=1))

    @cached_property
    def scopes(self) -> Mapping[str, Bool[ndarray, "K K"]]:
        """Pairs i < j of kept residues that are measured together.

        `kept`: all of them; `within` and `across` kept segments; `bereft`: contacts of the full
        length one partner of which has lost its surroundings.
        """
        far = np.triu(self.far)
        segment = self.kept.segment
        same = segment[:, None] == segment
        touched = self.bereft[:, None] | self.bereft
        whole = {"kept": far, "within": far & same, "across": far & ~same}
        return whole | {"bereft": far & self.contacts[0] & touched}

    @cached_property
    def exposures(self) -> Mapping[str, Exposure]:
        """Of the kept residues: in the full length, in the isoform, and in the cut-out.

        The cut-out is the structure of the full length without what the isoform lacks: what a loss
        uncovers, before the prediction of the isoform moves anything. Areas come from points on
        spheres, so the isoform is first laid on the full length. Empty without structures.
        """
        full, own = self.full.structure, self.isoform.structure
        if full is None or own is None:
            return {}
        kept = self.kept
        laid = laid_on(full.places("CA")[kept.full], own.places("CA")[kept.isoform], own.atoms)
        cut = full.atoms[np.isin(full.atoms.res_id, kept.full)]
        whole, letters = self.full_sample.protein.sequence, self.sample.protein.sequence
        return {
            "full": self._exposure(full, full.atoms, whole).of(kept.full),
            "isoform": self._exposure(own, laid, letters).of(kept.isoform),
            "cut_out": self._exposure(full, cut, whole).of(kept.full),
        }

    def _exposure(self, structure: PredictedStructure, atoms: AtomArray, letters: str) -> Exposure:
        """Exposure of atoms of that structure, which an error names."""
        try:
            return exposure(atoms, letters, self.settings.radius)
        except InputError as error:
            raise InputError(f"{structure.source}: {error}") from error

    @cached_property
    def plddt(self) -> Mapping[str, Float[ndarray, " K"]]:
        """Predicted lDDT of the kept residues, of those structures that have it."""
        sides = {"full": (self.full, self.kept.full), "isoform": (self.isoform, self.kept.isoform)}
        return {
            name: side.structure.plddt[places]
            for name, (side, places) in sides.items()
            if side.structure is not None and side.structure.plddt is not None
        }

    @property
    def recovery_of_rows(self) -> Float[ndarray, " K"]:
        """Recovery of the row of each kept residue; NaN where that of the full length is zero."""
        full, own = self.maps
        norms = (self.far * full**2).sum(axis=1)
        found = np.full(len(norms), np.nan)
        return np.divide((self.far * full * own).sum(axis=1), norms, out=found, where=norms > 0)

    @property
    def letters(self) -> str:
        """The kept residues."""
        return "".join(self.sample.protein.sequence[i] for i in self.kept.isoform)

    @cached_property
    def _full_contacts(self) -> Bool[ndarray, "L L"]:
        return self.full.contacts(self.settings)


def _best(scores: Float[ndarray, "N N"], among: Bool[ndarray, "N N"]) -> Bool[ndarray, "N N"]:
    """The best of these pairs, as many as residues, in both triangles."""
    pairs = rank_coupled(scores, among).top(len(scores))
    found = np.zeros(scores.shape, dtype=bool)
    found[pairs.i, pairs.j] = found[pairs.j, pairs.i] = True
    return found
