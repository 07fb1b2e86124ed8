import gzip
import logging

import numpy as np
import pytest

from harness.datasets.built_chain import BuiltChain
from harness.datasets.structure_files import split
from harness.errors import HarnessError, InputError, PrerequisiteError
from harness.protocols import Dataset, Fetched, KnowsLengths
from tests.builders import QUERY as SEQUENCE
from tests.builders import pdb_of
from tests.entries import entry


def test_it_keeps_the_protocols(chains):
    assert isinstance(chains(["1ABCA"]), Dataset)
    assert isinstance(chains(["1ABCA"]), Fetched)
    assert isinstance(chains(["1ABCA"]), KnowsLengths)
    assert chains(["1ABCA"]).lengths == {"1ABCA": len(SEQUENCE)}


def test_the_sequence_is_the_entitys_and_what_was_not_seen_is_invalid(chains):
    sample = chains(["1ABC_A"])["1ABC_A"]
    assert sample.protein.sequence == SEQUENCE
    assert np.flatnonzero(~sample.resolved).tolist() == [3, 4]
    assert sample.secondary_structure[3:5] == "--"
    assert sample.facts["resolved_fraction"] == pytest.approx(12 / 14)


def test_a_chain_is_fetched_and_built_once(chains, server, monkeypatch):
    first = chains(["1ABCA"])
    assert first.protein_ids == ["1ABCA"]
    monkeypatch.setattr("harness.datasets.built_chain.read_chain", None)
    again = chains(["1ABCA"])
    assert np.array_equal(first["1ABCA"].distances, again["1ABCA"].distances, equal_nan=True)
    assert first.version == again.version
    assert server.asked("1ABC.cif.gz") == [None]


def test_what_cannot_be_had_is_listed_and_the_rest_is_there(chains, server, caplog, failures):
    server.content["2BAD.cif.gz"] = gzip.compress(b"nothing")
    server.content["3NOE.cif.gz"] = gzip.compress(entry(SEQUENCE, entities=False).encode())
    names = ["1ABCA", "1ABCB", "9GONA", "2BADA", "3NOEA"]
    with caplog.at_level(logging.WARNING):
        assert chains(names).protein_ids == ["1ABCA"]
    found = failures()
    assert "left out, since they could not be built: 4, see" in caplog.text
    assert "no protein chain 'B'; its protein chains are A" in found["1ABCB"]
    assert "entry 9GON is obsolete or was never there" in found["9GONA"]
    assert "not usable as a structure" in found["2BADA"]
    assert "the file does not state the sequence (SEQRES)" in found["3NOEA"]


def test_an_absent_entry_is_not_asked_for_again_until_its_note_is_deleted(
    chains, server, tmp_path, failures
):
    for _ in range(2):
        assert chains(["9GONA"]).protein_ids == []
    assert len(server.asked("9GON.cif.gz")) == 1
    assert "delete" in failures()["9GONA"]
    (tmp_path / "cache" / "pdb" / "9GON.cif.gz.absent").unlink()
    server.content["9GON.cif.gz"] = server.content["1ABC.cif.gz"]
    assert chains(["9GONA"]).protein_ids == ["9GONA"]


def test_without_a_network_it_is_an_error_and_no_failure_of_a_chain(chains, tmp_path):
    with pytest.raises(PrerequisiteError, match="offline mode forbids to fetch it"):
        _ = chains(["1ABCA"], offline=True).protein_ids
    assert not (tmp_path / "failed").exists()


def test_a_failure_that_is_asked_for_says_why(chains):
    dataset = chains(["1ABCA", "9GONA"])
    assert dataset.protein_ids == ["1ABCA"]
    with pytest.raises(InputError, match=r"no '9GONA' in this data set: .*obsolete"):
        dataset["9GONA"]


def test_files_of_a_folder_come_first(chains, server, tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "1ABCA.cif").write_text(entry(SEQUENCE), encoding="utf-8")
    sample = chains(["1ABCA"], folder)["1ABCA"]
    assert sample.resolved.all()
    (folder / "1ABC.cif").write_text(entry("MKTAYIAK", chain="B"), encoding="utf-8")
    assert chains(["1ABCB"], folder)["1ABCB"].protein.sequence == "MKTAYIAK"
    assert server.requests == []


def test_a_changed_file_is_another_version(chains, tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "1ABCA.cif").write_text(entry(SEQUENCE), encoding="utf-8")
    dataset = chains(["1ABCA"], folder)
    assert dataset.verify() == ["1ABCA: has not been built"]
    before = dataset.version
    assert dataset.verify() == []
    (folder / "1ABCA.cif").write_text(entry(SEQUENCE, missing=(5,)), encoding="utf-8")
    assert "1ABCA.cif has changed since" in dataset.verify()[0]
    assert chains(["1ABCA"], folder).version != before


def test_the_version_depends_on_the_atom(chains):
    assert chains(["1ABCA"]).version != chains(["1ABCA"], contact="ca8").version
    assert chains(["1ABCA"]).version == chains(["1ABCA"], contact="cb10").version


def test_a_given_sequence_is_what_the_chain_is_laid_onto(chains):
    longer = f"GS{SEQUENCE}"
    sample = chains(["1ABCA"], sequences={"1ABCA": longer})["1ABCA"]
    assert sample.protein.sequence == longer
    assert np.flatnonzero(~sample.resolved).tolist() == [0, 1, 5, 6]


