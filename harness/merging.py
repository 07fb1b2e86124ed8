"""Shards put together: the folder that one run over all proteins would have written."""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.journal import JOURNAL, ROWS
from harness.protocols import Evaluation
from harness.results import COLUMNS, MANIFEST, VALUES, RunFolder, replacing
from harness.run_summary import INPUTS, Basis, summarize_run
from harness.shard_folders import ShardFolder
from harness.shards import SHARD
from harness.statistics import Bootstrap

_BY_PROTEIN = ("scores", "maps", "pairs", "isoforms")
"""Folders with files of single proteins."""


@dataclass(frozen=True)
class Whole:
    """The shards of one run, in order (`shard_folders.whole_of`)."""

    shards: Sequence[ShardFolder]

    @property
    def asks_its_evaluation(self) -> bool:
        """Whether the evaluation itself sums up the rows: it did, or there are none.

        The others need not be built, which may take weights.
        """
        summed = any((one.path / VALUES).exists() for one in self.shards)
        return summed or not any(one.summary["metrics"] for one in self.shards)

    def basis(self, evaluation: Evaluation | None, statistics: Bootstrap) -> Basis:
        """What the summary is made with: weights and data are named by the shards."""
        first = self.shards[0]
        inputs = {key: first.identity[key] for key in INPUTS}
        return Basis(evaluation, statistics, first.summary["cost"]["n_parameters"], inputs)

    def open(self, into: Path, text: str) -> RunFolder:
        """The folder, claimed for the whole run; `text` becomes config.yaml.

        Raises InputError when it holds another run.
        """
        names, columns = self.shards[0].names, _header(self.shards[0]).decode().strip().split(",")
        results = RunFolder(into, names.method, names.model, tuple(columns[len(COLUMNS) :]))
        results.claim(self.shards[0].identity, text)
        return results

    def fill(self, results: RunFolder) -> None:
        """Put the rows of all proteins, in the order of the data set, and their files there."""
        rows, entries = _pieces(self.shards), []
        with replacing(results.path / ROWS) as partial, partial.open("wb") as stream:
            stream.write(_header(self.shards[0]))
            for protein in self.shards[0].proteins:
                entry, piece = rows[protein]
                stream.write(piece)
                entries.append({**entry, "rows_end": stream.tell()})
        with replacing(results.path / JOURNAL) as partial:
            text = "".join(json.dumps(entry) + "\n" for entry in entries)
            partial.write_text(text, encoding="utf-8")
        for shard in self.shards:
            _link_files(shard.path, results.path)

    def summarize(
        self, results: RunFolder, basis: Basis, config: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The content of summary.json, and tables of the rows; provenance is that of the shards."""
        summary = summarize_run(basis, results, self.shards[0].names, config)
        summaries = [one.summary for one in self.shards]
        measured = {
            key: ", ".join(dict.fromkeys(one["provenance"][key] for one in summaries))
            for key in summaries[0]["provenance"]
        }
        commit = summary["provenance"]["commit"]  # of each protein, which a shard may have several
        settings = {k: v for k, v in summaries[0]["settings"].items() if k != SHARD}
        return summary | {"provenance": measured | {"commit": commit}, "settings": settings}


def _pieces(shards: Sequence[ShardFolder]) -> dict[str, tuple[dict[str, Any], bytes]]:
    """Of each protein its line in the journal, and its rows as they stand in rows.csv."""
    found = {}
    for shard in shards:
        rows, start = (shard.path / ROWS).read_bytes(), len(_header(shard))
        for protein, entry in shard.journal.items():
            found[protein] = entry, rows[start : entry["rows_end"]]
            start = entry["rows_end"]
    return found


def _header(shard: ShardFolder) -> bytes:
    with (shard.path / ROWS).open("rb") as stream:
        return stream.readline()


def _link_files(shard: Path, into: Path) -> None:
    """The files of single proteins, and the list of what the data set was built from, there too."""
    paths = [path for name in _BY_PROTEIN for path in sorted((shard / name).glob("*"))]
    for path in [*paths, *shard.glob(MANIFEST)]:
        target = into / path.relative_to(shard)
        target.parent.mkdir(exist_ok=True)
        target.unlink(missing_ok=True)  # of an earlier merger
        _link(path, target)


def _link(path: Path, target: Path) -> None:
    """The same file under another name, or a copy where the file system has no such thing."""
    try:
        os.link(path, target)
    except OSError:
        shutil.copy2(path, target)
