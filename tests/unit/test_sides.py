"""A run, and the same run frozen, are one side of a comparison alike."""

import json
import math

import pandas as pd
import pytest

from harness.errors import InputError
from harness.sides import read_frozen, read_side, write_frozen
from tests.sides import finish

VALUES = {("p_at_L", "long"): {"a": 0.5, "b": math.nan}, ("spearman", ""): {"a": 1 / 3}}


@pytest.fixture
def side(tmp_path):
    return read_side(finish(tmp_path / "run", VALUES, seconds=2.5))


@pytest.fixture
def frozen(tmp_path, side):
    path = tmp_path / "below" / "frozen.json"
    write_frozen(path, side, ["method=jac"])
    return path


def test_a_side_says_what_its_numbers_mean(side):
    expected = {"contact": "CB < 8 Å", "ranges": "long", "data set": "v1"}
    assert side.definitions == expected | {"evaluation._target_": "e.Precision"}
    assert side.label == "jac 8M"
    assert side.cost(["a", "b"]) == {"seconds": 5.0, "forward_passes": 20, "flops": 0}


def test_a_frozen_run_is_the_same_side(side, frozen):
    again = read_frozen(frozen)
    order = ["metric", "range", "protein"]
    tables = [one.values.sort_values(order, ignore_index=True) for one in (again, side)]
    pd.testing.assert_frame_equal(tables[0], tables[1][tables[0].columns])
    assert (again.facts, again.costs) == (side.facts, side.costs)
    assert (again.definitions, again.label) == (side.definitions, side.label)
    assert (again.folder, again.arguments) == (None, ["method=jac"])


def test_a_frozen_run_says_nothing_of_the_machine(frozen):
    assert "platform" not in frozen.read_text()


def test_the_files_that_data_came_from_are_named_by_their_digest(tmp_path):
    folder = finish(tmp_path / "run", [0.5])
    (folder / "dataset.sha256").write_text("")
    assert read_side(folder).facts["provenance"]["dataset_sha256"].startswith("e3b0c442")


def test_a_frozen_run_that_was_edited_is_refused(frozen):
    frozen.write_text(frozen.read_text().replace("0.5", "0.6"))
    with pytest.raises(InputError, match=r"changed since it was frozen .*freeze again"):
        read_frozen(frozen)


@pytest.mark.parametrize("text", ["", "{}", "[]", "3", '{"sha256": "a", "format'])
def test_a_file_of_something_else_is_refused(tmp_path, text):
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(InputError, match="not a frozen reference"):
        read_frozen(path)


def test_a_format_of_another_version_is_refused(frozen):
    frozen.write_text(json.dumps(json.loads(frozen.read_text()) | {"format": 9}))
    with pytest.raises(InputError, match="format 9; this version reads 1"):
        read_frozen(frozen)


def test_a_folder_without_a_finished_run_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no finished run is here \(summary.json is missing\)"):
        read_side(tmp_path)


def test_a_summary_of_an_older_version_says_how_to_renew_it(tmp_path):
    folder = finish(tmp_path / "run", [0.5])
    summary = json.loads((folder / "summary.json").read_text())
    del summary["settings"]
    (folder / "summary.json").write_text(json.dumps(summary))
    with pytest.raises(InputError, match="without measuring anything anew"):
        read_side(folder)
