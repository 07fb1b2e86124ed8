"""Sets that come as maps of contacts: sequences.fasta and contacts/<id>.npz.

An .npz file holds `contacts` (L, L), `valid_residues` (L,), and sometimes `positions` (L, 3), CA
atoms in Å (the layout of Rome-1/plm-contact-fusion). Contacts are CA pairs below 8 Å.
"""

import hashlib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from harness.alignment import read_fasta
from harness.datasets.published_files import PublishedFiles
from harness.datasets.selection import Selection
from harness.digests import digest
from harness.errors import InputError, PrerequisiteError
from harness.metrics import CONTACTS
from harness.placement import distances_between
from harness.protein import Protein, check_id
from harness.sample import Sample

DEFINITION = "ca8"
"""What a contact is in these files (`harness.metrics.CONTACTS`)."""


@dataclass(frozen=True)
class ContactMaps:
    """Proteins with the contacts of such files, from a folder `path`, else from `source`.

    With positions, distances are those of CA atoms. Without them all that is known of a pair is
    whether it is a contact: its distance is given as 0 or infinite, and NaN where a residue is not
    valid. So `contact` must be `ca8`. `ranges` is read by the evaluations;
    `ids`, `subset`, `seed`, `limit` and `labeled` choose proteins (`Selection`).
    """

    path: str | None
    source: PublishedFiles
    contact: str
    ranges: list[str]
    ids: Sequence[str | int] | None  # YAML reads an id of digits as a number
    subset: int | None
    seed: int
    limit: int | None
    labeled: int

    def __post_init__(self) -> None:
        if self.contact != DEFINITION:
            raise InputError(
                f"contact is {self.contact!r}, but contacts of this data set are known as "
                f"{DEFINITION} only (CA atoms below 8 Å); add contact={DEFINITION}"
            )

    @property
    def _selection(self) -> Selection:
        return Selection(self.ids, self.subset, self.seed, self.limit, self.labeled)

    @cached_property
    def protein_ids(self) -> list[str]:
        """The selected proteins, sorted by name."""
        return self._selection.scored(sorted(self._sequences))[: self.limit]

    @cached_property
    def labeled_ids(self) -> list[str]:
        """The proteins set aside."""
        return self._selection.aside(sorted(self._sequences))

    @cached_property
    def version(self) -> str:
        """`contact_maps-` and 12 digits of a SHA-256 over ids, sequences and files."""
        whole = hashlib.sha256()
        for name in [*self.protein_ids, *self.labeled_ids]:
            aside = " labeled" if name in self.labeled_ids else ""
            file = self.manifest[f"contacts/{name}.npz"]
            whole.update(f"{name} {self._sequences[name]} {file}{aside}".encode())
        return f"contact_maps-{whole.hexdigest()[:12]}"

    @cached_property
    def manifest(self) -> dict[str, str]:
        """SHA-256 of the file of each selected protein, and of that of the sequences."""
        names = [*self.protein_ids, *self.labeled_ids]
        files = {f"contacts/{name}.npz": digest(self._file(name)) for name in names}
        return files | {"sequences.fasta": digest(self._fasta)}

    @property
    def lengths(self) -> dict[str, int]:
        """Residues of each scored protein."""
        return {name: len(self._sequences[name]) for name in self.protein_ids}

    def fetch(self) -> Path:
        """The folder of the files."""
        return self._folder

    def verify(self) -> list[str]:
        """What is wrong with the files that were fetched; those of a folder are not known."""
        if self.path is not None:
            raise InputError("dataset.path names a folder of your own, which nobody has recorded")
        return self.source.verify()

    def __getitem__(self, identifier: str) -> Sample:
        """The sample of one protein, read from its file now."""
        if identifier not in self._sequences:
            raise InputError(f"{self._folder} holds no {identifier!r}")
        protein = Protein(identifier, self._sequences[identifier])
        distances = _distances(self._file(identifier), len(protein))
        resolved = float((~np.isnan(np.diagonal(distances))).mean())
        return Sample(protein, distances, facts={"resolved_fraction": resolved})

    @cached_property
    def _folder(self) -> Path:
        if self.path is None:
            return self.source.fetch()
        if not Path(self.path).is_dir():
            raise PrerequisiteError(f"{self.path} is no folder: set dataset.path=DIR to one")
        return Path(self.path)

    @cached_property
    def _sequences(self) -> dict[str, str]:
        return {check_id(name): sequence for name, sequence in read_fasta(self._fasta)}

    @property
    def _fasta(self) -> Path:
        file = self._folder / "sequences.fasta"
        if not file.exists():
            raise PrerequisiteError(f"{file} is not there; it holds the sequences of the set")
        return file

    def _file(self, identifier: str) -> Path:
        path = self._folder / "contacts" / f"{check_id(identifier)}.npz"
        if not path.exists():
            raise PrerequisiteError(f"{path} is not there; it holds the contacts of {identifier}")
        return path


def _distances(path: Path, length: int) -> Float[ndarray, "L L"]:
    """Distances in Å, or 0 and infinity for contacts and others; NaN for residues not valid."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            contacts, valid = file["contacts"].astype(bool), file["valid_residues"].astype(bool)
            places = file["positions"].astype(float) if "positions" in file else None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: not a file of contacts ({error})") from error
    if contacts.shape != (length, length) or valid.shape != (length,):
        raise InputError(
            f"{path}: contacts {contacts.shape} and valid_residues {valid.shape} do not fit a "
            f"sequence of {length}"
        )
    distances = np.where(contacts | np.eye(length, dtype=bool), 0, np.inf)
    if places is not None:
        distances = distances_between(places)
        wrong = ((distances < CONTACTS[DEFINITION].cutoff) != contacts) & valid & valid[:, None]
        if wrong[~np.eye(length, dtype=bool)].any():
            raise InputError(f"{path}: contacts are not the pairs of positions below 8 Å")
    distances[~valid] = distances[:, ~valid] = np.nan
    return distances
