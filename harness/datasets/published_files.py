"""The files of a published data set: fetched once, each with its SHA-256."""

import csv
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from harness.digests import digest
from harness.download import Downloads, cache_folder, offline_by_environment

_TABLE = Path(__file__).with_name("published.csv")


@dataclass(frozen=True)
class PublishedFiles:
    """The files that `published.csv` lists for the set `name`, found below the address `url`.

    `cache` is the folder for what is fetched (none: the user's cache). `offline`, or
    HF_HUB_OFFLINE, forbids to fetch.
    """

    name: str
    url: str
    cache: str | None
    offline: bool

    def __post_init__(self) -> None:
        if not self._digests:
            raise ValueError(f"name is {self.name!r}, and {_TABLE} lists no such set")

    def fetch(self) -> Path:
        """The folder of the files, after those that were missing have been fetched."""
        for file, sha256 in self._digests.items():
            self._downloads.get(f"{self.url.rstrip('/')}/{file}", file, sha256)
        return self._downloads.folder

    def verify(self) -> list[str]:
        """Files that are absent, or not the published ones."""
        paths = {file: self._downloads.folder / file for file in self._digests}
        absent = [f"{path} is not there" for path in paths.values() if not path.exists()]
        return absent + [
            f"{path} has SHA-256 {found}, not {self._digests[file]}"
            for file, path in paths.items()
            if path.exists() and (found := digest(path)) != self._digests[file]
        ]

    @cached_property
    def _digests(self) -> dict[str, str]:
        with _TABLE.open(encoding="utf-8", newline="") as stream:
            rows = [row for row in csv.DictReader(stream) if row["set"] == self.name]
        return {row["file"]: row["sha256"] for row in rows}

    @property
    def _downloads(self) -> Downloads:
        folder = cache_folder(self.cache) / "datasets" / self.name
        return Downloads(folder, self.offline or offline_by_environment(), None)
