"""The embedded data set: held-out sequences of lattice protein families."""

import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from filelock import FileLock

from harness.alphabet import encode
from harness.corpus import Bucket, Corpus, CorpusSettings, site_cross_entropy
from harness.errors import InputError
from harness.lattice import (
    GENERATOR,
    LENGTH,
    LatticeFamily,
    family_sequences,
    generate_family,
)
from harness.protein import Protein
from harness.sample import Sample

_ID = re.compile(r"family(\d{2,})_(\d{2,})")


@dataclass(frozen=True)
class LatticeDataset:
    """`sequences` held-out sequences of each of `families` families, generated from the seed.

    Each comes with an alignment of `depth` sequences, its own and training sequences of its
    family that no other protein has, written once under `cache`. `ranges` suits the short chains;
    evaluations read it from the configuration. `ids` and `limit` select proteins, as in every data
    set.

    The next `labeled` held-out sequences of each family are set aside, without an alignment. They
    share the contacts of the scored proteins of their family.
    """

    seed: int
    families: int
    sequences: int
    labeled: int
    depth: int
    cache: str
    ranges: list[str]
    ids: list[str] | None
    limit: int | None

    @property
    def version(self) -> str:
        """Generator and everything that shapes the samples; `labeled`, as `limit`, shapes none."""
        shape = f"seed{self.seed}-{self.families}x{self.sequences}-depth{self.depth}"
        return f"{GENERATOR}-{shape}"

    @property
    def manifest(self) -> dict[str, str]:
        """Nothing: the generator makes every sample, and `version` names it."""
        return {}

    @cached_property
    def protein_ids(self) -> list[str]:
        """family00_00, family01_00, …: one of each family before the second of any."""
        if self.limit is not None and self.limit < 1:
            raise InputError(f"dataset.limit is {self.limit}; allowed are 1 and more, or null")
        every = self._names(range(self.sequences))
        unknown = sorted(set(self.ids or []) - set(every))
        if unknown:
            raise InputError(f"dataset.ids: {unknown} unknown; there are {every[0]} … {every[-1]}")
        return list(dict.fromkeys(self.ids or every))[: self.limit]

    @cached_property
    def labeled_ids(self) -> list[str]:
        """The proteins set aside, numbered after the scored ones: one of each family first."""
        if self.labeled < 0:
            raise InputError(f"dataset.labeled is {self.labeled}; allowed are 0 and more")
        return self._names(range(self.sequences, self.sequences + self.labeled))

    @property
    def lengths(self) -> dict[str, int]:
        """The sites of the lattice, for every protein."""
        return dict.fromkeys(self.protein_ids, LENGTH)

    def __getitem__(self, identifier: str) -> Sample:
        """The sample of one protein, scored or set aside."""
        match = _ID.fullmatch(identifier)
        if match is None or identifier not in (*self.labeled_ids, *self.protein_ids):
            raise KeyError(identifier)
        family, number = _family(self.seed, int(match[1])), int(match[2])
        sequence = _held_out(self.seed, family.index, self.sequences + self.labeled)[number]
        scored = number < self.sequences
        alignment = self._alignment(family, number, sequence) if scored else None
        return Sample(Protein(identifier, sequence, alignment), family.distances)

    def corpus(self, settings: CorpusSettings, device: str) -> Corpus:
        """Training and held-out sequences of every family, and exact bounds of the loss."""
        kept = {"train": settings.training, "held_out": settings.held_out}
        families = [_family(self.seed, index) for index in range(self.families)]
        encoded = {
            part: [
                np.array([encode(s) for s in family_sequences(family, self.seed, part, n)])
                for family in families
            ]
            for part, n in kept.items()
        }
        training, held_out = (
            [Bucket(np.concatenate(rows).astype(np.int8))] for rows in encoded.values()
        )
        pairs = list(zip(families, *encoded.values(), strict=True))
        site = [site_cross_entropy(seen, unseen) for _, seen, unseen in pairs]
        exact = [family.conditional_cross_entropy(unseen) for family, _, unseen in pairs]
        bounds = {"site_independent": float(np.mean(site)), "exact": float(np.mean(exact))}
        name = f"{GENERATOR}-seed{self.seed} {self.families} families {settings}"
        return Corpus(name, training, held_out, bounds)

    def _names(self, numbers: range) -> list[str]:
        return [f"family{f:02}_{number:02}" for number in numbers for f in range(self.families)]

    def _alignment(self, family: LatticeFamily, number: int, query: str) -> Path:
        """Path of the alignment of one protein, written when it is not there yet."""
        identifier = f"family{family.index:02}_{number:02}"
        folder = Path(self.cache) / f"{GENERATOR}-seed{self.seed}"
        path = folder / f"depth{self.depth}" / f"{identifier}.a3m"
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):
            if not path.exists():
                relatives = enumerate(self._relatives(family, number))
                records = [(identifier, query), *((f"t{n}", row) for n, row in relatives)]
                partial = path.with_suffix(".partial")
                partial.write_text("".join(f">{n}\n{s}\n" for n, s in records), encoding="ascii")
                partial.replace(path)
        return path

    def _relatives(self, family: LatticeFamily, number: int) -> list[str]:
        """Training sequences of one protein; no two proteins share any."""
        each = self.depth - 1
        needed = each if number == 0 else each * self.sequences  # the first ones are made faster
        return _training(self.seed, family.index, needed)[number * each : (number + 1) * each]


@cache
def _family(seed: int, index: int) -> LatticeFamily:
    return generate_family(seed, index)


@cache
def _held_out(seed: int, index: int, n: int) -> list[str]:
    return family_sequences(_family(seed, index), seed, "held_out", n)


@cache
def _training(seed: int, index: int, n: int) -> list[str]:
    return family_sequences(_family(seed, index), seed, "train", n)
