"""plan.json, plan.csv, and the line at the end."""

import json

import pandas as pd
import pytest

from harness.plan import Prediction
from harness.plan_files import in_words, planned_line, write_plan, write_plans
from tests.unit.test_pace import RUN

PLAN = Prediction("jacobian 8M", 4, 1, 100, 1000, 1e12, 6.5, 2 * 10**9, "1 earlier run")


@pytest.fixture
def folder(tmp_path):
    """A function that makes a folder of a run with this plan and this pace."""

    def make(name, plan=PLAN, pace=RUN):
        path = tmp_path / name
        path.mkdir()
        write_plan(path, plan, pace)
        return path

    return make


def unknown():
    return Prediction("random", 4, 0, None, None, None, None, 10**8, "unknown: no earlier run")


def test_a_plan_holds_what_was_expected_and_what_was_measured(folder):
    content = json.loads((folder("a") / "plan.json").read_text())
    assert content["planned"]["seconds"] == 6.5
    assert content["measured"] == {"seconds": 13, "method_seconds": 11, "memory_bytes": 10**9}


def test_before_the_run_nothing_is_measured(folder, tmp_path):
    path = folder("a", pace=None)
    assert json.loads((path / "plan.json").read_text())["measured"] is None
    assert planned_line([path]) == ""
    assert write_plans(tmp_path, [path]) == []


def test_a_sweep_compares_its_runs(folder, tmp_path):
    runs = [folder("a"), folder("b", unknown())]
    (path,) = write_plans(tmp_path, runs)
    table = pd.read_csv(path)
    assert table["run"].tolist() == ["jacobian 8M", "random"]
    assert table["seconds_ratio"].tolist()[0] == 2
    assert table["memory_ratio"].tolist() == [0.5, 10]
    assert table["planned_seconds"].isna().tolist() == [False, True]


def test_the_line_adds_up_what_was_planned_and_says_of_how_many(folder):
    assert planned_line([folder("a"), folder("b")]) == "planned 13 s, took 26 s"
    assert planned_line([folder("c"), folder("d", unknown())]) == (
        "planned 6.5 s, took 13 s (1 of 2 runs)"
    )


def test_runs_without_a_plan_have_no_line(tmp_path):
    assert planned_line([tmp_path]) == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.42, "0.4 s"),
        (38.2, "38 s"),
        (120, "2.0 min"),
        (720, "12 min"),
        (7200, "2.0 h"),
        (100_000, "28 h"),
        (200_000, "2.3 d"),
        (10**8, "1157 d"),
    ],
)
def test_times_have_two_digits(seconds, text):
    assert in_words(seconds) == text
