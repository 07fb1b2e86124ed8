"""Files from the network, fetched once: resumed, verified, never by two processes at a time.

The only module that talks to a server (pooch brings requests, retries and the progress bar).
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pooch
import requests
from filelock import FileLock
from tqdm import tqdm

from harness.digests import digest
from harness.errors import InputError, PrerequisiteError, cannot_write

RETRIES = 5
"""How often a download goes on after a failure; pooch waits 1, 2, … seconds before each."""

TIMEOUT = (10, 60)
"""Seconds to connect, and without a byte."""

_CHUNK = 2**20


class NotThereError(PrerequisiteError):
    """The server answers that it has no such file."""


@dataclass(frozen=True)
class Downloads:
    """A folder of files from servers.

    What has no pinned SHA-256 is written down in `lock` (sha256sum's format) when it is fetched
    first, and compared with that ever after; no lock means no record. `offline` forbids the
    network.
    """

    folder: Path
    offline: bool
    lock: Path | None

    def get(self, url: str, name: str, sha256: str | None = None) -> Path:
        """The file of that name in the folder, fetched from the address unless it is there.

        A file is verified when it is fetched, not when it is found. Raises NotThereError when the
        server has none, PrerequisiteError when it cannot be had or is not the one expected.
        """
        path = self.folder / name
        if path.exists():
            return path
        if self.offline:
            raise PrerequisiteError(
                f"{path} is not there, and offline mode forbids to fetch it: put the file there by "
                f"hand (from {url}), or unset offline and HF_HUB_OFFLINE"
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{path}.lock"):
                if not path.exists():  # another process may have fetched it meanwhile
                    self._fetch(url, name, sha256 or self.recorded().get(name))
        except OSError as error:
            remedy = "choose another folder (cache=DIR beside the address, or XDG_CACHE_HOME)"
            raise cannot_write(error, remedy) from error
        return path

    def recorded(self) -> dict[str, str]:
        """SHA-256 of the files in the lock, by name; InputError for a line that is none."""
        if self.lock is None or not self.lock.exists():
            return {}
        lines = self.lock.read_text(encoding="utf-8").splitlines()
        entries = [line.split(maxsplit=1) for line in lines if line.strip()]
        wrong = [entry for entry in entries if len(entry) != 2 or len(entry[0]) != 64]
        if wrong:
            raise InputError(f"{self.lock}: no line of sha256sum: {' '.join(wrong[0])}")
        return {name: digest for digest, name in entries}

    def _fetch(self, url: str, name: str, expected: str | None) -> None:
        path = self.folder / name
        pooch.get_logger().setLevel("ERROR")
        registry = pooch.create(
            self.folder, "", registry={name: None}, urls={name: url}, retry_if_failed=RETRIES
        )
        try:
            registry.fetch(name, downloader=_Resuming(Path(f"{path}.part"), expected))
        except requests.RequestException as error:
            raise PrerequisiteError(
                f"{url} cannot be fetched ({error}). The same command goes on where it stopped; "
                f"without a network put the file at {path}"
            ) from error
        if expected is None:
            self._record(name, digest(path))

    def _record(self, name: str, found: str) -> None:
        if self.lock is None:
            return
        with FileLock(f"{self.lock}.lock"), self.lock.open("a", encoding="utf-8") as stream:
            stream.write(f"{found}  {name}\n")


@dataclass(frozen=True)
class _Resuming:
    """A downloader for pooch that goes on with what an earlier one has left in `part`."""

    part: Path
    expected: str | None

    def __call__(self, url: str, output: str, _: pooch.Pooch) -> None:
        """The file at `output`; raises what pooch tries again, or a PrerequisiteError."""
        tag = self.part.with_name(f"{self.part.name}.etag")
        known = tag.read_text(encoding="utf-8") if tag.exists() and self.part.exists() else ""
        start = self.part.stat().st_size if known else 0
        with requests.get(url, headers=_asking(start, known), stream=True, timeout=TIMEOUT) as got:
            if got.status_code in (404, 410):
                raise NotThereError(f"{url}: the server has no such file")
            if got.status_code == 416:  # nothing is left to send, or the part is of another file
                tag.unlink()
                raise requests.ConnectionError("the part on disk does not fit")
            got.raise_for_status()
            tag.write_text(_strong(got.headers), encoding="utf-8")
            self._receive(got, start if got.status_code == 206 else 0)
        self._check(url)
        os.replace(self.part, output)
        tag.unlink()

    def _receive(self, got: requests.Response, start: int) -> None:
        total = start + int(got.headers.get("Content-Length", 0))
        name, quiet = self.part.name.removesuffix(".part"), not sys.stderr.isatty()
        bar = tqdm(total=total, initial=start, unit="B", unit_scale=True, desc=name, disable=quiet)
        with bar, self.part.open("ab" if start else "wb") as stream:
            for chunk in got.iter_content(_CHUNK):
                stream.write(chunk)
                bar.update(len(chunk))

    def _check(self, url: str) -> None:
        """Nothing; raises PrerequisiteError, and keeps the file, when it is another one."""
        if self.expected is None:
            return
        found = digest(self.part)
        if found != self.expected:
            kept = self.part.with_suffix(".mismatch")
            os.replace(self.part, kept)
            raise PrerequisiteError(
                f"{url} is not the file that was expected: its SHA-256 is {found}, not "
                f"{self.expected}. It is kept as {kept}. Fetch again, from another mirror; if the "
                "source has really changed, change the pinned or recorded digest"
            )


def cache_folder(given: str | None) -> Path:
    """The folder for what is fetched: the one given, else the user's cache."""
    return Path(given).expanduser() if given else Path(pooch.os_cache("contact-harness"))


def offline_by_environment() -> bool:
    """Whether the user's environment forbids the network, as the Hugging Face libraries read it."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")


def _asking(start: int, tag: str) -> dict[str, str]:
    """Headers: for what is left after `start`, if the file is still the one of that tag."""
    headers = {"Accept-Encoding": "identity"}
    return headers | {"Range": f"bytes={start}-", "If-Range": tag} if start else headers


def _strong(headers: Mapping[str, str]) -> str:
    """The tag that names these bytes; empty when there is none: then nothing can be resumed."""
    tag = headers.get("ETag", "")
    return "" if tag.startswith("W/") else tag
