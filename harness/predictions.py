"""Structures that other programs have predicted: a folder of files by protein.

What each program writes is in docs/predicted_structures.md, with sources.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from harness.arrays import read_arrays
from harness.digests import digest
from harness.errors import InputError, PrerequisiteError
from harness.gzipped import bare_suffix, read_bytes
from harness.json_text import parse
from harness.predicted import PredictedStructure, plddt_of, require_sequence
from harness.protein import Protein, check_id
from harness.structure import CIF_SUFFIXES, PDB_SUFFIXES, read_chains

CONFIDENCES = ("plddt", "none")


_COLABFOLD = ("{id}_scores_rank_001_*.json", "{id}_predicted_aligned_error_v1.json")
LAYOUTS: Mapping[str, Sequence[str]] = {
    "{id}": ("{id}_pae.json", "{id}_pae.npz"),  # OmegaFold, ESMFold, or a file of yours
    "AF-{id}-F1-model_v*": ("AF-{id}-F1-predicted_aligned_error_v*.json",),  # the Database
    "{id}_relaxed_rank_001_*": _COLABFOLD,
    "{id}_unrelaxed_rank_001_*": _COLABFOLD,
    "{id}/ranked_0": (),  # AlphaFold 2
    "{id}/{id}_model": ("{id}/{id}_confidences.json",),  # AlphaFold 3
    "{lower}/{lower}_model": ("{lower}/{lower}_confidences.json",),
    "fold_{plain}_model_0": ("fold_{plain}_full_data_0.json",),  # AlphaFold Server
    "{id}/{id}_model_0": ("{id}/pae_{id}_model_0.npz",),  # Boltz
    "predictions/{id}/{id}_model_0": ("predictions/{id}/pae_{id}_model_0.npz",),
    "{id}/pred.model_idx_*": (),  # Chai-1
}
"""How programs call the files of a protein `{id}`: the structure, without its ending, and the
aligned errors; `*` stands for anything. The first structure that is there is read, and the first of
its aligned errors."""


@dataclass(frozen=True)
class Files:
    """The files of one prediction; the aligned errors may be absent."""

    structure: Path
    pae: Path | None


@dataclass(frozen=True)
class Predictions:
    """The predictions in a folder.

    `confidence` says what the B-factors of the files are: `plddt`, or `none` for structures of
    experiments.
    """

    folder: Path
    confidence: str

    def __post_init__(self) -> None:
        if self.confidence not in CONFIDENCES:
            raise ValueError(f"confidence is {self.confidence!r}; allowed are plddt and none")

    def find(self, identifier: str) -> Files:
        """The files of a protein; InputError where there are none, or several of one kind."""
        check_id(identifier)  # before any path is built from it
        if not self.folder.is_dir():
            raise PrerequisiteError(
                f"{self.folder} is no folder: set predictions=DIR to the one with the structures"
            )
        for name, errors in LAYOUTS.items():
            structure = _only(self._matches(name, identifier, structures=True))
            if structure is not None:
                found = (self._matches(pae, identifier, structures=False) for pae in errors)
                return Files(structure, _only(next(filter(None, found), [])))
        names = ", ".join(dict.fromkeys(_filled(name, identifier) for name in LAYOUTS))
        raise InputError(
            f"{self.folder} has no prediction of {identifier}: predict it, or leave it out with "
            f"dataset.ids. Looked for {names}, each as .pdb or .cif (docs/predicted_structures.md)"
        )

    def digests(self, identifier: str) -> dict[str, str]:
        """SHA-256 of the files of a protein, by their name in the folder."""
        files = self.find(identifier)
        paths = [path for path in (files.structure, files.pae) if path is not None]
        return {path.relative_to(self.folder).as_posix(): digest(path) for path in paths}

    def read(self, protein: Protein) -> PredictedStructure:
        """The prediction of a protein; InputError where it is another's, or unreadable."""
        files = self.find(protein.id)
        source, chains = str(files.structure), read_chains(files.structure)
        require_sequence(protein, chains, source)
        plddt = plddt_of(chains, source) if self.confidence == "plddt" else None
        pae = None if files.pae is None else read_pae(files.pae, len(protein))
        return PredictedStructure(chains, plddt, pae, source)

    def _matches(self, pattern: str, identifier: str, structures: bool) -> list[Path]:
        """Files of that name, sorted; structures with any of their endings."""
        wanted = _filled(pattern, identifier)
        found = sorted(self.folder.glob(f"{wanted}.*" if structures else wanted))
        if not structures:
            return found
        name = wanted.rpartition("/")[2]
        endings = PDB_SUFFIXES + CIF_SUFFIXES
        return [
            path
            for path in found
            if bare_suffix(path) in endings and fnmatchcase(_without_ending(path), name)
        ]


def read_pae(path: Path, length: int) -> Float[ndarray, "L L"]:
    """Predicted aligned errors in Å, of residue j when residue i is where it belongs.

    From JSON of AlphaFold (2, 3, Database, Server) or ColabFold, or .npz of Boltz. InputError for
    anything else, and for another number of residues.
    """
    values = _npz_pae(path) if path.suffix == ".npz" else _json_pae(path)
    try:
        pae = np.array(values, dtype=float)
    except (ValueError, TypeError) as error:
        raise InputError(f"{path}: its aligned errors are no table of numbers") from error
    if pae.shape != (length, length):
        raise InputError(
            f"{path}: aligned errors of shape {pae.shape} for {length} residues; those of ligands "
            "or other chains have to be taken out, or the file moved away"
        )
    if not (np.isfinite(pae).all() and (pae >= 0).all()):
        raise InputError(f"{path}: an aligned error is negative or no finite number")
    return pae


def _npz_pae(path: Path) -> Any:
    arrays = read_arrays(path)
    if "pae" not in arrays:
        raise InputError(f"{path}: no array pae in it, but {', '.join(arrays) or 'nothing'}")
    return arrays["pae"]


def _json_pae(path: Path) -> Any:
    try:
        content = parse(read_bytes(path))
    except ValueError as error:
        raise InputError(f"{path}: not readable as JSON ({error}); copy it again") from error
    if isinstance(content, list) and len(content) == 1:
        content = content[0]  # the AlphaFold Database wraps it so
    if isinstance(content, Mapping):
        for key in ("predicted_aligned_error", "pae"):
            if key in content:
                return content[key]
    raise InputError(f"{path}: no table named predicted_aligned_error or pae in it")


def _only(paths: Sequence[Path]) -> Path | None:
    """The path, or none; InputError where there are several."""
    if len(paths) > 1:
        names = ", ".join(path.name for path in paths)
        raise InputError(f"{paths[0].parent} holds {names}; keep one of them")
    return paths[0] if paths else None


def _filled(pattern: str, identifier: str) -> str:
    lower = identifier.lower()
    plain = re.sub(r"[^a-z0-9]", "_", lower)  # as the server writes names
    return pattern.format(id=identifier, lower=lower, plain=plain)


def _without_ending(path: Path) -> str:
    return (Path(path.stem) if path.suffix == ".gz" else path).stem
