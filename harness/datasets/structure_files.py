"""Where the structures of chains come from: a folder, else the archive of the PDB."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from harness.download import Downloads, NotThereError, cache_folder, offline_by_environment
from harness.errors import InputError, PrerequisiteError
from harness.structure import CIF_SUFFIXES, PDB_SUFFIXES

_NAME = re.compile(r"([0-9][A-Za-z0-9]{3})_?([A-Za-z0-9]{1,4}(?:_[A-Za-z0-9]{1,4})*)")


@dataclass(frozen=True)
class StructureFiles:
    """Structures of chains named 2GWGA, 8BWL_C or 1ABC_AA, and of complexes, 1ABC_A_B.

    `folder` holds <name>.pdb or .cif, for a chain a file of that chain alone, or <entry>.cif (each
    with or without .gz). What it does not hold, and everything when there is none, is fetched from
    `url`, as <ENTRY>.cif.gz; `download: false` in yaml forbids that. Entries that the server does
    not have are noted in the cache and not asked for again.
    """

    folder: str | None
    download: bool
    url: str
    cache: str | None
    offline: bool

    def find(self, identifier: str) -> tuple[Path, Sequence[str | None]]:
        """The file of a name, and the chains to read there, in order (none: the only one).

        Raises InputError when there is none, with the reason.
        """
        entry, chains = split(identifier)
        for stem in (identifier, entry) if self.folder else ():
            for name in (f"{stem}{suffix}{z}" for suffix in _SUFFIXES for z in ("", ".gz")):
                if (self._local / name).exists():
                    alone = stem == identifier and len(chains) == 1
                    return self._local / name, (None,) if alone else chains
        if not self.download:
            raise InputError(f"{self.folder} holds no file of {identifier} or of {entry}")
        return self._fetch(entry), chains

    @property
    def kept(self) -> Path:
        """The folder of what is fetched, and of what is made of it."""
        return cache_folder(self.cache) / "pdb"

    def _fetch(self, entry: str) -> Path:
        file = f"{entry.upper()}.cif.gz"
        absent = self.kept / f"{file}.absent"
        try:
            if absent.exists():
                raise NotThereError(f"the server had no {file}; delete {absent} to ask again")
            downloads = Downloads(self.kept, self.offline or offline_by_environment(), None)
            return downloads.get(f"{self.url.rstrip('/')}/{file}", file)
        except NotThereError as error:
            absent.touch()
            raise InputError(
                f"{error}: entry {entry} is obsolete or was never there; the PDB names what "
                "replaced it"
            ) from error

    @cached_property
    def _local(self) -> Path:
        folder = Path(str(self.folder))
        if not folder.is_dir():
            raise PrerequisiteError(f"{folder} is no folder of structures")
        return folder


_SUFFIXES = CIF_SUFFIXES + PDB_SUFFIXES


def split(identifier: str) -> tuple[str, tuple[str, ...]]:
    """Entry and chains of a name; InputError for one that is none."""
    found = _NAME.fullmatch(identifier)
    if not found:
        raise InputError(
            f"{identifier!r} names no chain: write the entry and the author's chain, as in 2GWGA, "
            "8BWL_C or 1ABC_AA, or several chains of a complex, as in 1ABC_A_B"
        )
    chains = tuple(found[2].split("_"))
    if len(set(chains)) < len(chains):
        raise InputError(f"{identifier!r} names a chain twice")
    return found[1], chains
