import json

import pandas as pd
import pytest

from harness.comparison import ComparedRuns, finished_runs, runs_in, write_comparison
from harness.protocols import Row
from harness.results import RunFolder, summarize
from harness.statistics import Bootstrap

BOOTSTRAP = Bootstrap(200, 0.95, 0)
PRECISIONS = ("p_at_L", "p_at_L5")


@pytest.fixture
def finish(tmp_path):
    """A function that writes a finished run with these P@L by protein."""

    def write(folder, label, values, metric="p_at_L", **spent):
        path = tmp_path / folder
        path.mkdir()
        method, _, settings = label.partition(" ")
        results = RunFolder(path, method, "", ())
        results.claim({}, "")
        for protein, value in values.items():
            results.append(protein, [Row(metric, "min3", value)], {})
        run = {"method": method, "model": "", "settings": settings, "label": label}
        metrics = summarize(results.rows(), BOOTSTRAP)
        cost = {"n_parameters": 0, "n_proteins": 2, "forward_passes": 0, "seconds": 1.0, "flops": 0}
        results.write_summary({"run": run, "metrics": metrics, "cost": cost | spent})

    return write


@pytest.fixture
def finish_groups(tmp_path):
    """A function that writes a finished run of {group: {protein: precision}} with its facts."""

    def write(label, groups, **facts):
        path = tmp_path / label
        path.mkdir()
        results = RunFolder(path, label, "", ())
        results.claim({}, "")
        for group, proteins in groups.items():
            for protein, value in proteins.items():
                rows = [Row(metric, "min6", value) for metric in (*PRECISIONS, "r_precision")]
                results.append(protein, rows, {"group": group})
        cost = {"n_parameters": 0, "n_proteins": 2, "forward_passes": 0, "seconds": 1.0, "flops": 0}
        means = {name: {"mean": mean, "n": 1, "unscored": 0} for name, mean in facts.items()}
        part = {"metrics": summarize(results.rows(), BOOTSTRAP), "cost": cost, "facts": means}
        rows = results.rows().set_index("protein")
        own = {g: summarize(rows.loc[list(names)], BOOTSTRAP) for g, names in groups.items()}
        parts = {group: {**part, "metrics": metrics} for group, metrics in own.items()}
        run = {"method": label, "model": "", "settings": "", "label": label}
        results.write_summary({"run": run, **part, "groups": parts})

    return write


def labels(folder):
    return [run.label for run in finished_runs(folder)]


def test_shards_are_no_runs(tmp_path, finish):
    finish("0", "jac shard=1/2", {"a": 0.5})
    finish("jac", "jac", {"a": 0.5, "b": 0.5})
    summary = tmp_path / "0" / "summary.json"
    content = json.loads(summary.read_text())
    content["run"]["shard"] = "1/2"
    summary.write_text(json.dumps(content))
    assert labels(tmp_path) == ["jac"]
    assert [run.label for run in runs_in(tmp_path / "0")] == ["jac shard=1/2"]


def test_settings_are_sorted_as_numbers(tmp_path, finish):
    depths = ("1024", "64", "null", "4096", "256")
    for n, depth in enumerate(depths):
        finish(str(n), f"cov depth={depth}", {"a": 0.5})
    expected = [f"cov depth={depth}" for depth in ("64", "256", "1024", "4096", "null")]
    assert labels(tmp_path) == expected


def test_fractions_are_sorted_as_numbers_too(tmp_path, finish):
    for n, ridge in enumerate(("1e-3", "4.5", "0.25", "10")):
        finish(str(n), f"cov ridge={ridge}", {"a": 0.5})
    assert labels(tmp_path) == [f"cov ridge={ridge}" for ridge in ("1e-3", "0.25", "4.5", "10")]


def test_models_come_first_by_size(tmp_path, finish):
    finish("0", "random", {"a": 0.1})
    finish("1", "jac 5x192", {"a": 0.9}, n_parameters=1_000_000)
    finish("2", "jac 2x16", {"a": 0.2}, n_parameters=1_000)
    assert labels(tmp_path) == ["jac 2x16", "jac 5x192", "random"]


def test_runs_of_the_same_name_stay_apart(tmp_path, finish):
    finish("0", "random", {"a": 0.1})
    finish("1", "random", {"a": 0.1})
    assert labels(tmp_path) == ["random (0)", "random (1)"]


def test_runs_that_did_not_finish_are_left_out(tmp_path, finish):
    finish("0", "random", {"a": 0.1})
    (tmp_path / "1").mkdir()
    assert labels(tmp_path) == ["random"]


def test_differences_are_paired_over_the_proteins_that_both_have(tmp_path, finish):
    finish("0", "one", {"a": 0.25, "b": 0.5, "only": 0.9})
    finish("1", "two", {"b": 0.75, "a": 0.5})
    write_comparison(tmp_path, ComparedRuns(finished_runs(tmp_path), BOOTSTRAP))
    (row,) = pd.read_csv(tmp_path / "differences.csv").to_dict("records")
    assert (row["run"], row["minus"], row["range"]) == ("two", "one", "min3")
    assert (row["mean"], row["low"], row["high"], row["n"]) == (0.25, 0.25, 0.25, 2)


