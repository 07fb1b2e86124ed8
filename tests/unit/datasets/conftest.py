"""What the tests of folder data sets start from."""

from pathlib import Path

import pytest

from tests.builders import ALIGNMENT, QUERY, pdb_of, put


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
