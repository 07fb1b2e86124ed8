"""Groups of proteins and facts of a method, in the summary and in the tracker."""

import math
import re

import pytest

from harness import record, run_summary
from harness.protocols import Row
from harness.results import RunFolder
from tests.records import CONFIG, NAMES, Remembering, basis


@pytest.fixture
def stratified(tmp_path):
    """A run whose method reported facts about proteins in groups."""
    folder = RunFolder(tmp_path, "jac", "8M", ())
    folder.claim({}, "")
    for protein, group, value in (("a", "A", 0.2), ("b", "a+b", 0.4), ("c", "A", math.nan)):
        facts = {"neff": 100 * value, "gradient": 1.23456789e-7} if protein != "c" else {}
        entry = {"length": 10, "seconds": 0.5, "group": group}
        rows = [Row("p_at_L", "min3", value), Row("p_at_L2", "min3", 1.0)]
        folder.append(protein, rows, entry | {"facts": facts})
    return folder


def test_every_group_is_summarized_as_the_whole_is(stratified):
    summary = run_summary.summarize_run(basis(), stratified, NAMES, CONFIG)
    assert list(summary["groups"]) == ["A", "a+b"]
    (first, _), other = summary["groups"]["A"]["metrics"], summary["groups"]["a+b"]
    assert (first["metric"], first["mean"], first["n"], first["unscored"]) == ("p_at_L", 0.2, 1, 1)
    assert [item["mean"] for item in other["metrics"]] == [0.4, 1.0]
    assert [item["n"] for item in summary["metrics"]] == [2, 3]
    assert (other["cost"]["n_proteins"], other["cost"]["seconds"]) == (1, 0.5)
    assert other["cost"].keys() == summary["cost"].keys()
    assert other["facts"]["neff"] == {"mean": 40.0, "n": 1, "unscored": 0}
    assert summary["facts"]["neff"] == {"mean": pytest.approx(30), "n": 2, "unscored": 1}


def test_the_tracker_gets_facts_and_the_headline_of_each_group(stratified):
    tracked = Remembering()
    summary = run_summary.summarize_run(basis(), stratified, NAMES, CONFIG)
    record.send(tracked, stratified, summary)
    assert tracked.metrics["facts/neff"] == pytest.approx(30)
    assert tracked.metrics["facts/gradient"] == 1.23457e-7  # four decimals would be zero
    assert tracked.metrics["p_at_L/min3/group_A"] == 0.2
    assert tracked.metrics["p_at_L/min3/group_a_2b_b"] == 0.4  # MLflow has no + in a name
    assert [name for name in tracked.metrics if name.startswith("p_at_L2/")] == ["p_at_L2/min3"]


def test_groups_that_differ_in_letters_the_tracker_has_not_stay_apart(stratified):
    classes = ("a+b", "a/b", "a_b", "α/β", "a.1 b-c")
    stratified.path.joinpath("proteins.jsonl").write_text("")
    stratified.claim({}, "")
    for n, group in enumerate(classes):
        entry = {"length": 10, "seconds": 1.0, "group": group}
        stratified.append(f"p{n}", [Row("p_at_L", "min3", 0.5)], entry)
    tracked = Remembering()
    record.send(tracked, stratified, run_summary.summarize_run(basis(), stratified, NAMES, CONFIG))
    names = [name for name in tracked.metrics if "group_" in name]
    assert len(set(names)) == len(classes)
    assert all(re.fullmatch(r"[\w. /-]+", name) for name in names)