def test_the_chain_of_another_protein_is_a_failure(chains, failures):
    assert chains(["1ABCA"], sequences={"1ABCA": "WWWWHHHHWWWW"}).protein_ids == []
    assert "structure of another protein?" in failures()["1ABCA"]


def test_names_may_be_the_lines_of_a_file(chains, tmp_path):
    (tmp_path / "names.txt").write_text("1ABCA\n", encoding="utf-8")
    assert chains(str(tmp_path / "names.txt")).protein_ids == ["1ABCA"]
    with pytest.raises(PrerequisiteError, match="is no file with a chain in each line"):
        _ = chains(str(tmp_path / "others.txt")).protein_ids


def test_the_limit_counts_chains_that_could_be_built(chains, server):
    server.content["9ZZZ.cif.gz"] = server.content["1ABC.cif.gz"]
    assert chains(["0GONA", "1ABCA", "9ZZZA"], limit=1).protein_ids == ["1ABCA"]


@pytest.mark.parametrize("name", ["ABCDA", "1AB", "../1ABCA", "1ABC-A", "1ABC_", "1ABCABCDE"])
def test_what_names_no_chain_is_refused(chains, name):
    with pytest.raises(InputError, match="names no chain: write the entry and the author's chain"):
        _ = chains([name]).protein_ids


def test_a_chain_named_twice_is_refused(chains):
    with pytest.raises(InputError, match="'1ABC_A_A' names a chain twice"):
        _ = chains(["1ABC_A_A"]).protein_ids


def test_entry_and_chain_are_told_apart():
    assert split("2GWGA") == ("2GWG", ("A",))
    assert split("8BWL_C") == ("8BWL", ("C",))
    assert split("1abc_AA") == ("1abc", ("AA",))
    assert split("1ABC_A_B") == ("1ABC", ("A", "B"))


def test_a_folder_without_the_file_is_a_failure_where_nothing_may_be_fetched(
    chains, tmp_path, failures
):
    (tmp_path / "own").mkdir()
    assert chains(["1ABCA"], tmp_path / "own", download=False).protein_ids == []
    assert "holds no file of 1ABCA or of 1ABC" in failures()["1ABCA"]
    with pytest.raises(PrerequisiteError, match="no folder of structures"):
        _ = chains(["1ABCA"], tmp_path / "none").protein_ids


def test_a_damaged_file_of_ours_is_built_again(chains, tmp_path):
    assert chains(["1ABCA"]).protein_ids == ["1ABCA"]
    (kept,) = (tmp_path / "cache").rglob("1ABC_A*.npz")
    kept.write_bytes(b"damaged")
    assert "cannot be read; delete it" in BuiltChain.problem(kept)
    assert chains(["1ABCA"]).protein_ids == ["1ABCA"]
    assert BuiltChain.problem(kept) == ""


def test_a_pdb_file_states_no_sequence(chains, tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "1ABCA.pdb").write_text(pdb_of(SEQUENCE), encoding="utf-8")
    assert chains(["1ABCA"], folder).protein_ids == []
    given = {"1ABCA": SEQUENCE}
    assert chains(["1ABCA"], folder, sequences=given).protein_ids == ["1ABCA"]


def test_given_sequences_name_the_chains(chains, failures):
    assert chains(None, sequences={"1ABCA": SEQUENCE}).protein_ids == ["1ABCA"]
    with pytest.raises(InputError, match=r"dataset\.chains is null: name chains"):
        _ = chains(None).protein_ids
    assert chains(["1ABC_A"], sequences={"1ABCA": SEQUENCE}).protein_ids == []
    assert "has no sequence of each chain of 1ABC_A" in failures()["1ABC_A"]


def test_given_secondary_structure_is_used_where_residues_were_seen(chains):
    given = {"1ABCA": "E" * len(SEQUENCE)}
    sample = chains(["1ABCA"], secondary_structure=given)["1ABCA"]
    assert sample.secondary_structure == "EEE--EEEEEEEEE"
    assert sample.facts["secondary_structure_given"] == 1
    other = chains(["1ABC_A"], secondary_structure=given)
    assert other["1ABC_A"].facts["secondary_structure_given"] == 0
    assert "H" in other["1ABC_A"].secondary_structure
    assert other.version != chains(["1ABC_A"]).version


def test_what_cannot_be_written_is_an_error_with_a_way_out(chains, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(HarnessError, match=r"choose another file with dataset\.failures=FILE"):
        _ = chains(["9GONA"], failures=str(tmp_path / "file" / "list.csv")).protein_ids
    (tmp_path / "cache" / "pdb").mkdir(parents=True, exist_ok=True)
    (tmp_path / "cache" / "pdb" / "built").touch()
    with pytest.raises(HarnessError, match=r"another folder with dataset\.structures\.cache=DIR"):
        _ = chains(["1ABCA"]).protein_ids


def test_labeled_chains_are_built_by_themselves_and_never_scored(chains, server, failures):
    server.content |= {f"{n}ABC.cif.gz": server.content["1ABC.cif.gz"] for n in range(2, 6)}
    names = [*(f"{n}ABCA" for n in range(1, 6)), "9GONA"]
    data = chains(names, ids=["1ABCA", "2ABCA"], labeled=4)
    assert len(data.labeled_ids) == 3
    assert data[data.labeled_ids[0]].protein.sequence == SEQUENCE
    assert server.asked("1ABC.cif.gz") == []
    assert "9GONA" in failures()
    assert data.protein_ids == ["1ABCA", "2ABCA"]
    assert len(data.manifest) == 5
    assert data.version != chains(names, ids=["1ABCA", "2ABCA"]).version
