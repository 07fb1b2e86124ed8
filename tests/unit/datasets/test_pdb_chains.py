import csv
import gzip
import logging
import time
from dataclasses import replace

import numpy as np
import pytest

from harness.datasets.built_chain import BuiltChain
from harness.datasets.pdb_chains import PdbChains
from harness.datasets.structure_files import StructureFiles, split
from harness.errors import InputError, PrerequisiteError
from harness.protocols import Dataset, Fetched
from tests.builders import NAMES, cif_text, helix, pdb_of
from tests.servers import Files, serving

SEQUENCE = "MKTAYIAKGRQISF"


def entry(sequence, missing=(), chain="A", entities=True):
    """An mmCIF file of one chain, with its whole sequence and some residues not seen."""
    atoms = [a for a in helix(sequence, chain=chain) if a.number - 1 not in missing]
    return entry_of(atoms, [sequence]) if entities else cif_text(atoms)


def entry_of(atoms, sequences):
    """An mmCIF file of these atoms; their chains, in order, are entities of these sequences."""
    head, _, rest = cif_text(atoms).partition("loop_\n")
    columns = [line for line in rest.splitlines() if line.startswith("_atom_site")]
    lines = [line for line in rest.splitlines() if line.strip() and line not in (*columns, "#")]
    entity = {name: n for n, name in enumerate(dict.fromkeys(a.chain for a in atoms), start=1)}
    rows = [f"{line} {entity[a.chain]}" for line, a in zip(lines, atoms, strict=True)]
    poly = [
        f"{n} {place} {NAMES[letter]} n"
        for n, sequence in enumerate(sequences, start=1)
        for place, letter in enumerate(sequence, start=1)
    ]
    names = ("entity_id", "num", "mon_id", "hetero")
    lines = [*head.splitlines(), "loop_", *(f"_entity_poly_seq.{name}" for name in names), *poly]
    lines += ["#", "loop_", *columns, "_atom_site.label_entity_id", *rows, "#"]
    return "\n".join([*lines, ""])


def moved(atoms):
    """The atoms 9 Å to the side."""
    return [replace(a, xyz=(a.xyz[0] + 9, *a.xyz[1:])) for a in atoms]


@pytest.fixture
def server(monkeypatch):
    """The archive, with one entry."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    files = Files()
    files.content["1ABC.cif.gz"] = gzip.compress(entry(SEQUENCE, missing=(3, 4)).encode())
    return files


@pytest.fixture
def chains(tmp_path, server):
    with serving(server) as url:

        def make(names, folder=None, download=True, offline=False, **changes):
            given = str(folder) if folder else None
            files = StructureFiles(given, download, url, str(tmp_path / "cache"), offline)
            fields = {"contact": "cb8", "ranges": ["min6"], "ids": None, "subset": None, "seed": 0}
            fields |= {"limit": None, "failures": str(tmp_path / "failed" / "list.csv")}
            fields |= {"sequences": None, "secondary_structure": None}
            return PdbChains(names, structures=files, **(fields | changes))

        yield make


def failures(tmp_path):
    with (tmp_path / "failed" / "list.csv").open(encoding="utf-8", newline="") as stream:
        return {row["id"]: row["reason"] for row in csv.DictReader(stream)}


def test_it_keeps_the_protocols(chains):
    assert isinstance(chains(["1ABCA"]), Dataset)
    assert isinstance(chains(["1ABCA"]), Fetched)


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


def test_what_cannot_be_had_is_listed_and_the_rest_is_there(chains, server, tmp_path, caplog):
    server.content["2BAD.cif.gz"] = gzip.compress(b"nothing")
    server.content["3NOE.cif.gz"] = gzip.compress(entry(SEQUENCE, entities=False).encode())
    names = ["1ABCA", "1ABCB", "9GONA", "2BADA", "3NOEA"]
    with caplog.at_level(logging.WARNING):
        assert chains(names).protein_ids == ["1ABCA"]
    found = failures(tmp_path)
    assert "left out, since they could not be built: 4, see" in caplog.text
    assert "no protein chain 'B'; its protein chains are A" in found["1ABCB"]
    assert "entry 9GON is obsolete or was never there" in found["9GONA"]
    assert "not usable as a structure" in found["2BADA"]
    assert "the file does not state the sequence (SEQRES)" in found["3NOEA"]


def test_an_absent_entry_is_not_asked_for_again_until_its_note_is_deleted(chains, server, tmp_path):
    for _ in range(2):
        assert chains(["9GONA"]).protein_ids == []
    assert len(server.asked("9GON.cif.gz")) == 1
    assert "delete" in failures(tmp_path)["9GONA"]
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


def test_the_chain_of_another_protein_is_a_failure(chains, tmp_path):
    assert chains(["1ABCA"], sequences={"1ABCA": "WWWWHHHHWWWW"}).protein_ids == []
    assert "structure of another protein?" in failures(tmp_path)["1ABCA"]


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


def test_entry_and_chain_are_told_apart():
    assert split("2GWGA") == ("2GWG", ("A",))
    assert split("8BWL_C") == ("8BWL", ("C",))
    assert split("1abc_AA") == ("1abc", ("AA",))
    assert split("1ABC_A_B") == ("1ABC", ("A", "B"))


def test_a_folder_without_the_file_is_a_failure_where_nothing_may_be_fetched(chains, tmp_path):
    (tmp_path / "own").mkdir()
    assert chains(["1ABCA"], tmp_path / "own", download=False).protein_ids == []
    assert "holds no file of 1ABCA or of 1ABC" in failures(tmp_path)["1ABCA"]
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


def test_a_complex_that_lacks_a_chain_is_a_failure(chains, tmp_path):
    assert chains(["1ABC_A_Q"]).protein_ids == []
    assert "no protein chain 'Q'" in failures(tmp_path)["1ABC_A_Q"]


def test_chains_that_differ_by_case_are_kept_apart(chains, server, tmp_path):
    atoms = [*helix(SEQUENCE, chain="A"), *moved(helix("WWKKWWKKGG", chain="a"))]
    text = entry_of(atoms, [SEQUENCE, "WWKKWWKKGG"])
    server.content["2TWO.cif.gz"] = gzip.compress(text.encode())
    dataset = chains(["2TWOA", "2TWOa"])
    assert dataset["2TWOA"].protein.sequence == SEQUENCE
    assert dataset["2TWOa"].protein.sequence == "WWKKWWKKGG"
    kept = [path.name.lower() for path in (tmp_path / "cache").rglob("2TWO*.npz")]
    assert len(set(kept)) == 2


def test_given_sequences_name_the_chains(chains, tmp_path):
    assert chains(None, sequences={"1ABCA": SEQUENCE}).protein_ids == ["1ABCA"]
    with pytest.raises(InputError, match=r"dataset\.chains is null: name chains"):
        _ = chains(None).protein_ids
    assert chains(["1ABC_A"], sequences={"1ABCA": SEQUENCE}).protein_ids == []
    assert "has no sequence of each chain of 1ABC_A" in failures(tmp_path)["1ABC_A"]


def test_given_secondary_structure_is_used_where_residues_were_seen(chains):
    given = {"1ABCA": "E" * len(SEQUENCE)}
    sample = chains(["1ABCA"], secondary_structure=given)["1ABCA"]
    assert sample.secondary_structure == "EEE--EEEEEEEEE"
    assert sample.facts["secondary_structure_given"] == 1
    other = chains(["1ABC_A"], secondary_structure=given)
    assert other["1ABC_A"].facts["secondary_structure_given"] == 0
    assert "H" in other["1ABC_A"].secondary_structure
    assert other.version != chains(["1ABC_A"]).version
