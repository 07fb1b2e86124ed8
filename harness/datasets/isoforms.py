"""Isoforms and their full lengths, from a table."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from harness.alignment import read_fasta
from harness.datasets.selection import Selection
from harness.datasets.tables import read_table
from harness.datasets.uniprot import UniProt
from harness.digests import digest, text_digest
from harness.errors import InputError, PrerequisiteError
from harness.protein import Protein, check_id
from harness.sample import Origin, Sample

PUBLISHED = Path(__file__).with_name("isoforms.csv")
"""The case that Zhang et al. (PNAS 2024) name."""

NAMES = ("isoform", "full_length")
RESERVED = {"kept", "lost", "new", "n_isoform", "n_full_length"}
"""What the table over all pairs has columns of its own for."""
SEQUENCES = {name: f"{name}_sequence" for name in NAMES}


def published_isoforms(
    uniprot: UniProt, ranges: list[str], ids: Sequence[str | int] | None, limit: int | None
) -> "Isoforms":
    """The isoforms that the paper names, with sequences from UniProt."""
    return Isoforms(str(PUBLISHED), None, uniprot, ranges, ids, limit)


@dataclass(frozen=True)
class Isoforms:
    """A sample for each row of the CSV table `pairs`; its id is that of the isoform.

    Columns `isoform` and `full_length` name the two proteins, `isoform_sequence` and
    `full_length_sequence` give their sequences. A sequence that is not there is that of the FASTA
    file `fasta` by that name, else that of `uniprot` with that accession. Every other column
    (variant, source, …) is text that goes with the pair. No structure is known: distances are NaN.
    `ids` and `limit` select isoforms, by name and as the first so many by name; `ranges` is read by
    the evaluations.
    """

    pairs: str
    fasta: str | None
    uniprot: UniProt
    ranges: list[str]
    ids: Sequence[str | int] | None  # YAML reads an id of digits as a number
    limit: int | None

    @cached_property
    def protein_ids(self) -> list[str]:
        """The selected isoforms, sorted by name."""
        selection = Selection(self.ids, None, 0, self.limit, 0)
        return selection.scored(sorted(self._rows))[: self.limit]

    @property
    def labeled_ids(self) -> list[str]:
        """None: nobody knows the answer of any."""
        return []

    @cached_property
    def version(self) -> str:
        """`isoforms-` and 12 digits of a SHA-256 over the rows of the selected pairs."""
        chosen = {name: [self._rows[name], *self._sequences(name)] for name in self.protein_ids}
        return f"isoforms-{text_digest(json.dumps(chosen, sort_keys=True))[:12]}"

    @property
    def manifest(self) -> dict[str, str]:
        """SHA-256 of the table, and of the FASTA file if there is one."""
        files = [self._table, *([Path(self.fasta)] if self.fasta else [])]
        return {path.name: digest(path) for path in files}

    def __getitem__(self, identifier: str) -> Sample:
        """The sample of one isoform."""
        if identifier not in self._rows:
            raise KeyError(identifier)
        row = self._rows[identifier]
        sequence, whole = self._sequences(identifier)
        notes = {k: v for k, v in row.items() if v and k not in (*NAMES, *SEQUENCES.values())}
        full = _unresolved(Protein(row["full_length"], whole))
        return _unresolved(Protein(identifier, sequence), Origin(full, notes))

    @cached_property
    def lengths(self) -> dict[str, int]:
        """Residues of each isoform or of its full length, whichever is longer: both are read."""
        return {name: max(map(len, self._sequences(name))) for name in self.protein_ids}

    def fetch(self) -> Path:
        """The folder of sequences from UniProt, after those that were missing have been fetched."""
        for name in self._elsewhere:
            self.uniprot.sequence(name)
        return self.uniprot.folder

    def verify(self) -> list[str]:
        """Sequences of UniProt's that are absent, or not those that were recorded."""
        return self.uniprot.verify(self._elsewhere)

    @property
    def _elsewhere(self) -> list[str]:
        """Proteins of the selected pairs whose sequence neither table nor FASTA file has."""
        pairs = [(self._rows[isoform], name) for isoform in self.protein_ids for name in NAMES]
        names = [row[name] for row, name in pairs if not row.get(SEQUENCES[name])]
        return [name for name in dict.fromkeys(names) if name not in self._records]

    @property
    def _table(self) -> Path:
        path = Path(self.pairs)
        if not path.is_file():
            raise PrerequisiteError(
                f"{path} is no file: set dataset.pairs=FILE.csv to a table with the columns "
                f"{', '.join((*NAMES, *SEQUENCES.values()))} (docs/isoforms.md)"
            )
        return path

    @cached_property
    def _rows(self) -> dict[str, dict[str, str]]:
        """Rows of the table by isoform."""
        table = read_table(self._table, NAMES)
        taken = sorted(RESERVED.intersection(table[0] if table else ()))
        if taken:
            raise InputError(f"{self._table}: column {taken[0]} is what is measured; rename it")
        rows: dict[str, dict[str, str]] = {}
        known: dict[str, str] = {}
        for number, row in enumerate(table, start=2):
            problem = _problem(row, rows, known)
            if problem:
                raise InputError(f"{self._table}: row {number}: {problem}; rename one")
            rows[row["isoform"]] = row
        if not rows:
            raise InputError(f"{self._table}: no pair below the first line")
        return rows

    def _sequences(self, identifier: str) -> list[str]:
        """The sequences of the isoform and of its full length."""
        row = self._rows[identifier]
        return [self._sequence(row[name], row.get(SEQUENCES[name], "")) for name in NAMES]

    def _sequence(self, name: str, given: str) -> str:
        found = given.upper() or self._records.get(name)
        return found if found is not None else self.uniprot.sequence(name)

    @cached_property
    def _records(self) -> Mapping[str, str]:
        """Sequences of the FASTA file by name, those of UniProt's headers by accession too."""
        if self.fasta is None:
            return {}
        path = Path(self.fasta)
        if not path.is_file():
            raise PrerequisiteError(f"{path} is no file: set dataset.fasta=FILE to one, or to null")
        records = read_fasta(path)
        if len(set(records)) > len(dict(records)):
            raise InputError(f"{path}: one name has two sequences; rename one")
        by_accession = {name.split("|")[1]: s for name, s in records if name.count("|") == 2}
        return by_accession | dict(records)


def _problem(
    row: Mapping[str, str], before: Mapping[str, object], known: dict[str, str]
) -> str | None:
    """What is wrong with the names of a row; sequences of names are added to the `known` ones."""
    name, whole = (check_id(row[column]) for column in NAMES)
    if name == "index":
        return "index is the page of the whole table"
    if name in before or name == whole:
        return f"{name} is there twice" if name in before else f"{name} is its own full length"
    for column in NAMES:
        given = row.get(SEQUENCES[column], "").upper()
        if given and known.setdefault(row[column], given) != given:
            return f"{row[column]} has another sequence than in a row before"
    return None


def _unresolved(protein: Protein, origin: Origin | None = None) -> Sample:
    """A sample without an answer."""
    return Sample(protein, np.full((len(protein),) * 2, np.nan), origin=origin)
