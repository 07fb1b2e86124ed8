import json
import math

import pandas as pd
import pytest

from harness.comparison import ComparedRuns, finished_runs
from harness.report_data import MOST_COMPARED, plain, report_data
from tests.reports import BOOTSTRAP, RANGES, Written, write_pairs, write_run

ONE = {"a": 0.5, "b": math.nan, "c": 1 / 3}
TWO = {"a": 0.25, "b": 0.75, "c": 2 / 3}


@pytest.fixture
def sweep(tmp_path):
    write_run(tmp_path / "0", Written("jac", "small", 1000, 2.0, ONE))
    write_run(tmp_path / "1", Written("jac", "large", 5000, 9.0, TWO))
    return tmp_path


def data_of(sweep, maps=1e6):
    return report_data("sweep", ComparedRuns(finished_runs(sweep), BOOTSTRAP), maps)


def test_estimates_are_those_of_the_summaries(sweep):
    for run, own in zip(data_of(sweep)["runs"], finished_runs(sweep), strict=True):
        assert run["label"] == own.label
        assert len(run["estimates"]) == len(own.summary["metrics"])
        for item in own.summary["metrics"]:
            shown = run["estimates"][f"{item['metric']} {item['range']}"]
            expected = [item[part] for part in ("mean", "low", "high", "n", "unscored")]
            assert shown == pytest.approx(expected, rel=1e-4)


def test_values_are_those_of_the_rows_and_null_where_unscored(sweep):
    data = data_of(sweep)
    assert [protein["id"] for protein in data["proteins"]] == ["a", "b", "c"]
    rows = pd.read_csv(sweep / "1" / "rows.csv").set_index(["metric", "range"])["value"]
    for key, values in data["runs"][1]["values"].items():
        metric, _, name = key.partition(" ")
        assert values == pytest.approx(rows[metric, name].tolist(), rel=1e-4)
    assert data["runs"][0]["values"]["p_at_L min6"] == [0.5, None, 0.33333]


def test_differences_are_over_proteins_that_both_runs_have(sweep):
    (found,) = data_of(sweep)["differences"]["p_at_L long"]
    expected = BOOTSTRAP.difference(*(pd.Series(run).to_numpy() for run in (TWO, ONE)))
    assert found[:2] == [1, 0]
    assert found[2:] == pytest.approx([expected.mean, expected.low, expected.high, 2, 1], rel=1e-4)


def test_with_many_runs_there_are_no_differences(sweep):
    for n in range(2, MOST_COMPARED + 1):
        write_run(sweep / str(n), Written(f"m{n}", values=ONE))
    assert data_of(sweep)["differences"] == {}


def test_the_front_of_each_cost_is_that_of_the_pareto_table(sweep):
    write_run(sweep / "2", Written("prior", seconds=3.0, values={"a": 0.1}))
    fronts = data_of(sweep)["fronts"]["p_at_L min6"]
    assert fronts["seconds_per_protein"] == [True, True, False]
    assert fronts["flops_per_protein"] == [True, True, False]  # the prior has none


def test_ranges_come_with_their_bounds_and_what_they_mean(sweep):
    data = data_of(sweep)
    assert data["bounds"]["long"] == {"lowest": 24, "end": None}
    assert data["bounds"]["inter"] == {"lowest": None, "end": None}
    assert data["ranges"] == {
        "min6": "|i − j| ≥ 6",
        "long": "|i − j| ≥ 24",
        "inter": "between chains",
    }
    assert (data["headline"], data["contacts"]) == ("p_at_L min6", ["CB < 8 Å"])


def test_a_protein_that_one_run_has_not_measured_has_no_value_there(sweep):
    write_run(sweep / "2", Written("prior", values={"d": 0.5}))
    data = data_of(sweep)
    assert [protein["id"] for protein in data["proteins"]] == ["a", "b", "c", "d"]
    assert data["runs"][2]["values"]["p_at_L min6"] == [None, None, None, 0.5]


def test_maps_are_there_where_pairs_were_kept(sweep):
    assert data_of(sweep)["maps"]["proteins"] == {}
    write_pairs(sweep / "0", ["a", "b"], seed=1)
    maps = data_of(sweep)["maps"]
    assert list(maps["proteins"]) == ["a", "b"]
    assert [run is None for run in maps["proteins"]["a"]["runs"]] == [False, True]


def test_what_json_has_no_word_for_becomes_null():
    assert plain({"a": [math.nan, math.inf, 1.23456789, 7, "x", None]}) == {
        "a": [None, None, 1.2346, 7, "x", None]
    }
    json.dumps(plain({"a": math.nan}), allow_nan=False)


def test_every_metric_and_range_has_a_key(sweep):
    assert len(data_of(sweep)["keys"]) == 3 * len(RANGES)
