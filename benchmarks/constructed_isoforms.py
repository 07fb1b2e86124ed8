"""Isoforms that are constructed: segments cut out of structures, as if that were their prediction.

    python -m benchmarks.constructed_isoforms FILE … --cuts 0:36 20:51 --into DIR

FILE is a PDB or mmCIF file of one protein chain; DIR gets pairs.csv and a folder of structures, and
the command that measures them is printed. No such proteins are known: they show what a loss
uncovers.
"""

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

from biotite.structure import AtomArray
from biotite.structure.io import pdb

from harness.datasets.deletions import CONSTRUCTED
from harness.structure import Chain, read_chains

COLUMNS = ("isoform", "full_length", "isoform_sequence", "full_length_sequence", "source")


def main() -> None:
    """Write what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--cuts", nargs="+", required=True, help="START:END, from 0, END excluded")
    parser.add_argument("--into", type=Path, required=True)
    given = parser.parse_args()
    cuts = [(int(start), int(end)) for start, end in (cut.split(":") for cut in given.cuts)]
    chains = {name_of(path): read_chains(path)[0] for path in given.files}
    write(given.into, chains, cuts)
    print(
        f"python -m harness evaluation=isoform dataset=isoforms "
        f"dataset.pairs={given.into}/pairs.csv method=structure "
        f"predictions={given.into}/structures method.confidence=none"
    )


def name_of(path: Path) -> str:
    """The protein of a file: the first part of its name, or its folder for a structure.*."""
    first = path.name.partition(".")[0]
    return path.parent.name if first == "structure" else first.partition("_")[0]


def write(into: Path, chains: dict[str, Chain], cuts: Sequence[tuple[int, int]]) -> None:
    """The table of pairs, and the structure of each protein and of each of its fragments."""
    folder = into / "structures"
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, chain in chains.items():
        (folder / f"{name}.pdb").write_text(pdb_text(fragment(chain, 0, 0)))
        for start, end in cuts:
            isoform = f"{name}_without_{start}_{end}"
            letters = chain.sequence[:start] + chain.sequence[end:]
            rows.append([isoform, name, letters, chain.sequence, CONSTRUCTED])
            (folder / f"{isoform}.pdb").write_text(pdb_text(fragment(chain, start, end)))
    with (into / "pairs.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([COLUMNS, *rows])


def fragment(chain: Chain, start: int, end: int) -> AtomArray:
    """The heavy atoms of a chain without residues `start` to `end` - 1."""
    atoms = chain.atoms
    if atoms is None:
        raise ValueError(f"{chain.name} was read without its side chains")
    return atoms[(atoms.res_id < start) | (atoms.res_id >= end)]


def pdb_text(atoms: AtomArray) -> str:
    """A PDB file of these atoms, as those of one chain."""
    atoms = atoms.copy()
    atoms.chain_id[:], atoms.hetero[:] = "A", False
    file = pdb.PDBFile()
    file.set_structure(atoms)
    return f"{file}\n"


if __name__ == "__main__":
    main()
