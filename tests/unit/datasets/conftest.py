"""What the tests of data sets start from: a folder, and an archive with its chains."""

import csv
import gzip
import time
from pathlib import Path

import pytest

from harness.datasets.pdb_chains import PdbChains
from harness.datasets.structure_files import StructureFiles
from tests.builders import ALIGNMENT, QUERY, pdb_of, put
from tests.entries import entry
from tests.servers import Files, serving


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three proteins: with everything, with an alignment, with a structure."""
    files = {
        "both/msa.a3m": ALIGNMENT,
        "both/structure.pdb": pdb_of(),
        "aligned/msa.sto.gz": f"# STOCKHOLM 1.0\nquery {QUERY}\n//\n",
        "folded/structure.pdb.gz": pdb_of(),
        ".hidden/notes.txt": "",
        "README.md": "",
    }
    return put(tmp_path / "set", files)


@pytest.fixture
def server(monkeypatch):
    """The archive, with one entry of a chain with two residues that were not seen."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    files = Files()
    files.content["1ABC.cif.gz"] = gzip.compress(entry(QUERY, missing=(3, 4)).encode())
    return files


@pytest.fixture
def chains(tmp_path, server):
    """A function that makes the data set of these chains."""
    with serving(server) as url:

        def make(names, folder=None, download=True, offline=False, **changes):
            given = str(folder) if folder else None
            files = StructureFiles(given, download, url, str(tmp_path / "cache"), offline)
            fields = {"contact": "cb8", "ranges": ["min6"], "ids": None, "subset": None, "seed": 0}
            fields |= {"limit": None, "failures": str(tmp_path / "failed" / "list.csv")}
            fields |= {"sequences": None, "secondary_structure": None, "labeled": 0}
            return PdbChains(names, structures=files, **(fields | changes))

        yield make


@pytest.fixture
def failures(tmp_path):
    """A function that reads the list of chains that could not be built."""

    def read():
        with (tmp_path / "failed" / "list.csv").open(encoding="utf-8", newline="") as stream:
            return {row["id"]: row["reason"] for row in csv.DictReader(stream)}

    return read
