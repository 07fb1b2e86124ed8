"""Proteins of your own: a folder for each, with an alignment, a structure, a sequence."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from itertools import accumulate
from pathlib import Path

import numpy as np

from harness.alignment import check_query, read_alignment
from harness.corpus import Corpus, CorpusSettings
from harness.datasets.folder_corpus import family_corpus
from harness.datasets.folder_files import files_of, length_of, only_file, sequences_of
from harness.datasets.tables import find_beside, find_table, read_column
from harness.digests import digest
from harness.errors import InputError, PrerequisiteError
from harness.metrics import CONTACTS, ContactDefinition
from harness.placement import sample_of
from harness.protein import Protein, check_id
from harness.sample import Sample
from harness.structure import Chain, read_chain

MODEL = 1
"""The model of a structure that is read: the first, also of an NMR ensemble."""

LONGEST_GROUP = 64
"""Characters in the name of a group, which names of metrics hold."""


@dataclass(frozen=True)
class FolderDataset:
    """The proteins under `path`: <id>/msa.a3m, <id>/structure.pdb or .cif, <id>/sequence.fasta.

    Any of the three may be absent and any may be gzipped; alignments may be Stockholm. The sequence
    is that of sequence.fasta, else the first row of the alignment, else the residues of the
    structure. Without a structure all distances are NaN, so whatever needs them stays unscored.
    manifest.csv (columns id and chain), in the folder or beside it, names chains of structures.
    A complex has several records in sequence.fasta and as many chains there, as A+B.

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
        pool = [name for name in free if only_file(self._root / name, "structure")]
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
        whole = hashlib.sha256(repr(self._contact).encode())
        for identifier, files in self._digests.items():
            entry = [identifier, self._chains.get(identifier), files]
            entry += ["labeled"] if identifier in self.labeled_ids else []
            entry += [{"group": self._groups[identifier]}] if identifier in self._groups else []
            whole.update(json.dumps(entry, sort_keys=True).encode())
        return f"folder-{whole.hexdigest()[:12]}"

    @property
    def manifest(self) -> dict[str, str]:
        """SHA-256 of the files of all proteins, those set aside included."""
        return {
            f"{identifier}/{self._files(identifier)[kind].name}": value
            for identifier, files in self._digests.items()
            for kind, value in files.items()
        }

    @cached_property
    def _digests(self) -> dict[str, dict[str, str]]:
        """SHA-256 of the files of each protein by kind."""
        return {
            identifier: {kind: digest(path) for kind, path in self._files(identifier).items()}
            for identifier in [*self.protein_ids, *self.labeled_ids]
        }

    def __getitem__(self, identifier: str) -> Sample:
        """The sample of one protein, read from its files now."""
        self._check_known(identifier)
        files = self._files(identifier)
        alignment = read_alignment(files["msa"]) if "msa" in files else None
        chains = self._read_chains(identifier, files.get("structure"))
        sequences = sequences_of(files, alignment, chains)
        if alignment is not None:
            check_query(alignment, "".join(sequences), files["msa"])
        breaks = tuple(accumulate(map(len, sequences[:-1])))
        protein = Protein(identifier, "".join(sequences), files.get("msa"), breaks)
        sample = sample_of(protein, chains, self._contact.atom) if chains else _unresolved(protein)
        depth = {} if alignment is None else {"alignment_depth": float(alignment.depth)}
        group = self._groups.get(identifier, "")
        return replace(sample, facts={**sample.facts, **depth}, group=group)

    @cached_property
    def lengths(self) -> dict[str, int]:
        """Residues of each scored protein; of alignments only the first row is read."""
        return {name: self._length(name) for name in self.protein_ids}

    def _length(self, identifier: str) -> int:
        files = self._files(identifier)
        if "sequence" in files or "msa" in files:
            return length_of(files)
        return sum(len(c.sequence) for c in self._read_chains(identifier, files["structure"]))

    def corpus(self, settings: CorpusSettings, device: str) -> Corpus:
        """Rows of the alignments of the scored proteins."""
        files = {name: self._files(name) for name in self.protein_ids}
        alignments = {name: own["msa"] for name, own in files.items() if "msa" in own}
        return family_corpus(alignments, self.seed, settings, f"{self.version} {settings}")

    def _read_chains(self, identifier: str, structure: Path | None) -> list[Chain]:
        """The chains of a structure that the manifest names, in order, else its only one."""
        if structure is None:
            return []
        named = self._chains.get(identifier)
        names = [None] if named is None else named.split("+")
        if len(set(names)) < len(names):
            raise InputError(f"manifest.csv names a chain of {identifier} twice: {named}")
        return [read_chain(structure, name, MODEL) for name in names]

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
        return files_of(self._root / identifier)


def _unresolved(protein: Protein) -> Sample:
    """A sample without an answer."""
    return Sample(protein, np.full((len(protein), len(protein)), np.nan))
