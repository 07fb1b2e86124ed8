"""Which folders are shards of one run, and what is said of those that are not."""

import json

import pytest

from harness.errors import InputError
from harness.protocols import Row
from harness.results import RunFolder
from harness.runner import RunNames
from harness.shard_folders import lacking, mark, read_shard, shards_below, whole_of
from harness.shards import DatasetShard, Shard
from tests.records import Known

NAMES = RunNames("jac", "8M", "", "folder", "none", "precision")
ALL = ["a", "b", "c", "d"]
PARTS = {1: ["a", "c"], 2: ["b", "d"]}


@pytest.fixture
def shard(tmp_path):
    """A function that writes the folder of a shard."""

    def write(name, text, own=None, **identity):
        shard, folder = Shard.parse(text), tmp_path / name
        own = PARTS[shard.number] if own is None else own
        folder.mkdir(parents=True)
        results = RunFolder(folder, "jac", "8M", ())
        results.claim({"seed": "0", **identity, "dataset.shard": text}, "")
        mark(folder, DatasetShard(Known(protein_ids=ALL), shard, own), NAMES)
        for protein in own:
            results.append(protein, [Row("p_at_L", "min3", 0.5)], {"length": 10, "seconds": 1.0})
        results.write_summary({})
        return read_shard(folder)

    return write


@pytest.fixture
def pair(shard):
    return [shard("one", "1/2"), shard("two", "2/2")]


def test_shards_of_one_run_are_put_in_order(pair):
    assert whole_of(pair[::-1]) == pair
    assert (pair[0].proteins, pair[0].names) == (ALL, NAMES)
    assert "dataset.shard" not in pair[0].identity


def test_shards_below_a_folder_are_found_by_run(shard, tmp_path):
    shard("x/0", "1/2")
    shard("x/1", "1/2", seed="1")
    shard("y/0", "2/2")
    shard("y/1", "1/3")
    groups = [[one.path for one in group] for group in shards_below(tmp_path)]
    folders = [["x/0", "y/0"], ["x/1"], ["y/1"]]
    assert groups == [[tmp_path / name for name in own] for own in folders]


def test_what_is_lacking_is_absent_or_has_not_finished(pair):
    (pair[1].path / "unfinished.txt").touch()
    assert lacking(pair) == ["2/2"]
    assert lacking(pair[1:]) == ["1/2", "2/2"]
    with pytest.raises(InputError, match=r"two: shard 2/2 has not finished; run it again"):
        whole_of(pair)


def test_nothing_is_no_whole():
    with pytest.raises(InputError, match="no shard is named"):
        whole_of([])


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ([("2/2", {"seed": "1"})], r"one and .*other0 are of different runs \(seed: 0 → 1\)"),
        ([("2/2", {"more": "1"})], r"different runs \(more: absent → 1\)"),
        ([("2/3", {})], r"are shards 1/2 and 2/3: not of as many parts"),
        ([("1/2", {})], r"shard 1/2 is there twice: .*one and .*other0"),
        ([], r"shard 2/2 is missing beside .*one"),
        ([("2/2", {"own": ["b"]})], r"^d is missing: in the shards .*one, .*other0"),
        ([("2/2", {"own": ["b", "c", "d"]})], r"^c is there 2 times: in"),
        ([("2/2", {"own": ["b", "d", "e"]})], r"^e is none of theirs: in"),
        ([("2/2", {"own": list("efgh")})], r"^b is missing, d is missing, e is .*, and 3 more: in"),
    ],
)
def test_shards_that_are_no_whole_run_are_refused(shard, others, message):
    found = [shard("one", "1/2")]
    found += [shard(f"other{n}", text, **more) for n, (text, more) in enumerate(others)]
    with pytest.raises(InputError, match=message):
        whole_of(found)


def test_shards_of_other_proteins_are_refused(pair):
    path = pair[1].path / "shard.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"proteins": ["b", "d"]}))
    with pytest.raises(InputError, match=r"one and .*two were cut from different proteins"):
        whole_of([pair[0], read_shard(pair[1].path)])


def test_a_folder_without_a_mark_is_no_shard(tmp_path):
    mark(tmp_path, Known(protein_ids=ALL), NAMES)
    with pytest.raises(InputError, match=r"no folder of a shard; runs with dataset.shard=k/n"):
        read_shard(tmp_path)


def test_a_shard_that_is_cut_differently_now_is_refused(pair):
    now = DatasetShard(Known(protein_ids=ALL), Shard(1, 2), ["a", "b"])
    with pytest.raises(InputError, match="one: shard 1/2 was cut differently, by another version"):
        mark(pair[0].path, now, NAMES)
    assert read_shard(pair[0].path) == pair[0]
