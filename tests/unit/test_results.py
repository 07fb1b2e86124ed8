import json
import math

import numpy as np
import pandas as pd
import pytest

from harness.errors import InputError
from harness.journal import read_journal
from harness.protocols import Row
from harness.results import (
    RunFolder,
    fact_means,
    find_metric,
    grouped,
    headline,
    read_rows,
    read_summary,
    summarize,
    summarize_facts,
)
from harness.statistics import Bootstrap

IDENTITY = {"contact": "cb8"}


def opened(path, coordinates=("n_true",)):
    folder = RunFolder(path, "guess", "", coordinates)
    folder.claim(IDENTITY, "contact: cb8\n")
    return folder


def row(value, name="p_at_L", within="long", **coordinates):
    return Row(name, within, value, coordinates or {"n_true": 3})


def test_the_files_of_the_data_set_are_listed_as_sha256sum_does(tmp_path):
    opened(tmp_path).write_manifest({"b/msa.a3m": "f" * 64, "a/msa.a3m": "0" * 64})
    expected = f"{'0' * 64}  a/msa.a3m\n{'f' * 64}  b/msa.a3m\n"
    assert (tmp_path / "dataset.sha256").read_text() == expected


def test_a_data_set_of_no_files_leaves_no_list(tmp_path):
    opened(tmp_path).write_manifest({})
    assert not (tmp_path / "dataset.sha256").exists()


def test_rows_have_the_promised_columns_and_shortest_numbers(tmp_path):
    folder = opened(tmp_path)
    folder.append("1abc", [row(1 / 3), row(1.0), row(math.nan)], {})
    assert (tmp_path / "rows.csv").read_text() == (
        "protein,method,model,metric,range,value,n_true\n"
        "1abc,guess,,p_at_L,long,0.3333333333333333,3\n"
        "1abc,guess,,p_at_L,long,1,3\n"
        "1abc,guess,,p_at_L,long,nan,3\n"
    )


def test_rows_read_back_are_those_written(tmp_path):
    folder = opened(tmp_path)
    folder.append("NA", [row(0.1 + 0.2), row(math.nan, within="")], {})
    rows = folder.rows()
    assert rows["protein"].tolist() == ["NA", "NA"]  # a name, not a missing value
    assert rows["range"].tolist() == ["long", ""]
    assert rows["value"][0] == 0.1 + 0.2
    assert math.isnan(rows["value"][1])


def test_facts_of_finished_proteins_come_back_in_order(tmp_path):
    folder = opened(tmp_path)
    for name, length in (("b", 7), ("a", 9)):
        folder.append(name, [row(0.5)], {"length": length})
    assert [entry["length"] for entry in folder.finished().values()] == [7, 9]
    assert list(folder.finished()) == ["b", "a"]


def test_the_journal_is_read_without_opening_the_folder(tmp_path):
    folder = opened(tmp_path)
    folder.append("a", [row(0.5)], {"length": 9})
    with (tmp_path / "proteins.jsonl").open("a") as journal:
        journal.write('{"protein": "b", "len')  # a line that another process is writing
    assert read_journal(tmp_path) == folder.finished()
    assert read_journal(tmp_path)["a"]["length"] == 9


def test_proteins_are_grouped_by_name_and_those_in_none_left_out():
    groups = {"p": "B", "q": "A", "r": "", "s": "B"}
    journal = {protein: {"group": group} for protein, group in groups.items()} | {"t": {}}
    assert grouped(journal) == {"A": ["q"], "B": ["p", "s"]}
    assert list(grouped(journal)) == ["A", "B"]


def test_a_fact_is_averaged_over_the_proteins_that_have_it():
    entries = [{"facts": {"neff": 2.0, "gain": None}}, {"facts": {"neff": 4.0}}, {}]
    neff, gain = summarize_facts(entries).values()
    assert neff == {"mean": 3.0, "n": 2, "unscored": 1}
    assert math.isnan(gain["mean"])
    assert (gain["n"], gain["unscored"]) == (0, 3)
    assert summarize_facts([{}, {}]) == {}


