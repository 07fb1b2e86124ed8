"""Shards of small runs, and what of a run folder does not depend on how long it took."""

import json

MEASURED = ("seconds", "seconds_per_protein", "peak_memory_bytes", "peak_device_bytes")
PASSING = {"harness.log", ".lock", "proteins.jsonl", "summary.json", "curves.svg", "curves.pdf"}
PASSING |= {"plan.json"}
"""Files that hold times or are compared by their content."""

FEW = ("statistics.resamples=100", "dataset.limit=5")


def shards_of(run, n, *arguments):
    return [run(f"shard{k}", *arguments, f"dataset.shard={k}/{n}") for k in range(1, n + 1)]


def named(folders):
    return "shards=[" + ",".join(map(str, folders)) + "]"


def journal_of(folder):
    lines = (folder / "proteins.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def content(folder):
    """Everything in a run folder that is the same however long it took."""
    paths = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    files = {name: path.read_bytes() for name, path in paths.items() if name not in PASSING}
    journal = journal_of(folder)
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    costs = [*journal, summary["cost"], *(part["cost"] for part in summary["groups"].values())]
    for costly in costs:
        for key in MEASURED:
            costly.pop(key, None)
    return files, journal, summary