def test_the_table_holds_every_metric_with_the_cost(tmp_path, finish):
    finish("0", "one", {"a": 0.25})
    paths = write_comparison(tmp_path, ComparedRuns(finished_runs(tmp_path), BOOTSTRAP))
    (row,) = pd.read_csv(tmp_path / "comparison.csv").to_dict("records")
    assert (row["run"], row["metric"], row["mean"], row["seconds"]) == ("one", "p_at_L", 0.25, 1)
    names = ["comparison.csv", "differences.csv"]
    names += [f"comparison.{form}" for form in ("png", "svg", "pdf")]
    assert [path.name for path in paths] == names
    assert (tmp_path / "comparison.png").stat().st_size > 1000


def test_the_table_holds_every_group_beside_the_whole(tmp_path, finish_groups):
    finish_groups("one", {"A": {"a": 0.2, "b": 0.4}, "B": {"c": 0.9}}, neff=7.5)
    finish_groups("two", {"A": {"a": 0.3}})
    write_comparison(tmp_path, ComparedRuns(finished_runs(tmp_path), BOOTSTRAP))
    table = pd.read_csv(tmp_path / "comparison.csv", keep_default_na=False)
    chosen = table[table["metric"] == "p_at_L5"].set_index(["run", "group"])
    assert list(chosen.index) == [
        *(("one", ""), ("one", "A"), ("one", "B")),
        *(("two", ""), ("two", "A")),
    ]
    assert chosen["mean"].tolist() == pytest.approx([0.5, 0.3, 0.9, 0.3, 0.3])
    assert chosen["n"].tolist() == [3, 2, 1, 1, 1]
    assert chosen["facts/neff"].tolist() == ["7.5", "7.5", "7.5", "", ""]


def test_every_precision_is_compared_in_the_whole_and_in_each_group(tmp_path, finish_groups):
    finish_groups("one", {"A": {"a": 0.25, "b": 0.5}, "B": {"c": 0.75}})
    finish_groups("two", {"B": {"c": 0.25}, "A": {"b": 0.75, "a": 0.5}, "C": {"d": 0.5}})
    write_comparison(tmp_path, ComparedRuns(finished_runs(tmp_path), BOOTSTRAP))
    table = pd.read_csv(tmp_path / "differences.csv", keep_default_na=False)
    assert set(table["run"] + "-" + table["minus"]) == {"two-one"}
    places = list(zip(table["group"], table["metric"], table["range"], strict=True))
    assert places == [(group, p, "min6") for group in ("", "A", "B") for p in PRECISIONS]
    assert table["mean"].tolist() == [0.0, 0.0, 0.25, 0.25, -0.5, -0.5]
    assert table["n"].tolist() == [3, 3, 2, 2, 1, 1]


def test_a_protein_counts_in_a_group_that_both_runs_give_it(tmp_path, finish_groups):
    finish_groups("one", {"A": {"a": 0.25, "b": 0.5}})
    finish_groups("two", {"A": {"a": 0.75}, "B": {"b": 0.5}})
    write_comparison(tmp_path, ComparedRuns(finished_runs(tmp_path), BOOTSTRAP))
    table = pd.read_csv(tmp_path / "differences.csv", keep_default_na=False)
    found = table[table["metric"] == "p_at_L"].set_index("group")
    assert found["mean"].to_dict() == {"": 0.25, "A": 0.5}
    assert found["n"].to_dict() == {"": 2, "A": 1}


def test_runs_that_differ_in_cost_are_weighed_against_it(tmp_path, finish):
    finish("0", "dear", {"a": 0.5}, n_parameters=9, seconds=4.0, flops=8, forward_passes=6)
    finish("1", "cheap", {"a": 0.25})
    *_, table, picture, _, _ = write_comparison(
        tmp_path, ComparedRuns(finished_runs(tmp_path), BOOTSTRAP)
    )
    assert (table.name, picture.name) == ("pareto.csv", "pareto.png")
    assert picture.stat().st_size > 1000
    dear, cheap = pd.read_csv(table).to_dict("records")
    assert (dear["run"], dear["mean"], dear["seconds_per_protein"]) == ("dear", 0.5, 2)
    assert (dear["flops_per_protein"], dear["forward_passes_per_protein"]) == (4, 3)
    assert cheap["on_front_by_seconds_per_protein"]


def test_another_metric_is_compared_where_there_is_no_precision(tmp_path, finish):
    for n, label in enumerate(("one", "two")):
        finish(str(n), label, {"a": 0.25 * n}, metric="recovered")
    write_comparison(tmp_path, ComparedRuns(finished_runs(tmp_path), BOOTSTRAP))
    (row,) = pd.read_csv(tmp_path / "differences.csv").to_dict("records")
    assert (row["metric"], row["mean"]) == ("recovered", 0.25)


def test_what_nobody_could_measure_is_compared_without_a_number(tmp_path, finish):
    for n, label in enumerate(("one", "two")):
        finish(str(n), label, {"a": float("nan")})
    summary = json.loads((tmp_path / "0" / "summary.json").read_text())
    assert summary["metrics"][0]["mean"] is None
    write_comparison(tmp_path, ComparedRuns(finished_runs(tmp_path), BOOTSTRAP))
    (row,) = pd.read_csv(tmp_path / "differences.csv").to_dict("records")
    assert (row["n"], row["unscored"]) == (0, 1)
