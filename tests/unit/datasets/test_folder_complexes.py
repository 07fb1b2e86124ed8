"""Complexes in a data set made of folders."""

from pathlib import Path

import numpy as np
import pytest

from harness.errors import InputError
from tests.builders import QUERY, folder_dataset, pdb_of, put

TWO_CHAINS = {"two/structure.pdb": pdb_of().replace("END\n", "") + pdb_of("WWKKWWKK", "B")}
COMPLEX = {**TWO_CHAINS, "two/sequence.fasta": f">a\nGS{QUERY}\n>b\nWWKKWWKK\n"}


class TestComplexes:
    def test_chains_are_laid_onto_the_records_in_order(self, root: Path) -> None:
        put(root, {**COMPLEX, "manifest.csv": "id,chain\ntwo,A+B\n"})
        sample = folder_dataset(root)["two"]
        assert sample.protein.chain_sequences == [f"GS{QUERY}", "WWKKWWKK"]
        assert np.flatnonzero(~sample.resolved).tolist() == [0, 1]
        assert sample.facts["chains"] == 2
        assert len(sample.secondary_structure or "") == len(sample.protein)
        assert np.isfinite(sample.distances[2, -1])

    def test_in_another_order_it_is_another_complex(self, root: Path) -> None:
        fasta = f">b\nWWKKWWKK\n>a\n{QUERY}\n"
        put(root, {**COMPLEX, "two/sequence.fasta": fasta, "manifest.csv": "id,chain\ntwo,B+A\n"})
        assert folder_dataset(root)["two"].protein.breaks == (8,)

    def test_without_sequences_chains_are_what_was_resolved(self, root: Path) -> None:
        put(root, {**TWO_CHAINS, "manifest.csv": "id,chain\ntwo,A+B\n"})
        assert folder_dataset(root)["two"].protein.chain_sequences == [QUERY, "WWKKWWKK"]

    def test_the_alignment_has_the_columns_of_all_chains(self, root: Path) -> None:
        paired = f">query\n{QUERY}WWKKWWKK\n"
        fasta = f">a\n{QUERY}\n>b\nWWKKWWKK\n"
        files = {"two/msa.a3m": paired, "two/sequence.fasta": fasta}
        put(root, {**COMPLEX, **files, "manifest.csv": "id,chain\ntwo,A+B\n"})
        assert folder_dataset(root)["two"].protein.alignment is not None
        assert folder_dataset(root)["two"].protein.breaks == (len(QUERY),)

    def test_as_many_chains_as_sequences(self, root: Path) -> None:
        put(root, {**COMPLEX, "manifest.csv": "id,chain\ntwo,A\n"})
        with pytest.raises(InputError, match=r"2 sequences for 1 chains\. A complex has a record"):
            folder_dataset(root)["two"]

    def test_a_chain_named_twice_is_refused(self, root: Path) -> None:
        put(root, {**COMPLEX, "manifest.csv": "id,chain\ntwo,A+A\n"})
        with pytest.raises(InputError, match=r"names a chain of two twice: A\+A"):
            folder_dataset(root)["two"]

    def test_each_chain_must_be_that_of_its_record(self, root: Path) -> None:
        put(root, {**COMPLEX, "manifest.csv": "id,chain\ntwo,B+A\n"})
        with pytest.raises(InputError, match="structure of another protein"):
            folder_dataset(root)["two"]
