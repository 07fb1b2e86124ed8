"""Proteins of your own: a folder for each, with an alignment, a structure, a sequence."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

import numpy as np

from harness.alignment import (
    FASTA_SUFFIXES,
    STOCKHOLM_SUFFIXES,
    Alignment,
    check_query,
    read_alignment,
    read_fasta,
)
from harness.datasets.tables import find_beside, find_table, read_column
from harness.errors import InputError, PrerequisiteError
from harness.metrics import CONTACTS, ContactDefinition
from harness.protein import Protein, check_id
from harness.sample import Sample
from harness.structure import CIF_SUFFIXES, PDB_SUFFIXES, Chain, read_chain, sample_of

MODEL = 1
"""The model of a structure that is read: the first, also of an NMR ensemble."""

LONGEST_GROUP = 64
"""Characters in the name of a group, which names of metrics hold."""

_SUFFIXES = {
    "sequence": (".fasta",),
    "msa": FASTA_SUFFIXES + STOCKHOLM_SUFFIXES,
    "structure": PDB_SUFFIXES + CIF_SUFFIXES,
}


@dataclass(frozen=True)
class FolderDataset:
    """The proteins under `path`: <id>/msa.a3m, <id>/structure.pdb or .cif, <id>/sequence.fasta.

    Any of the three may be absent and any may be gzipped; alignments may be Stockholm. The sequence
    is that of sequence.fasta, else the first row of the alignment, else the residues of the
    structure. Without a structure all distances are NaN, so whatever needs them stays unscored.
    manifest.csv (columns id and chain), in the folder or beside it, names chains of structures.

    `contact` (a name in `harness.metrics.CONTACTS`) decides the atom; `ranges` is read by the
    evaluations; `ids` and `limit` select proteins, by name and as the first so many by name.

    `labeled` proteins, drawn by `seed` from those that have a structure and are not among `ids`,
    are set aside and never scored. `limit` counts scored proteins and does not move the draw.

    Column `group_column` of the table `groups` (CSV, with a column id) says in which group each
    scored protein is. A bare name is that of a file in the folder or beside it; any other path is
    taken as it is.
    """

    path: str | None
    contact: str
    ranges: list[str]
    labeled: int
    seed: int
    ids: Sequence[str | int] | None  # YAML reads an id of digits as a number
    limit: int | None
    groups: str | None
    group_column: str | None

    @cached_property
    def protein_ids(self) -> list[str]:
        """The selected proteins without those set aside, sorted by name."""
        if self.limit is not None and self.limit < 1:
            raise InputError(f"dataset.limit is {self.limit}; allowed are 1 and more, or null")
        left = [name for name in self._chosen or self._every if name not in self.labeled_ids]
        return left[: self.limit]

    @cached_property
    def labeled_ids(self) -> list[str]:
        """The proteins set aside; a larger `labeled` adds to those of a smaller one."""
        if self.labeled == 0:
            return []
        free = [name for name in self._every if name not in self._chosen]
        pool = [name for name in free if _only_file(self._root / name, "structure")]
        if not 0 < self.labeled <= len(pool):
            raise InputError(
                f"dataset.labeled is {self.labeled}; allowed are 0 to {len(pool)}, the proteins of "
                f"{self.path} that have a structure and are not among dataset.ids"
            )
        drawn = np.random.default_rng(self.seed).permutation(len(pool))[: self.labeled]
        return [pool[n] for n in drawn]

    @cached_property
    def version(self) -> str:
        """`folder-` and 12 digits of a SHA-256 over ids, files, chains, groups, contact definition.

        Proteins set aside count: they shape what is fitted on them.
        """
        digest = hashlib.sha256(repr(self._contact).encode())
        for identifier in [*self.protein_ids, *self.labeled_ids]:
            files = {kind: _sha256(path) for kind, path in self._files(identifier).items()}
            entry = [identifier, self._chains.get(identifier), files]
            entry += ["labeled"] if identifier in self.labeled_ids else []
            entry += [{"group": self._groups[identifier]}] if identifier in self._groups else []
            digest.update(json.dumps(entry, sort_keys=True).encode())
        return f"folder-{digest.hexdigest()[:12]}"

    def __getitem__(self, identifier: str) -> Sample:
        """The sample of one protein, read from its files now."""
        self._check_known(identifier)
        files = self._files(identifier)
        alignment = read_alignment(files["msa"]) if "msa" in files else None
        chain_id = self._chains.get(identifier)
        chain = read_chain(files["structure"], chain_id, MODEL) if "structure" in files else None
        sequence = _sequence(files, alignment, chain)
        if alignment is not None:
            check_query(alignment, sequence, files["msa"])
        protein = Protein(identifier, sequence, files.get("msa"))
        sample = _unresolved(protein)
        if chain is not None:
            sample = sample_of(protein, chain, self._contact.atom)
        depth = {} if alignment is None else {"alignment_depth": float(alignment.depth)}
        group = self._groups.get(identifier, "")
        return replace(sample, facts={**sample.facts, **depth}, group=group)

    @property
    def _contact(self) -> ContactDefinition:
        if self.contact not in CONTACTS:
            raise InputError(f"contact is {self.contact!r}; allowed are {', '.join(CONTACTS)}")
        return CONTACTS[self.contact]

    @property
    def _root(self) -> Path:
        if self.path in (None, "", "???"):
            raise InputError("dataset.path is not set: add dataset.path=DIR")
        root = Path(str(self.path))
        if not root.is_dir():
            raise PrerequisiteError(f"{root} is no folder: set dataset.path=DIR to one that exists")
        return root

    @cached_property
    def _chosen(self) -> list[str]:
        """The proteins that `ids` names, sorted; InputError for one that is not there."""
        chosen = sorted({str(identifier) for identifier in self.ids or []})
        for identifier in chosen:
            self._check_known(identifier)
        return chosen

    @cached_property
    def _every(self) -> list[str]:
        """Names of all folders but hidden ones, sorted; InputError when one can name no protein."""
        folders = (entry.name for entry in self._root.iterdir() if entry.is_dir())
        names = [check_id(name) for name in sorted(folders) if not name.startswith(".")]
        if not names:
            raise InputError(f"{self.path} holds no folder; make one for each protein")
        return names

    @cached_property
    def _chains(self) -> Mapping[str, str]:
        """Chain of each structure for which a manifest names one."""
        path = find_beside(self._root, "manifest.csv")
        chains = read_column(path, "chain", "add it, or move the file away") if path else {}
        return {identifier: chain for identifier, chain in chains.items() if chain}

    @cached_property
    def _groups(self) -> Mapping[str, str]:
        """Group of each scored protein; nothing when no table is named."""
        if self.groups is None:
            return {}
        path = find_table(self._root, self.groups, "dataset.groups")
        column = self.group_column or "null"
        found = read_column(path, column, "name one with dataset.group_column=NAME")
        for identifier in self.protein_ids:
            if not 0 < len(found.get(identifier, "").strip()) <= LONGEST_GROUP:
                raise InputError(
                    f"{path}: {identifier} needs a row whose {column} has 1 to {LONGEST_GROUP} "
                    "characters; add it, or leave that protein out with dataset.ids"
                )
        return {identifier: found[identifier].strip() for identifier in self.protein_ids}

    def _check_known(self, identifier: str) -> None:
        """Nothing; raises InputError for an id that is unsafe or has no folder."""
        check_id(identifier)  # before any path is built from it
        if identifier not in self._every:
            near = get_close_matches(identifier, self._every) or self._every[:3]
            meant = " or ".join(near)
            raise InputError(f"{self.path} holds no {identifier!r}. Did you mean {meant}?")

    def _files(self, identifier: str) -> dict[str, Path]:
        """The files of one protein by kind: sequence, msa, structure."""
        folder = self._root / identifier
        found = {kind: _only_file(folder, kind) for kind in _SUFFIXES}
        files = {kind: path for kind, path in found.items() if path is not None}
        if not files:
            raise InputError(
                f"{folder} holds none of msa.a3m, structure.pdb, structure.cif and sequence.fasta "
                "(each with or without .gz)"
            )
        return files


def _only_file(folder: Path, kind: str) -> Path | None:
    """The file of this kind, or None; raises InputError when there are two."""
    names = {kind + suffix + packed for suffix in _SUFFIXES[kind] for packed in ("", ".gz")}
    found = [path for path in sorted(folder.iterdir()) if path.name in names]
    if len(found) > 1:
        raise InputError(f"{folder} holds both {found[0].name} and {found[1].name}; keep one")
    return found[0] if found else None


def _sequence(files: Mapping[str, Path], alignment: Alignment | None, chain: Chain | None) -> str:
    """The full sequence: of sequence.fasta, else of the alignment, else of the structure."""
    if "sequence" in files:
        records = read_fasta(files["sequence"])
        if len(records) != 1:
            raise InputError(f"{files['sequence']}: {len(records)} sequences; keep the one meant")
        return records[0][1]
    if alignment is not None:
        return alignment.query
    return "" if chain is None else chain.sequence


def _unresolved(protein: Protein) -> Sample:
    """A sample without an answer."""
    return Sample(protein, np.full((len(protein), len(protein)), np.nan))


def _sha256(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
