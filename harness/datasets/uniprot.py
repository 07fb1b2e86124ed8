"""Sequences from UniProt, by accession."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.alignment import read_fasta
from harness.digests import digest
from harness.download import Downloads, NotThereError, cache_folder, offline_by_environment
from harness.errors import InputError

_ACCESSION = re.compile(
    r"(?:[OPQ][0-9][A-Z0-9]{3}[0-9]|[A-NR-Z][0-9](?:[A-Z][A-Z0-9]{2}[0-9]){1,2})(?:-[0-9]{1,3})?"
)
"""As UniProt defines it; P02144-2 is an isoform of P02144."""


@dataclass(frozen=True)
class UniProt:
    """The FASTA files of a UniProt server, each fetched once and kept.

    `url` is the address below which <accession>.fasta lies, `cache` our folder (none: the user's
    cache). Entries change, so the SHA-256 of what was fetched is written into `lock`. `offline`, or
    HF_HUB_OFFLINE, forbids to fetch.
    """

    url: str
    cache: str | None
    lock: str | None
    offline: bool

    def sequence(self, accession: str) -> str:
        """The sequence of that entry; InputError for a name that is none, or an entry that ended.

        PrerequisiteError when it cannot be fetched.
        """
        if not is_accession(accession):
            raise InputError(
                f"{accession} has no sequence, and is no UniProt accession to look one up: fill in "
                "its column of the table, or name a FASTA file with dataset.fasta=FILE"
            )
        try:
            path = self._downloads.get(
                f"{self.url.rstrip('/')}/{accession}.fasta", f"{accession}.fasta"
            )
        except NotThereError as error:
            raise InputError(f"{error}; UniProt may have deleted or merged {accession}") from error
        records = read_fasta(path)
        if len(records) != 1:
            raise InputError(
                f"{path}: {len(records)} sequences instead of one. UniProt answers so when it has "
                f"deleted or merged {accession}: give its sequence in the table"
            )
        return records[0][1]

    def verify(self, accessions: Iterable[str]) -> list[str]:
        """What is wrong with their files, a line each: absent, or not the one recorded."""
        recorded, problems = self._downloads.recorded(), []
        for name in (f"{accession}.fasta" for accession in accessions):
            path = self.folder / name
            if not path.exists():
                problems.append(f"{path} is not there")
            elif (found := digest(path)) != recorded.get(name, found):
                problems.append(f"{path} has SHA-256 {found}, not {recorded[name]}")
        return problems

    @property
    def folder(self) -> Path:
        """Where the files are kept."""
        return cache_folder(self.cache) / "uniprot"

    @property
    def _downloads(self) -> Downloads:
        offline = self.offline or offline_by_environment()
        return Downloads(self.folder, offline, Path(self.lock) if self.lock else None)


def is_accession(name: str) -> bool:
    """Whether UniProt could have an entry of that name."""
    return _ACCESSION.fullmatch(name) is not None
