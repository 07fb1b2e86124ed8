"""Published weights: found in the caches that other libraries keep, else fetched once."""

import csv
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

from harness.contact_regression import regression_path
from harness.digests import digest
from harness.download import Downloads, cache_folder, offline_by_environment
from harness.errors import PrerequisiteError
from harness.models.hugging_face import shards_of

Layout = Literal["huggingface", "fair_esm"]

_TABLE = Path(__file__).with_name("published.csv")
_OWNER = "facebook"
_KINDS = (".json", ".safetensors", ".bin")


@dataclass(frozen=True)
class PublishedWeights:
    """The files of one published model.

    Layout `huggingface`: config.json and the weights from that hub, in HF_HOME's cache or ours;
    `fair_esm`: the .pt file and its contact regression, in the checkpoints of TORCH_HOME, where
    fair-esm finds them too. `huggingface` and `fair_esm` are the addresses of the servers or of
    mirrors. What `published.csv` does not pin is written down in the file `lock` when it is
    fetched. `cache` is our folder (none: the user's cache). `offline`, or HF_HUB_OFFLINE, forbids
    to fetch.
    """

    name: str
    layout: str
    huggingface: str
    fair_esm: str
    cache: str | None
    lock: str | None
    offline: bool

    def __post_init__(self) -> None:
        if self.layout not in get_args(Layout):
            raise ValueError(f"layout is {self.layout!r}; allowed are huggingface and fair_esm")
        if self.name not in _published():
            raise ValueError(f"name is {self.name!r}; allowed are {', '.join(_published())}")

    def fetch(self) -> Path:
        """The checkpoint: a folder of the hub's layout, or a .pt file."""
        if self.layout == "fair_esm":
            weights, _ = (self._downloads.get(url, name) for name, url in self._pair.items())
            return weights
        theirs = self._hub_snapshot()
        return theirs or self._fetch_folder()

    def verify(self) -> list[str]:
        """Files that are absent, or not the ones that are pinned or recorded."""
        paths = {name: self._downloads.folder / name for name in self._pair}
        if self.layout == "huggingface":
            folder = self._hub_snapshot() or self._downloads.folder / _OWNER / self.name
            found = [path for path in sorted(folder.glob("*")) if path.suffix in _KINDS]
            paths = {f"{_OWNER}/{self.name}/{path.name}": path for path in found}
            paths |= {f"{_OWNER}/{self.name}/config.json": folder / "config.json"}
            paths |= {f"{_OWNER}/{self.name}/{self._main}": folder / self._main}
        absent = [f"{path} is not there" for path in paths.values() if not path.exists()]
        there = {name: digest(path) for name, path in paths.items() if path.exists()}
        return absent + self._mismatches(there)

    def require(self, fingerprint: str) -> None:
        """Nothing; PrerequisiteError when a loaded file is not the one pinned or recorded.

        The fingerprint holds the digests of the files as they were read. They are computed for the
        record of a run anyway; so a file that was found in a cache is verified at no cost.
        """
        files = ["config.json", self._main]
        if self._main.endswith(".json"):
            files = ["config.json", *shards_of(self.fetch() / self._main)]
        names = [f"{_OWNER}/{self.name}/{file}" for file in files]
        if self.layout == "fair_esm":
            names = list(self._pair)
        wrong = self._mismatches(dict(zip(names, fingerprint.split("+"), strict=False)))
        if wrong:
            raise PrerequisiteError(f"{'; '.join(wrong)}: move the file away, then fetch it again")

    def _mismatches(self, found: dict[str, str]) -> list[str]:
        known = self._pinned | self._downloads.recorded()
        return [
            f"{name} has SHA-256 {value}, not {known[name]}"
            for name, value in found.items()
            if known.get(name, value) != value
        ]

    @property
    def _main(self) -> str:
        """The weights, or the index of their shards."""
        return next(iter(_published()[self.name]))

    @property
    def _pinned(self) -> dict[str, str]:
        files = _published()[self.name]
        return {f"{_OWNER}/{self.name}/{file}": sha for file, sha in files.items() if sha}

    @property
    def _pair(self) -> dict[str, str]:
        """Name and address of fair-esm's two files."""
        weights, server = Path(f"{self.name}.pt"), self.fair_esm.rstrip("/")
        regression = regression_path(weights).name
        return {
            weights.name: f"{server}/models/{weights.name}",
            regression: f"{server}/regression/{regression}",
        }

    @cached_property
    def _downloads(self) -> Downloads:
        folder = cache_folder(self.cache) / "huggingface"
        if self.layout == "fair_esm":
            home = os.environ.get("TORCH_HOME") or f"{_user_cache()}/torch"
            folder = Path(home).expanduser() / "hub" / "checkpoints"
        offline = self.offline or offline_by_environment()
        return Downloads(folder, offline, Path(self.lock) if self.lock else None)

    def _fetch_folder(self) -> Path:
        folder = self._get("config.json").parent
        weights = self._get(self._main)
        if weights.suffix == ".json":
            for shard in shards_of(weights):
                self._get(shard)
        return folder

    def _get(self, file: str) -> Path:
        name = f"{_OWNER}/{self.name}/{file}"
        url = f"{self.huggingface.rstrip('/')}/{_OWNER}/{self.name}/resolve/main/{file}"
        return self._downloads.get(url, name, self._pinned.get(name))

    def _hub_snapshot(self) -> Path | None:
        """The newest complete snapshot in the cache of the Hugging Face libraries, if any."""
        home = Path(os.environ.get("HF_HOME") or f"{_user_cache()}/huggingface").expanduser()
        hub = Path(os.environ.get("HF_HUB_CACHE") or home / "hub").expanduser()
        snapshots = sorted((hub / f"models--{_OWNER}--{self.name}" / "snapshots").glob("*"))
        whole = [folder for folder in snapshots if self._is_whole(folder)]
        return max(whole, key=lambda folder: folder.stat().st_mtime, default=None)

    def _is_whole(self, folder: Path) -> bool:
        main = folder / self._main
        if not main.exists() or not (folder / "config.json").exists():
            return False
        parts = shards_of(main) if main.suffix == ".json" else ()
        return all((folder / part).exists() for part in parts)


def _published() -> dict[str, dict[str, str]]:
    """SHA-256 (or nothing) of each file of each model; the first is the weights or their index."""
    table: dict[str, dict[str, str]] = {}
    with _TABLE.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            table.setdefault(row["name"], {})[row["file"]] = row["sha256"]
    return table


def _user_cache() -> str:
    return os.environ.get("XDG_CACHE_HOME") or "~/.cache"
