"""Several chains of one entry of the PDB."""

import gzip

import numpy as np

from tests.builders import QUERY as SEQUENCE
from tests.builders import helix
from tests.entries import entry_of, moved


def two_chains(first, second):
    """An mmCIF file of two chains, each an entity of its own."""
    atoms = [*helix(first, chain="A"), *moved(helix(second, chain="B"))]
    return entry_of(atoms, [first, second])


def test_a_complex_is_the_chains_of_one_entry_in_the_order_of_its_name(chains, server):
    text = two_chains(SEQUENCE, "WWKKWWKKGG")
    server.content["2TWO.cif.gz"] = gzip.compress(text.encode())
    dataset = chains(["2TWO_A_B", "2TWO_B_A", "2TWO_A"])
    assert dataset.protein_ids == ["2TWO_A", "2TWO_A_B", "2TWO_B_A"]
    sample, turned = dataset["2TWO_A_B"], dataset["2TWO_B_A"]
    assert sample.protein.chain_sequences == [SEQUENCE, "WWKKWWKKGG"]
    assert turned.protein.chain_sequences == ["WWKKWWKKGG", SEQUENCE]
    assert sample.facts["chains"] == 2
    n = len(SEQUENCE)
    np.testing.assert_array_equal(sample.distances[:n, n:], turned.distances[10:, :10])
    np.testing.assert_array_equal(sample.distances[:n, :n], dataset["2TWO_A"].distances)
    assert len(server.asked("2TWO.cif.gz")) == 1
    assert dataset.verify() == []
    assert list(dataset.manifest) == ["2TWO.cif.gz"]


def test_a_complex_that_lacks_a_chain_is_a_failure(chains, failures):
    assert chains(["1ABC_A_Q"]).protein_ids == []
    assert "no protein chain 'Q'" in failures()["1ABC_A_Q"]


def test_chains_that_differ_by_case_are_kept_apart(chains, server, tmp_path):
    atoms = [*helix(SEQUENCE, chain="A"), *moved(helix("WWKKWWKKGG", chain="a"))]
    text = entry_of(atoms, [SEQUENCE, "WWKKWWKKGG"])
    server.content["2TWO.cif.gz"] = gzip.compress(text.encode())
    dataset = chains(["2TWOA", "2TWOa"])
    assert dataset["2TWOA"].protein.sequence == SEQUENCE
    assert dataset["2TWOa"].protein.sequence == "WWKKWWKKGG"
    kept = [path.name.lower() for path in (tmp_path / "cache").rglob("2TWO*.npz")]
    assert len(set(kept)) == 2
