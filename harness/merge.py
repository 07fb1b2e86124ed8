"""python -m harness.merge shards=[DIR,DIR,…] into=DIR: the run that shards of it come to.

Or sweep=DIR: every shard there and below, each run into a folder of its own.
"""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from harness import record
from harness.claims import check_identity, check_writable, exclusive, unfinished
from harness.configuration import build, resolved, run_here
from harness.digests import text_digest
from harness.errors import InputError
from harness.merging import Whole
from harness.protocols import Tracker
from harness.results import CONFIG
from harness.shard_folders import ShardFolder, lacking, read_shard, shards_below, whole_of
from harness.terminal import print_table


def main() -> None:
    """Merge what the command line names."""
    run_here("merge", _merge_named)


def merge(
    shards: Sequence[ShardFolder], into: Path, tracker: Tracker, parent: Path | None
) -> dict[str, Any]:
    """The summary of the whole run, whose folder `into` becomes; nothing is measured.

    `parent` is the folder of the sweep, if it is one. Raises InputError for shards
    that are no whole run, and for a folder that holds another.
    """
    whole = Whole(whole_of(shards))
    config: Any = OmegaConf.load(whole.shards[0].path / CONFIG)
    config.dataset.shard = None
    chosen, names = resolved(config), whole.shards[0].names
    check_writable(into)
    with exclusive(into):
        check_identity(into, whole.shards[0].identity)
        with unfinished(into), tracker.run(names.title, into, parent) as tracked:
            record.describe(tracked, names, chosen)
            results = whole.open(into, OmegaConf.to_yaml(config))
            whole.fill(results)
            evaluation = build(config.evaluation) if whole.asks_its_evaluation else None
            basis = whole.basis(evaluation, build(config.statistics))
            version = basis.inputs["dataset_version"]
            tracked.dataset(names.dataset, version, len(whole.shards[0].proteins))
            summary = whole.summarize(results, basis, chosen)
            results.write_summary(summary)
            record.send(tracked, results, summary)
    return summary


def merge_complete(sweep: Path, tracker: Tracker) -> tuple[list[Path], list[str]]:
    """Merge the runs of which all shards are there: their folders, and a text about each other."""
    merged, incomplete, groups = [], [], shards_below(sweep)
    for shards, into in zip(groups, _places(sweep, groups), strict=True):
        if missing := lacking(shards):
            incomplete.append(f"{into.name}: not merged without shard {', '.join(missing)}")
        else:
            merge(shards, into, tracker, sweep)
            merged.append(into)
    return merged, incomplete


def _merge_named(config: DictConfig) -> None:
    """Merge, then print the table and where things are."""
    tracker = build(config.tracker)
    groups, places = _named(config)
    wholes = [whole_of(shards) for shards in groups]  # before any of them is merged
    summaries = [merge(*pair, tracker, None) for pair in zip(wholes, places, strict=True)]
    print_table(summaries)
    for place in places:
        print(f"run:     {place}")


def _named(config: DictConfig) -> tuple[list[list[ShardFolder]], list[Path]]:
    """The shards of each run, and where it goes."""
    folders, sweep = [Path(str(folder)) for folder in config.shards], config.sweep
    into = None if config.into is None else Path(str(config.into))
    if bool(folders) == bool(sweep):
        raise InputError("name what to merge: shards=[DIR,DIR,…] into=DIR, or sweep=DIR")
    if folders:
        if into is None:
            raise InputError("say where the run goes: into=DIR")
        return [[read_shard(folder) for folder in folders]], [into]
    groups = shards_below(Path(str(sweep)))
    if not groups:
        raise InputError(f"{sweep}: no shard there; runs with dataset.shard=k/n make them")
    if into is None:
        return groups, _places(Path(str(sweep)), groups)
    if len(groups) > 1:
        raise InputError(f"{sweep} holds shards of {len(groups)} runs; leave out into=DIR")
    return groups, [into]


def _places(folder: Path, groups: Sequence[Sequence[ShardFolder]]) -> list[Path]:
    """Where the run of each group goes: by its label, and where two share one, by their content."""
    names = [_file_name(shards[0].names.label) for shards in groups]
    times = Counter(names)
    keys = [text_digest(repr(sorted(shards[0].identity.items())))[:8] for shards in groups]
    return [
        folder / (name if times[name] == 1 else f"{name}_{key}")
        for name, key in zip(names, keys, strict=True)
    ]


def _file_name(label: str) -> str:
    return re.sub(r"[^\w.=+-]+", "_", label)


if __name__ == "__main__":
    main()
