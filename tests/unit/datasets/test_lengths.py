"""Lengths that a data set knows without its samples are those of its samples."""

import pytest

from harness.datasets.lattice import LatticeDataset
from harness.datasets.potts import PottsDataset
from harness.errors import InputError
from harness.protocols import KnowsLengths
from tests.builders import QUERY, folder_dataset, pdb_of, put

STOCKHOLM = f"# STOCKHOLM 1.0\nquery  {QUERY[:5]}-{QUERY[5:]}\nother  {QUERY[:5]}A{QUERY[5:]}\n//\n"
HALF = len(QUERY) // 2
PROTEINS = {
    "a3m/msa.a3m": f"# a comment\n\n>query\n{QUERY[:4]}\n{QUERY[4:]}\n>other\n{QUERY}ac\n",
    "both/msa.a3m": f">query\n{QUERY}\n",
    "both/sequence.fasta": f">query\n{QUERY}\n",
    "gapped/msa.fasta": f">query\r\n{QUERY[:3]}--{QUERY[3:]}\r\n>o\r\n{QUERY[:3]}AA{QUERY[3:]}\r\n",
    "packed/msa.a3m.gz": f">query\n{QUERY}\n>other\n{QUERY}\n",
    "sto/msa.sto": STOCKHOLM,
    "structure/structure.pdb": pdb_of(),
    "two/sequence.fasta": f">first\n{QUERY}\n>second\n{QUERY[:HALF]}\n",
}


def lengths_of(dataset):
    assert isinstance(dataset, KnowsLengths)
    built = {name: len(dataset[name].protein) for name in dataset.protein_ids}
    assert dataset.lengths == built
    return built


def test_of_lattice_proteins(tmp_path):
    fields = {"seed": 0, "families": 2, "sequences": 1, "labeled": 1, "depth": 2, "ranges": []}
    dataset = LatticeDataset(**fields, cache=str(tmp_path), ids=None, limit=None)
    assert lengths_of(dataset) == {"family00_00": 27, "family01_00": 27}


def test_of_random_families():
    fields = {"seed": 0, "side": 2, "energies": "random", "coupling_sd": 1.0, "families": 1}
    fields |= {"measured": 1, "sequences": 2, "sweeps": 1, "ranges": [], "ids": None}
    assert lengths_of(PottsDataset(**fields, limit=None)) == {
        "family0000_00": 8,
        "family0000_01": 8,
    }


def test_of_files_of_every_kind(tmp_path):
    dataset = folder_dataset(put(tmp_path, PROTEINS))
    found = lengths_of(dataset)
    assert found == dict.fromkeys(found, len(QUERY)) | {"two": len(QUERY) + HALF}
    assert set(found) == {name.partition("/")[0] for name in PROTEINS}


def test_of_an_alignment_only_the_first_row_is_read(tmp_path):
    dataset = folder_dataset(put(tmp_path, {"p/msa.a3m": f">query\n{QUERY}\n>bad\n{QUERY}77\n"}))
    assert dataset.lengths == {"p": len(QUERY)}
    with pytest.raises(InputError, match="record 2"):
        dataset["p"]


def test_a_damaged_alignment_is_named(tmp_path):
    put(tmp_path, {"p/msa.a3m.gz": f">query\n{QUERY * 50}\n"})
    path = tmp_path / "p" / "msa.a3m.gz"
    path.write_bytes(path.read_bytes()[:30])
    with pytest.raises(InputError, match=r"msa.a3m.gz: damaged or truncated gzip"):
        _ = folder_dataset(tmp_path).lengths
