"""Rows, files and provenance of shards, put together."""

import json
import os

import pytest

from harness.merging import Whole
from harness.protocols import Row
from harness.results import RunFolder, read_journal, read_rows
from harness.run_summary import Basis, summarize_run
from harness.runner import RunNames
from harness.shard_folders import mark, read_shard
from harness.shards import DatasetShard, Shard
from harness.statistics import Bootstrap
from tests.records import CONFIG, Known

NAMES = RunNames("jac", "8M", "", "folder", "none", "precision")
INPUTS = {"dataset_version": "v1", "weights_sha256": "ab"}
BASIS = Basis(None, Bootstrap(50, 0.9, 0), 1000, INPUTS)
PARTS = {1: {"a": 0.25, "d": 0.75}, 2: {"b": 0.5, "c": 1.0}}
COORDINATES = ("visible",)


@pytest.fixture
def whole(tmp_path):
    """Two shards of four proteins; the second one was measured on another processor."""
    folders = []
    for number, values in PARTS.items():
        folder = tmp_path / str(number)
        (folder / "maps").mkdir(parents=True)
        results = RunFolder(folder, "jac", "8M", COORDINATES)
        results.claim({"dataset.shard": f"{number}/2", **INPUTS}, "")
        mark(folder, DatasetShard(Known(protein_ids=list("abcd")), Shard(number, 2), []), NAMES)
        for n, (protein, value) in enumerate(values.items(), start=1):
            rows = [Row("p_at_L", "min3", value, {"visible": 9})] * n
            cost = {"seconds": 2.0, "peak_memory_bytes": 10 * number}
            results.append(protein, rows, {"length": 10, "commit": f"c{n}", **cost})
            (folder / "maps" / f"{protein}.png").write_text(protein)
        summary = summarize_run(BASIS, results, NAMES, CONFIG)
        summary["provenance"] |= {"processor": f"cpu{number}", "python": "3.11"}
        results.write_summary(summary | {"settings": {"seed": "0", "dataset.shard": f"{number}/2"}})
        folders.append(read_shard(folder))
    return Whole(folders)


@pytest.fixture
def filled(whole, tmp_path):
    (tmp_path / "whole").mkdir()
    results = whole.open(tmp_path / "whole", "text")
    whole.fill(results)
    return results


def test_rows_stand_in_the_order_of_the_data_set(filled):
    rows = read_rows(filled.path)
    assert rows["protein"].tolist() == ["a", "b", "c", "c", "d", "d"]
    assert rows["value"].tolist() == [0.25, 0.5, 1.0, 1.0, 0.75, 0.75]
    assert list(rows.columns[-1:]) == ["visible"]
    ends = [entry["rows_end"] for entry in read_journal(filled.path).values()]
    content = (filled.path / "rows.csv").read_bytes()
    assert [content[:end].count(b"\n") - 1 for end in ends] == [1, 2, 4, 6]
    assert ends[-1] == len(content)


def test_the_folder_is_that_of_the_whole_run(filled, whole, tmp_path):
    assert (filled.path / "config.yaml").read_text() == "text"
    identity = json.loads((filled.path / ".identity.json").read_text())
    assert identity == {"method": "jac", "model": "8M", **INPUTS}
    assert [path.read_text() for path in sorted((filled.path / "maps").iterdir())] == list("abcd")
    assert (filled.path / "maps" / "a.png").samefile(tmp_path / "1" / "maps" / "a.png")


def test_where_files_cannot_be_linked_they_are_copied(whole, tmp_path, monkeypatch):
    def no_links(*_):
        raise OSError("not here")

    monkeypatch.setattr(os, "link", no_links)
    (tmp_path / "whole").mkdir()
    results = whole.open(tmp_path / "whole", "")
    whole.fill(results)
    copy, original = results.path / "maps" / "a.png", tmp_path / "1" / "maps" / "a.png"
    assert copy.read_text() == "a"
    assert not copy.samefile(original)


def test_the_summary_is_that_of_all_with_the_provenance_of_each(filled, whole):
    summary = whole.summarize(filled, BASIS, CONFIG)
    assert summary["run"]["label"] == "jac 8M"
    assert summary["metrics"][0]["n"] == 6
    cost = summary["cost"]
    assert (cost["seconds"], cost["peak_memory_bytes"], cost["n_parameters"]) == (8.0, 20, 1000)
    assert summary["settings"] == {"seed": "0"}
    known = {key: summary["provenance"][key] for key in ("processor", "python", "commit")}
    assert known == {"processor": "cpu1, cpu2", "python": "3.11", "commit": "c1, c2"}


def test_weights_and_data_are_known_by_what_the_shards_say(whole):
    assert whole.basis(None, BASIS.statistics) == BASIS


def test_only_an_evaluation_that_sums_up_its_rows_is_asked(whole):
    assert not whole.asks_its_evaluation
    (whole.shards[1].path / "values.csv").touch()
    assert whole.asks_its_evaluation
