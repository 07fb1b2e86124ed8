"""Isoforms from a table: sequences in it, in a FASTA file, or from UniProt."""

import time
from pathlib import Path

import numpy as np
import pytest

from harness.datasets.isoforms import PUBLISHED, Isoforms, published_isoforms
from harness.datasets.uniprot import UniProt, is_accession
from harness.errors import InputError, PrerequisiteError
from harness.protocols import Dataset, Fetched, KnowsLengths
from tests.servers import Files, serving

FULL, ISOFORM = "MKTAYIAKGRQISFVLDERW", "MKTAYIAKGRVLDERW"
HEADER = "isoform,full_length,isoform_sequence,full_length_sequence,variant"
ROW = f"P1-2,P1,{ISOFORM},{FULL},without 10 to 13"


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """No retry waits, and nothing forbids the network."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)


@pytest.fixture
def isoforms(tmp_path):
    """A function that makes the data set of a table with these lines."""

    def make(*lines, url="http://127.0.0.1:9", **changes):
        table = tmp_path / "pairs.csv"
        table.write_text("\n".join(lines) + "\n", encoding="utf-8")
        lock, cache = str(tmp_path / "uniprot.lock"), str(tmp_path / "cache")
        uniprot = UniProt(url, cache, lock, changes.pop("offline", False))
        fields = {"fasta": None, "ranges": ["min6"], "ids": None, "limit": None} | changes
        return Isoforms(pairs=str(table), uniprot=uniprot, **fields)

    return make


class TestTable:
    def test_a_sample_is_the_isoform_and_where_it_comes_from(self, isoforms):
        dataset = isoforms(HEADER + ",source", ROW + ",UniProt")
        assert isinstance(dataset, Dataset)
        assert dataset.protein_ids == ["P1-2"]
        sample = dataset["P1-2"]
        assert (sample.protein.id, sample.protein.sequence) == ("P1-2", ISOFORM)
        assert np.isnan(sample.distances).all()
        full = sample.origin.full_length
        assert (full.protein.id, full.protein.sequence) == ("P1", FULL)
        assert sample.origin.notes == {"variant": "without 10 to 13", "source": "UniProt"}

    def test_lengths_are_those_of_what_is_read(self, isoforms):
        dataset = isoforms(HEADER, ROW, f"P2-2,P2,{FULL},{ISOFORM},longer")
        assert isinstance(dataset, KnowsLengths)
        assert dataset.lengths == {"P1-2": 20, "P2-2": 20}

    def test_selection(self, isoforms):
        lines = [HEADER, *(ROW.replace("P1", f"P{n}") for n in (3, 1, 2))]
        assert isoforms(*lines).protein_ids == ["P1-2", "P2-2", "P3-2"]
        assert isoforms(*lines, limit=2).protein_ids == ["P1-2", "P2-2"]
        assert isoforms(*lines, ids=["P3-2"]).protein_ids == ["P3-2"]
        with pytest.raises(InputError, match=r"no 'P4-2'. Did you mean P"):
            _ = isoforms(*lines, ids=["P4-2"]).protein_ids

    def test_two_isoforms_of_one_full_length(self, isoforms):
        dataset = isoforms(HEADER, ROW, ROW.replace("P1-2", "P1-3"))
        assert [dataset[name].origin.full_length.protein.id for name in dataset.protein_ids] == [
            "P1"
        ] * 2

    def test_version_follows_every_cell_and_manifest_the_file(self, isoforms):
        first = isoforms(HEADER, ROW)
        before, files = first.version, dict(first.manifest)
        assert isoforms(HEADER, ROW).version == before
        assert isoforms(HEADER, ROW.replace("without", "lacks")).version != before
        assert isoforms(HEADER, ROW.replace("VLD", "VLE")).version != before
        assert list(files) == ["pairs.csv"]

    def test_other_rows_do_not_change_the_version_of_a_selection(self, isoforms):
        both = (HEADER, ROW, ROW.replace("P1", "P2"))
        assert isoforms(*both, ids=["P1-2"]).version == isoforms(HEADER, ROW).version

    @pytest.mark.parametrize(
        ("lines", "message"),
        [
            (("isoform,whole", "a,b"), r"pairs.csv: no column full_length among isoform, whole"),
            ((HEADER,), "no pair below the first line"),
            ((HEADER, ROW, ROW), "row 3: P1-2 is there twice"),
            ((HEADER, ROW.replace("P1-2", "P1")), "row 2: P1 is its own full length"),
            ((HEADER, ROW.replace("P1-2", "../x")), "'../x' cannot name a protein"),
            ((HEADER, ROW.replace("P1-2", "")), "'' cannot name a protein"),
            ((HEADER, ROW.replace("P1-2", "index")), "row 2: index is the page of the whole table"),
            ((HEADER + ",kept", ROW + ",x"), "column kept is what is measured; rename it"),
            (
                (HEADER, ROW, ROW.replace("P1-2", "P1-3").replace("DERW,w", "DERK,w")),
                "row 3: P1 has another sequence than in a row before",
            ),
            ((HEADER + ",variant", ROW), "a column is there twice"),
            ((HEADER, ROW + ",a,b"), "row 2 has more cells than row 1"),
        ],
    )
    def test_wrong_tables(self, isoforms, lines, message):
        with pytest.raises(InputError, match=message):
            _ = isoforms(*lines).protein_ids

    @pytest.mark.parametrize(
        ("sequence", "message"),
        [("MK7A", "protein P1-2: .*7"), ("MK-A", "protein P1-2"), ("MK A", "protein P1-2")],
    )
    def test_letters_that_are_no_residues(self, isoforms, sequence, message):
        with pytest.raises(InputError, match=message):
            _ = isoforms(HEADER, ROW.replace(ISOFORM, sequence))["P1-2"]

    def test_lower_case_is_taken(self, isoforms):
        assert isoforms(HEADER, ROW.lower().replace("p1", "P1"))["P1-2"].protein.sequence == ISOFORM

    def test_no_table(self, isoforms):
        dataset = isoforms(HEADER, ROW)
        Path(dataset.pairs).unlink()
        with pytest.raises(PrerequisiteError, match=r"is no file: set dataset.pairs=FILE.csv"):
            _ = dataset.protein_ids

    def test_an_unknown_id_is_a_key_error(self, isoforms):
        with pytest.raises(KeyError):
            _ = isoforms(HEADER, ROW)["P1"]


class TestFasta:
    def test_sequences_by_name_or_accession(self, isoforms, tmp_path):
        fasta = tmp_path / "x.fasta"
        fasta.write_text(f">P1-2 isoform\n{ISOFORM}\n>sp|P1|MYG_HUMAN x\n{FULL}\n")
        dataset = isoforms("isoform,full_length", "P1-2,P1", fasta=str(fasta))
        sample = dataset["P1-2"]
        assert sample.protein.sequence == ISOFORM
        assert sample.origin.full_length.protein.sequence == FULL
        assert set(dataset.manifest) == {"pairs.csv", "x.fasta"}

    def test_one_name_has_one_sequence(self, isoforms, tmp_path):
        fasta = tmp_path / "x.fasta"
        fasta.write_text(f">P1-2\n{ISOFORM}\n>P1\n{FULL}\n>P1\n{FULL}K\n")
        dataset = isoforms("isoform,full_length", "P1-2,P1", fasta=str(fasta))
        with pytest.raises(InputError, match=r"x.fasta: one name has two sequences; rename one"):
            _ = dataset["P1-2"]

    def test_a_file_that_is_not_there(self, isoforms):
        dataset = isoforms("isoform,full_length", "P1-2,P1", fasta="none.fasta")
        with pytest.raises(PrerequisiteError, match=r"none.fasta is no file: set dataset.fasta"):
            _ = dataset["P1-2"]


class TestUniProt:
    @pytest.fixture
    def server(self):
        files = Files()
        files.content["Q8WVH6.fasta"] = f">tr|Q8WVH6|X\n{ISOFORM}\n".encode()
        files.content["P02144.fasta"] = f">sp|P02144|MYG_HUMAN\n{FULL}\n".encode()
        files.content["P99999.fasta"] = b""
        return files

    def test_sequences_are_fetched_once_and_recorded(self, isoforms, server, tmp_path):
        with serving(server) as url:
            sample = isoforms("isoform,full_length", "Q8WVH6,P02144", url=url)["Q8WVH6"]
        assert sample.protein.sequence == ISOFORM
        assert sample.origin.full_length.protein.sequence == FULL
        again = isoforms("isoform,full_length", "Q8WVH6,P02144", offline=True)
        assert again["Q8WVH6"].protein.sequence == ISOFORM
        assert len(server.asked("Q8WVH6.fasta")) == 1
        assert "Q8WVH6.fasta" in (tmp_path / "uniprot.lock").read_text()

    def test_the_published_case_is_named_and_its_sequences_fetched(self, server, tmp_path):
        with serving(server) as url:
            uniprot = UniProt(url, str(tmp_path), None, False)
            dataset = published_isoforms(uniprot, ["min6"], None, None)
            sample = dataset["Q8WVH6"]
        assert dataset.protein_ids == ["Q8WVH6"]
        notes = {k: v for k, v in sample.origin.notes.items() if k.startswith("reported")}
        assert [float(value) for value in notes.values()] == [0.49, 1.01, 0.81]
        assert "Zhang et al., PNAS 2024" in sample.origin.notes["source"]
        assert PUBLISHED.is_file()

    @pytest.mark.parametrize(
        ("row", "message"),
        [
            ("mine,P02144", r"mine has no sequence, and is no UniProt accession to look one up"),
            ("Q00000,P02144", r"UniProt may have deleted or merged Q00000"),
            ("P99999,P02144", r"P99999.fasta: the file holds no sequence"),
        ],
    )
    def test_names_without_a_sequence(self, isoforms, server, row, message):
        with serving(server) as url, pytest.raises(InputError, match=message):
            _ = isoforms("isoform,full_length", row, url=url)[row.partition(",")[0]]

    def test_sequences_can_be_fetched_ahead_and_verified(self, isoforms, server, tmp_path):
        lines = ("isoform,full_length,full_length_sequence", f"Q8WVH6,mine,{FULL}")
        dataset = isoforms(*lines)
        assert isinstance(dataset, Fetched)
        assert [line.rpartition("/")[2] for line in dataset.verify()] == [
            "Q8WVH6.fasta is not there"
        ]
        with serving(server) as url:
            folder = isoforms(*lines, url=url).fetch()
        assert [path.name for path in folder.glob("*.fasta")] == ["Q8WVH6.fasta"]
        assert dataset.verify() == []
        (folder / "Q8WVH6.fasta").write_text(">x\nMK\n")
        (problem,) = dataset.verify()
        assert "Q8WVH6.fasta has SHA-256" in problem

    def test_offline(self, isoforms):
        with pytest.raises(PrerequisiteError, match="offline mode forbids to fetch it"):
            _ = isoforms("isoform,full_length", "Q8WVH6,P02144", offline=True)["Q8WVH6"]

    @pytest.mark.parametrize("name", ["P02144", "Q8WVH6", "P02144-2", "A0A024R1R8", "O15350-13"])
    def test_accessions(self, name):
        assert is_accession(name)

    @pytest.mark.parametrize(
        "name", ["102MA", "p02144", "P0214", "P02144-", "P02144/x", "MYG_HUMAN"]
    )
    def test_other_names(self, name):
        assert not is_accession(name)
