"""Chains and complexes of the Protein Data Bank, by their names."""

import csv
import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate
from pathlib import Path

import numpy as np

from harness.datasets.built_chain import BuiltChain
from harness.datasets.selection import Selection
from harness.datasets.structure_files import StructureFiles, split
from harness.errors import InputError, PrerequisiteError, cannot_write
from harness.metrics import CONTACTS
from harness.placement import placed_sample
from harness.protein import Protein
from harness.sample import Sample

log = logging.getLogger(__name__)

_REPORT_EVERY = 100
"""Chains between two lines that say how far fetching and building is."""


@dataclass(frozen=True)
class PdbChains:
    """Chains with their structures; sequences as they were in the crystal, or as given.

    `chains` are names (2GWGA, 8BWL_C, or 1ABC_A_B for two chains of one entry as a complex), or the
    path of a file with one in each line. The sequence of a chain is that of its entity (SEQRES), on
    which mmCIF files place every residue; with `sequences` it is that one, and the chain is aligned
    to it (`chains` then may be none: all of them). `secondary_structure` gives H, E or C for each
    residue, by name; where it does not, they are computed. `contact` decides the atom, `ranges` is
    read by the evaluations; `ids`, `subset`, `seed`, `limit` and `labeled` choose chains
    (`Selection`).

    A chain that cannot be had is no error: it is listed in `failures`, with the reason, and left
    out. What was built is kept beside the structures and used as long as they do not change.
    """

    chains: Sequence[str] | str | None
    sequences: Mapping[str, str] | None
    secondary_structure: Mapping[str, str] | None
    structures: StructureFiles
    contact: str
    ranges: list[str]
    ids: Sequence[str | int] | None  # YAML reads an id of digits as a number
    subset: int | None
    seed: int
    limit: int | None
    labeled: int
    failures: str
    _failed: dict[str, str] = field(default_factory=dict, init=False)

    @property
    def _selection(self) -> Selection:
        return Selection(self.ids, self.subset, self.seed, self.limit, self.labeled)

    @cached_property
    def protein_ids(self) -> list[str]:
        """The selected chains that could be built, sorted by name; the first `limit` of these."""
        return list(self._built)

    @cached_property
    def labeled_ids(self) -> list[str]:
        """The chains set aside that could be built, in the order of their draw."""
        return list(self._aside)

    @cached_property
    def version(self) -> str:
        """`pdb_chains-` and 12 digits of a SHA-256 over names, sequences, coordinates, atom."""
        whole = hashlib.sha256(self._atom.encode())
        whole.update(repr(sorted((self.secondary_structure or {}).items())).encode())
        for name, parts in [*self._built.items(), *self._aside.items()]:
            aside = ["labeled"] if name in self._aside else []
            whole.update(" ".join([name, *(part.fingerprint for part in parts), *aside]).encode())
        return f"pdb_chains-{whole.hexdigest()[:12]}"

    @property
    def manifest(self) -> dict[str, str]:
        """SHA-256 of the structure files that the chains were built from."""
        every = [*self._built.values(), *self._aside.values()]
        chains = [part for parts in every for part in parts]
        return {Path(chain.source).name: chain.source_sha256 for chain in chains}

    @property
    def lengths(self) -> dict[str, int]:
        """Residues of each scored chain, or of the chains of a complex together."""
        return {
            name: sum(len(part.sequence) for part in parts) for name, parts in self._built.items()
        }

    def fetch(self) -> Path:
        """The folder of structures, after all selected chains have been built."""
        _ = self._built, self._aside
        return self.structures.kept

    def verify(self) -> list[str]:
        """Chains whose structure is not there, or is not the one that they were built from."""
        return [
            f"{name}: {problem}"
            for name in [*self._scored, *self._selection.aside(self._names)]
            for chain in split(name)[1]
            if (problem := BuiltChain.problem(self._place(name, chain)))
        ]

    def __getitem__(self, identifier: str) -> Sample:
        """The sample of one chain."""
        found = self._aside if identifier in self._aside else self._built
        if identifier not in found:
            reason = self._failed.get(identifier, "not selected")
            raise InputError(f"no {identifier!r} in this data set: {reason}")
        parts = found[identifier]
        breaks = tuple(accumulate(len(part.sequence) for part in parts[:-1]))
        sequence = "".join(part.sequence for part in parts)
        protein = Protein(identifier, sequence, breaks=breaks)
        sample = placed_sample(protein, [part.placed for part in parts], self._atom)
        return sample if self.secondary_structure is None else self._with_states(sample)

    def _with_states(self, sample: Sample) -> Sample:
        """The sample with the secondary structure given for it, and whether one was."""
        given = (self.secondary_structure or {}).get(sample.protein.id)
        facts = {**sample.facts, "secondary_structure_given": float(given is not None)}
        if given is None:
            return replace(sample, facts=facts)
        states = np.where(sample.resolved, list(given), "-")
        return replace(sample, facts=facts, secondary_structure="".join(states))

    @property
    def _atom(self) -> str:
        if self.contact not in CONTACTS:
            raise InputError(f"contact is {self.contact!r}; allowed are {', '.join(CONTACTS)}")
        return CONTACTS[self.contact].atom

    @cached_property
    def _names(self) -> list[str]:
        names = self.sequences if self.chains is None else self.chains
        if names is None:
            raise InputError("dataset.chains is null: name chains, or a file that does")
        if isinstance(names, str):
            if not Path(names).is_file():
                raise PrerequisiteError(f"{names} is no file with a chain in each line")
            names = Path(names).read_text(encoding="utf-8").split()
        for name in names:
            split(name)
        return list(names)

    @cached_property
    def _scored(self) -> list[str]:
        return self._selection.scored(self._names)

    @cached_property
    def _built(self) -> dict[str, list[BuiltChain]]:
        return self._build_all(self._scored, self.limit)

    @cached_property
    def _aside(self) -> dict[str, list[BuiltChain]]:
        return self._build_all(self._selection.aside(self._names), None)

    def _build_all(self, names: list[str], limit: int | None) -> dict[str, list[BuiltChain]]:
        """The first so many of these chains that can be built; what failed is listed."""
        built: dict[str, list[BuiltChain]] = {}
        for n, name in enumerate(names):
            if len(built) == limit:
                break
            if n and n % _REPORT_EVERY == 0:
                log.info("%d of %d chains are there", n, len(names))
            try:
                built[name] = self._build(name)
            except InputError as error:
                self._failed[name] = str(error)
        self._write_failures()
        return built

    def _build(self, name: str) -> list[BuiltChain]:
        """The chains of a name, in order; InputError when one cannot be built."""
        path, read = self.structures.find(name)
        chains = split(name)[1]
        given = None if self.sequences is None else self.sequences.get(name, "")
        if given == "" or (given and len(chains) > 1):
            raise InputError(f"dataset.sequences has no sequence of each chain of {name}")
        return [
            BuiltChain.of(path, wanted, given, self._place(name, chain))
            for wanted, chain in zip(read, chains, strict=True)
        ]

    def _place(self, name: str, chain: str) -> Path:
        """Where a built chain is kept; chains differ by case, which some file systems do not."""
        kind = "entity" if self.sequences is None else "given"
        case = "".join("u" if letter.isupper() else "l" for letter in chain)
        return self.structures.kept / "built" / kind / f"{split(name)[0]}_{chain}_{case}.npz"

    def _write_failures(self) -> None:
        """The list of what failed, if anything did, and one line about it."""
        if not self._failed:
            return
        path = Path(self.failures)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("w", encoding="utf-8", newline="") as stream:
                table = csv.writer(stream, lineterminator="\n")
                table.writerows([("id", "reason"), *sorted(self._failed.items())])
        except OSError as error:
            raise cannot_write(error, "choose another file with dataset.failures=FILE") from error
        log.warning("left out, since they could not be built: %d, see %s", len(self._failed), path)
