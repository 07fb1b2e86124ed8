"""Run folders of shards: what marks one, and which of them make a whole.

Beside what every run folder holds, shard.json: the shard and its proteins; names of the whole run
and all its proteins, in order.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.claims import IDENTITY, UNFINISHED, changes
from harness.errors import InputError
from harness.protocols import Dataset
from harness.results import SUMMARY, read_journal, read_summary, replacing
from harness.runner import RunNames
from harness.shards import SHARD, DatasetShard, Shard, all_ids

MARK = "shard.json"


@dataclass(frozen=True)
class ShardFolder:
    """The folder of one shard; `proteins`, `names` and `identity` are those of the whole run."""

    path: Path
    shard: Shard
    proteins: list[str]
    names: RunNames
    identity: dict[str, str]

    @property
    def finished(self) -> bool:
        """Whether the shard has ended well."""
        return (self.path / SUMMARY).exists() and not (self.path / UNFINISHED).exists()

    @cached_property
    def summary(self) -> dict[str, Any]:
        """What the shard came to."""
        return read_summary(self.path)

    @cached_property
    def journal(self) -> dict[str, dict[str, Any]]:
        """The line of each of its proteins, in the order of measurement."""
        return read_journal(self.path)


def mark(folder: Path, dataset: Dataset, names: RunNames) -> None:
    """Write shard.json if only a shard of the data set is scored.

    Raises InputError when the folder holds the same shard, cut differently.
    """
    if not isinstance(dataset, DatasetShard):
        return
    path = folder / MARK
    if path.exists() and json.loads(path.read_text("utf-8"))["own"] != dataset.protein_ids:
        raise InputError(
            f"{folder}: shard {dataset.shard} was cut differently, by another version of the "
            "harness. Finish it with that version, or choose another folder with hydra.run.dir=DIR"
        )
    content: dict[str, Any] = {"shard": str(dataset.shard), "own": dataset.protein_ids}
    content |= {"proteins": all_ids(dataset), "names": asdict(names.whole)}
    with replacing(path) as partial:
        partial.write_text(json.dumps(content), encoding="utf-8")


def read_shard(folder: Path) -> ShardFolder:
    """The shard in a folder; InputError where there is none."""
    if not (folder / MARK).exists():
        raise InputError(f"{folder}: no folder of a shard; runs with dataset.shard=k/n make them")
    content = json.loads((folder / MARK).read_text(encoding="utf-8"))
    identity = json.loads((folder / IDENTITY).read_text(encoding="utf-8"))
    identity = {key: value for key, value in identity.items() if key != SHARD}
    shard, names = Shard.parse(content["shard"]), RunNames(**content["names"])
    return ShardFolder(folder, shard, content["proteins"], names, identity)


def shards_below(folder: Path) -> list[list[ShardFolder]]:
    """The shards in a folder and below, those of one run together, in the order of their names."""
    groups: dict[str, list[ShardFolder]] = {}
    for path in sorted(folder.rglob(MARK)):
        found = read_shard(path.parent)
        groups.setdefault(json.dumps([found.shard.of, found.identity]), []).append(found)
    return list(groups.values())


def lacking(shards: Sequence[ShardFolder]) -> list[str]:
    """Shards of the run that are not there, or have not finished."""
    of, done = shards[0].shard.of, {one.shard.number for one in shards if one.finished}
    return [str(Shard(number, of)) for number in range(1, of + 1) if number not in done]


def whole_of(shards: Sequence[ShardFolder]) -> list[ShardFolder]:
    """The shards in order; InputError, naming the folders, unless they are one whole run."""
    if not shards:
        raise InputError("no shard is named: give shards=[DIR,DIR,…], or sweep=DIR")
    first = shards[0]
    for other in shards[1:]:
        _check_same_run(first, other)
    places: dict[int, Path] = {}
    for one in shards:
        if one.shard.number in places:
            twice = places[one.shard.number]
            raise InputError(f"shard {one.shard} is there twice: {twice} and {one.path}")
        places[one.shard.number] = one.path
    for one in shards:
        if not one.finished:
            raise InputError(f"{one.path}: shard {one.shard} has not finished; run it again")
    if missing := lacking(shards):
        raise InputError(f"shard {', '.join(missing)} is missing beside {first.path}")
    _check_proteins(shards)
    return sorted(shards, key=lambda one: one.shard.number)


def _check_same_run(first: ShardFolder, other: ShardFolder) -> None:
    changed = changes(first.identity, other.identity)
    if changed:
        listed = "; ".join(changed)
        raise InputError(f"{first.path} and {other.path} are of different runs ({listed})")
    if other.shard.of != first.shard.of:
        raise InputError(
            f"{first.path} and {other.path} are shards {first.shard} and {other.shard}: not of as "
            "many parts"
        )
    if other.proteins != first.proteins:
        raise InputError(f"{first.path} and {other.path} were cut from different proteins")


def _check_proteins(shards: Sequence[ShardFolder]) -> None:
    """Nothing; raises InputError unless every protein is measured exactly once."""
    times = Counter(protein for one in shards for protein in one.journal)
    wanted = shards[0].proteins
    wrong = [f"{name} is missing" for name in wanted if name not in times]
    wrong += [f"{name} is there {n} times" for name, n in times.items() if n > 1]
    wrong += [f"{name} is none of theirs" for name in times if name not in set(wanted)]
    if wrong:
        more = f", and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        folders = ", ".join(str(one.path) for one in shards)
        raise InputError(f"{', '.join(wrong[:3])}{more}: in the shards {folders}")
