"""What the folder of one protein holds."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.alignment import (
    FASTA_SUFFIXES,
    STOCKHOLM_SUFFIXES,
    Alignment,
    query_length,
    read_fasta,
)
from harness.errors import InputError
from harness.structure import CIF_SUFFIXES, PDB_SUFFIXES, Chain

_SUFFIXES = {
    "sequence": (".fasta",),
    "msa": FASTA_SUFFIXES + STOCKHOLM_SUFFIXES,
    "structure": PDB_SUFFIXES + CIF_SUFFIXES,
}


def files_of(folder: Path) -> dict[str, Path]:
    """The files of one protein by kind: sequence, msa, structure; InputError for none."""
    found = {kind: only_file(folder, kind) for kind in _SUFFIXES}
    files = {kind: path for kind, path in found.items() if path is not None}
    if not files:
        raise InputError(
            f"{folder} holds none of msa.a3m, structure.pdb, structure.cif and sequence.fasta "
            "(each with or without .gz)"
        )
    return files


def only_file(folder: Path, kind: str) -> Path | None:
    """The file of this kind, or None; raises InputError when there are two."""
    names = {kind + suffix + packed for suffix in _SUFFIXES[kind] for packed in ("", ".gz")}
    found = [path for path in sorted(folder.iterdir()) if path.name in names]
    if len(found) > 1:
        raise InputError(f"{folder} holds both {found[0].name} and {found[1].name}; keep one")
    return found[0] if found else None


def length_of(files: Mapping[str, Path]) -> int:
    """Residues of the protein: in sequence.fasta, else in the first row of the alignment."""
    if "sequence" in files:
        return sum(len(sequence) for _, sequence in read_fasta(files["sequence"]))
    return query_length(files["msa"])


def sequences_of(
    files: Mapping[str, Path], alignment: Alignment | None, chains: Sequence[Chain]
) -> list[str]:
    """The sequence of each chain: of sequence.fasta, else of the alignment, else as resolved.

    Raises InputError when they are not as many as the chains of the structure.
    """
    sequences = [chain.sequence for chain in chains]
    if "sequence" in files:
        sequences = [sequence for _, sequence in read_fasta(files["sequence"])]
    elif alignment is not None:
        sequences = [alignment.query]
    if chains and len(sequences) != len(chains):
        raise InputError(
            f"{files['structure'].parent}: {len(sequences)} sequences for {len(chains)} chains. A "
            "complex has a record of each chain in sequence.fasta, and the names of the chains in "
            "manifest.csv in the same order, as A+B"
        )
    return sequences
