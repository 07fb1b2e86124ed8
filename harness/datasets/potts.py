"""Families of random or physical Potts models on lattices, their couplings known exactly."""

import re
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from jaxtyping import Int8
from numpy import ndarray

from harness import gibbs
from harness.alphabet import AMINO_ACIDS
from harness.corpus import Bucket, Corpus, CorpusSettings, site_cross_entropy
from harness.errors import InputError
from harness.potts_families import Collection, Energies, PottsFamily
from harness.protein import Protein
from harness.sample import Sample

_ID = re.compile(r"family(\d{4,})_(\d{2,})")
_TRAINING, _HELD_OUT = 1, 2
"""Streams of random numbers; what is scored and what is trained on have none in common."""

_BLOCK = 128
"""Held-out sequences made at once."""


@dataclass(frozen=True)
class PottsDataset:
    """`sequences` held-out sequences of each of the first `measured` of `families` families.

    A model is trained on all families. Samples know how many these are (fact `families`) and the
    couplings of their own. They have no alignment. `side`, `energies`, `coupling_sd` and `seed` are
    those of `harness.potts_families.Collection`; chains start at random and make `sweeps` sweeps.
    `ranges` is read by the evaluations, `ids` and `limit` select proteins.
    """

    seed: int
    side: int
    energies: Energies
    coupling_sd: float
    families: int
    measured: int
    sequences: int
    sweeps: int
    ranges: list[str]
    ids: list[str] | None
    limit: int | None

    def __post_init__(self) -> None:
        if not self.measured >= 1:
            raise ValueError(f"measured is {self.measured}; allowed are 1 and more")
        if self.families < 1:
            raise ValueError(f"families is {self.families}; allowed are 1 and more")

    @property
    def version(self) -> str:
        """What shapes the families, and the number of families and of sweeps."""
        return f"{self._collection.version}-{self.families}x{self.sequences}-sweeps{self.sweeps}"

    @property
    def manifest(self) -> dict[str, str]:
        """Nothing: the generator makes every sample."""
        return {}

    @property
    def labeled_ids(self) -> list[str]:
        """None: nothing is set aside."""
        return []

    @cached_property
    def protein_ids(self) -> list[str]:
        """family0000_00, family0001_00, …: one of each family before the second of any."""
        if self.limit is not None and self.limit < 1:
            raise InputError(f"dataset.limit is {self.limit}; allowed are 1 and more, or null")
        numbers, families = range(self.sequences), range(min(self.measured, self.families))
        every = [f"family{f:04}_{number:02}" for number in numbers for f in families]
        unknown = sorted(set(self.ids or []) - set(every))
        if unknown:
            raise InputError(f"dataset.ids: {unknown} unknown; there are {every[0]} … {every[-1]}")
        return list(dict.fromkeys(self.ids or every))[: self.limit]

    @property
    def lengths(self) -> dict[str, int]:
        """The sites of the lattice, for every protein."""
        return dict.fromkeys(self.protein_ids, self.side**3)

    def __getitem__(self, identifier: str) -> Sample:
        """The sample of one protein."""
        match = _ID.fullmatch(identifier)
        if match is None or identifier not in self.protein_ids:
            raise KeyError(identifier)
        family = self._family(int(match[1]))
        row = self._held_out(family, self.sequences)[int(match[2])]
        protein = Protein(identifier, "".join(AMINO_ACIDS[state] for state in row))
        facts = {"families": float(self.families)}
        return Sample(protein, family.distances, facts=facts, couplings=family.couplings)

    def corpus(self, settings: CorpusSettings, device: str) -> Corpus:
        """Training sequences of every family, held-out ones of those that are measured."""
        families = [self._family(index) for index in range(self.families)]
        seed = _seed(self.seed, _TRAINING)
        training = gibbs.sample(families, settings.training, self.sweeps, seed, device)
        first, end = self.sequences, self.sequences + settings.held_out
        measured = families[: self.measured]
        held_out = np.stack([self._held_out(family, end)[first:] for family in measured])
        site = [site_cross_entropy(*both) for both in zip(training, held_out, strict=False)]
        pairs = zip(measured, held_out, strict=True)
        exact = [family.conditional_cross_entropy(unseen) for family, unseen in pairs]
        bounds = {"site_independent": float(np.mean(site)), "exact": float(np.mean(exact))}
        seen, unseen = ([Bucket(x.reshape(-1, x.shape[-1]))] for x in (training, held_out))
        return Corpus(f"{self.version} {settings}", seen, unseen, bounds)

    @property
    def _collection(self) -> Collection:
        return Collection(self.seed, self.side, self.energies, self.coupling_sd)

    def _family(self, index: int) -> PottsFamily:
        return _family(self._collection, index)

    def _held_out(self, family: PottsFamily, n: int) -> Int8[ndarray, "n L"]:
        """Held-out sequences of one family; in blocks, so that a larger n only adds some."""
        blocks = range(-(-n // _BLOCK))
        return np.concatenate([self._block(family.index, block) for block in blocks])[:n]

    def _block(self, index: int, block: int) -> Int8[ndarray, "n L"]:
        return _block(self._collection, (index, block), self.sweeps)


@cache
def _family(collection: Collection, index: int) -> PottsFamily:
    return collection.family(index)


@cache
def _block(collection: Collection, place: tuple[int, int], sweeps: int) -> Int8[ndarray, "n L"]:
    """Held-out sequences of a family: block number place[1] of family number place[0]."""
    family, seed = _family(collection, place[0]), _seed(collection.seed, _HELD_OUT, *place)
    return gibbs.sample([family], _BLOCK, sweeps, seed)[0]


def _seed(*parts: int) -> int:
    return int(np.random.SeedSequence(parts).generate_state(1)[0])
