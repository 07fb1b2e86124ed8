"""One run cut into parts of about equal cost, by protein."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from harness.errors import InputError
from harness.protocols import Dataset
from harness.sample import Sample
from harness.work import lengths_of, work_of

SHARD = "dataset.shard"
"""Key that cuts a run."""


@dataclass(frozen=True)
class Shard:
    """The `number`-th of `of` parts, counted from 1."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: object) -> "Shard":
        """The shard that `k/n` names; InputError for anything else."""
        found = re.fullmatch(r"(\d+)/(\d+)", str(text), re.ASCII)
        shard = cls(int(found[1]), int(found[2])) if found else None
        if shard is None or not 1 <= shard.number <= shard.of:
            raise InputError(
                f"dataset.shard is {text}; allowed are null and k/n, the k-th of n parts, k from 1 "
                "to n: dataset.shard=3/16"
            )
        return shard

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


@dataclass(frozen=True)
class DatasetShard:
    """A data set of which only `protein_ids`, those of one shard, are scored.

    Everything else is as in the whole: what is set aside, the files, the version. So shards agree
    on what they were cut from.
    """

    whole: Dataset
    shard: Shard
    protein_ids: list[str]

    @property
    def labeled_ids(self) -> list[str]:
        """The proteins that the whole sets aside."""
        return self.whole.labeled_ids

    @property
    def version(self) -> str:
        """That of the whole."""
        return self.whole.version

    @property
    def manifest(self) -> Mapping[str, str]:
        """That of the whole."""
        return self.whole.manifest

    def __getitem__(self, identifier: str) -> Sample:
        """The sample of one protein."""
        return self.whole[identifier]


def cut(dataset: Dataset, shard: Shard, method: object) -> DatasetShard:
    """The shard of a data set, cut by what each protein costs this method.

    Raises InputError where there are more shards than proteins.
    """
    names = all_ids(dataset)
    if shard.of > len(names):
        raise InputError(
            f"dataset.shard is {shard}, and the data set holds {len(names)} proteins: one shard or "
            "more would be empty; cut it into fewer"
        )
    lengths = lengths_of(dataset, names)
    parts = balanced_parts([work_of(method, lengths[name]) for name in names], shard.of)
    return DatasetShard(dataset, shard, [names[place] for place in parts[shard.number - 1]])


def whole_dataset(dataset: Dataset) -> Dataset:
    """The data set that a shard was cut from; any other is whole."""
    return dataset.whole if isinstance(dataset, DatasetShard) else dataset


def all_ids(dataset: Dataset) -> list[str]:
    """The proteins of a data set, those of the other shards included, each once."""
    return list(dict.fromkeys(whole_dataset(dataset).protein_ids))


def balanced_parts(works: Sequence[float], n: int) -> list[list[int]]:
    """Places of `works` in n parts of about equal sums, in order within each part.

    The longest first, each to the part with the least so far (Graham, 1969, SIAM Journal on Applied
    Mathematics): no sum exceeds 4/3 of the least possible largest one. Ties go by place.
    """
    parts: list[list[int]] = [[] for _ in range(n)]
    heap = [(0.0, 0, part) for part in range(n)]  # sum, number of places: none stays empty
    for place in sorted(range(len(works)), key=lambda place: -works[place]):
        total, held, part = heappop(heap)
        parts[part].append(place)
        heappush(heap, (total + works[place], held + 1, part))
    return [sorted(part) for part in parts]