def test_means_of_facts_have_names_of_their_own():
    summary = {"facts": {"seconds": {"mean": 2.0, "n": 1, "unscored": 0}}}
    assert fact_means(summary) == {"facts/seconds": 2.0}
    assert fact_means({}) == {}  # of a run from before there were any


def test_the_configuration_is_kept_as_text(tmp_path):
    opened(tmp_path)
    assert (tmp_path / "config.yaml").read_text() == "contact: cb8\n"


@pytest.mark.parametrize(
    ("method", "identity", "named"),
    [
        ("guess", {"contact": "ca8"}, "contact: cb8 → ca8"),
        ("guess", {}, "contact: cb8 → absent"),
        ("guess", {"contact": "cb8", "seed": "1"}, "seed: absent → 1"),
        ("other", IDENTITY, "method: guess → other"),
    ],
)
def test_a_folder_of_another_run_is_left_alone(tmp_path, method, identity, named):
    opened(tmp_path).append("a", [row(0.5)], {})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(InputError, match=named):
        RunFolder(tmp_path, method, "", ("n_true",)).claim(identity, "other\n")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_rows_shortened_by_hand_are_refused(tmp_path):
    opened(tmp_path).append("a", [row(0.5)], {})
    rows = tmp_path / "rows.csv"
    rows.write_bytes(rows.read_bytes()[:-4])
    with pytest.raises(InputError, match="changed by hand"):
        opened(tmp_path)


def test_scores_are_kept_in_single_precision(tmp_path):
    scores = np.random.default_rng(0).random((5, 5))
    opened(tmp_path).save_scores("a", scores)
    with np.load(tmp_path / "scores" / "a.npz") as archive:
        assert archive["scores"].dtype == np.float32
        np.testing.assert_array_equal(archive["scores"], scores.astype(np.float32))
    assert [path.name for path in (tmp_path / "scores").iterdir()] == ["a.npz"]


def test_what_cannot_be_measured_is_null_in_the_summary(tmp_path):
    summary = {"metrics": [{"mean": math.nan}], "cost": {"seconds": 1.5}}
    opened(tmp_path).write_summary(summary)
    text = (tmp_path / "summary.json").read_text()
    assert json.loads(text) == {"metrics": [{"mean": None}], "cost": {"seconds": 1.5}}
    assert read_summary(tmp_path)["metrics"][0]["mean"] is None


def test_a_summary_counts_what_was_not_scored():
    values = [0.2, 0.4, math.nan]
    rows = pd.DataFrame({"metric": "p_at_L", "range": "long", "value": values})
    (estimate,) = summarize(rows, Bootstrap(100, 0.95, 0))
    assert estimate["mean"] == pytest.approx(0.3)
    assert (estimate["n"], estimate["unscored"]) == (2, 1)


def test_metrics_are_summarized_in_the_order_of_the_rows():
    rows = pd.DataFrame({"metric": list("bab"), "range": ["z", "z", "y"], "value": [0.1, 0.2, 0.3]})
    found = [(e["metric"], e["range"]) for e in summarize(rows, Bootstrap(10, 0.95, 0))]
    assert found == [("b", "z"), ("a", "z"), ("b", "y")]


def test_a_metric_that_was_not_measured_is_missing_and_not_zero():
    found = find_metric({"metrics": []}, "p_at_L", "long")
    assert (found["mean"], found["low"], found["high"], found["n"]) == (None, None, None, 0)


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        ([("r", "long"), ("p_at_L", "min6"), ("p_at_L", "long")], ("p_at_L", ["min6", "long"])),
        ([("p_at_L_ordered", "long")], ("p_at_L_ordered", ["long"])),
        ([], ("p_at_L", [""])),
    ],
)
def test_the_headline_is_precision_at_length_where_there_is_one(metrics, expected):
    summary = {"metrics": [{"metric": metric, "range": name} for metric, name in metrics]}
    assert headline([summary]) == expected


def test_an_empty_folder_has_rows_but_no_row(tmp_path):
    assert opened(tmp_path).rows().empty
    assert list(read_rows(tmp_path)) == [
        *("protein", "method", "model", "metric", "range", "value", "n_true")
    ]
