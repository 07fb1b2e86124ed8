"""The paper's chains: published sequences, structures laid onto them, its own resolved residues.

exp_pdb_seq_from_log.json holds the residues that the authors' script read of each structure.
"""

import csv
import json
from collections import Counter

import pytest

from harness.datasets.pdb_chains import PdbChains
from harness.datasets.published_files import PublishedFiles
from harness.datasets.structure_files import StructureFiles
from harness.datasets.zhang2024 import (
    published_secondary_structure,
    published_sequences,
    published_table,
)
from harness.errors import InputError, PrerequisiteError
from tests.builders import DATA, needs_data

PAPER = DATA / "paper"
SOURCE = PublishedFiles("zhang2024", "http://127.0.0.1:9", None, True)


def chains(tmp_path, path=PAPER, selected=False, **changes):
    folder = str(path) if path else None
    files = StructureFiles(str(PAPER / "structures"), False, "", str(tmp_path / "cache"), True)
    fields = {"structures": files, "contact": "cb8", "ranges": ["long"], "ids": None}
    fields |= {
        "subset": None,
        "seed": 0,
        "limit": None,
        "labeled": 0,
        "failures": str(tmp_path / "failed.csv"),
    }
    fields |= {"sequences": published_sequences(folder, SOURCE, selected)}
    fields |= {"secondary_structure": published_secondary_structure(folder, SOURCE)}
    return PdbChains(None, **(fields | changes))


def published(name):
    return json.loads((PAPER / name).read_text(encoding="utf-8"))


def test_the_table_has_the_papers_numbers():
    table = published_table()
    selected = [row for row in table if row["selected"] == "1"]
    assert (len(table), len(selected)) == (2170, 1431)
    assert {int(row["length"]) for row in selected} <= set(range(201, 600))
    assert sum(200 < int(row["length"]) < 600 for row in table) == 1481


@needs_data
def test_the_table_is_what_was_published():
    sequences, selected = published("full_seq_dict.json"), set(published("selected_protein.json"))
    lengths = {row["id"]: int(row["length"]) for row in published_table()}
    assert lengths == {name: len(sequence) for name, sequence in sequences.items()}
    assert {row["id"] for row in published_table() if row["selected"] == "1"} == selected


@needs_data
def test_the_filter_of_missing_residues_holds_for_what_was_published():
    sequences, seen = published("full_seq_dict.json"), published("exp_pdb_seq_from_log.json")
    missing = {name: len(sequences[name]) - len(residues) for name, residues in seen.items()}
    assert {row["id"] for row in published_table() if row["selected"] == "1"} == set(seen)
    assert max(missing.values()) == 49


@needs_data
@pytest.mark.xdist_group("real_proteins")
def test_every_structure_is_built_on_the_published_sequence(tmp_path):
    """All 153. Resolved residues are as many as the authors' in 53 of 65 chains with their count.

    Ten of the others come from another entry of the same protein. In two of the same entry we read
    modified residues as their parents (six methyl-lysines, an oxidized cysteine), and the authors'
    script left them out.
    """
    with (PAPER / "structures.csv").open(encoding="utf-8", newline="") as stream:
        kinds = {row["paper_chain"]: row["kind"] for row in csv.DictReader(stream)}
    dataset = chains(tmp_path, ids=sorted(kinds))
    assert dataset.protein_ids == sorted(kinds)
    assert len(kinds) == 153
    sequences, seen = published("full_seq_dict.json"), published("exp_pdb_seq_from_log.json")
    differing = {}
    for name in dataset.protein_ids:
        sample = dataset[name]
        assert sample.protein.sequence == sequences[name]
        if name in seen and int(sample.resolved.sum()) != len(seen[name]):
            differing[name] = int(sample.resolved.sum()) - len(seen[name])
    assert Counter(kinds[name] for name in differing)["same sequence, other PDB entry"] == 10
    same = {name: more for name, more in differing.items() if kinds[name] == "same PDB entry"}
    assert same == {"3R6DA": 6, "5JQNA": 1}
    assert len(set(kinds) & set(seen)) == 65


@needs_data
def test_the_evaluation_set_is_200_of_the_selected(tmp_path):
    names = chains(tmp_path, selected=True, subset=200)._scored
    assert len(names) == 200
    assert set(names) <= {row["id"] for row in published_table() if row["selected"] == "1"}


def test_a_folder_without_the_sequences_is_a_prerequisite(tmp_path):
    with pytest.raises(PrerequisiteError, match=r"full_seq_dict\.json is not there; set dataset"):
        chains(tmp_path, tmp_path)


@pytest.mark.parametrize(("text", "complaint"), [("{", "not JSON"), ("{}", "is not the published")])
def test_another_file_of_that_name_is_refused(tmp_path, text, complaint):
    (tmp_path / "full_seq_dict.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=complaint):
        chains(tmp_path, tmp_path)


@needs_data
def test_secondary_structure_is_the_published_one_where_residues_were_seen(tmp_path):
    states = published_secondary_structure(str(PAPER), SOURCE)
    assert len(states) == 1429
    sample = chains(tmp_path, ids=["1ATGA"], selected=True)["1ATGA"]
    assert sample.secondary_structure == states["1ATGA"]
    assert sample.facts["secondary_structure_given"] == 1
    computed = chains(tmp_path, ids=["1ATGA"], selected=True, secondary_structure=None)["1ATGA"]
    pairs = list(zip(computed.secondary_structure, states["1ATGA"], strict=True))
    assert 0.7 < sum(a == b for a, b in pairs) / len(pairs) < 1
    assert "secondary_structure_given" not in computed.facts


def test_without_a_folder_it_is_fetched(tmp_path):
    with pytest.raises(PrerequisiteError, match="offline mode forbids to fetch it"):
        chains(tmp_path, None)


@needs_data
def test_computed_secondary_structure_agrees_with_the_published_one_but_for_its_edges(tmp_path):
    """P-SEA looks at CA atoms, pydssp at hydrogen bonds; over all 64 chains 78 % are equal.

    They differ in where elements end, hardly ever in what they are: 10 of 16,594 residues.
    """
    states = published_secondary_structure(str(PAPER), SOURCE)
    built = chains(tmp_path, selected=True, secondary_structure=None)
    pairs = [
        pair
        for identifier in built.protein_ids[:8]
        for pair in zip(built[identifier].secondary_structure, states[identifier], strict=True)
        if pair[0] != "-"
    ]
    same = sum(a == b for a, b in pairs) / len(pairs)
    assert 0.7 < same < 0.95
    assert sum({"H", "E"} == set(pair) for pair in pairs) < 0.01 * len(pairs)
