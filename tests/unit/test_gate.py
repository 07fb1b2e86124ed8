"""Two sides are compared only where their numbers mean the same, and say all that differs."""

import math
import xml.etree.ElementTree as ElementTree

import pandas as pd
import pytest

from harness.errors import InputError
from harness.gate import compare
from harness.gate_report import in_words, markdown, tags, write_files
from harness.sides import read_side
from harness.verdicts import Rules
from tests.sides import BOOTSTRAP, finish

RULES = Rules(BOOTSTRAP, tolerance=0.01, partial=False)
LOW, HIGH = [0.2, 0.25, 0.3] * 4, [0.5, 0.6, 0.7] * 4


@pytest.fixture
def side(tmp_path):
    """A function that makes a finished run with these values a side."""
    made = []

    def make(values, **changes):
        made.append(finish(tmp_path / f"run{len(made)}", values, **changes))
        return read_side(made[-1])

    return make


def test_a_better_candidate_has_improved(side):
    found = compare(side(HIGH, seconds=3), side(LOW), RULES, None)
    (verdict,) = found.verdicts
    assert (found.overall, verdict.title, verdict.n) == ("improved", "p_at_L/long", 12)
    ratios = found.cost_ratios
    assert (ratios["seconds"], ratios["forward_passes"]) == (3, 1)
    assert math.isnan(ratios["flops"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"contact_cutoff": 10.0}, "contact: CB < 10 Å → CB < 8 Å"),
        ({"ranges": ["min6"]}, "ranges: min6 → long"),
        ({"dataset_version": "v2"}, "data set: v2 → v1"),
        ({"evaluation._target_": "e.Other"}, r"evaluation._target_: e.Other → e.Precision"),
        ({"more": {"evaluation.depths": "64"}}, "evaluation.depths: 64 → absent"),
    ],
)
def test_unlike_definitions_are_not_compared(side, change, said):
    with pytest.raises(InputError, match=rf"cannot be compared, .*{said}"):
        compare(side(LOW), side(LOW, **change), RULES, None)


def test_what_else_differs_is_told(side):
    reference = side(LOW, weights_sha256="cd", **{"method.apc": "False"})
    found = compare(side(LOW), reference, RULES, None)
    assert found.differing == {"method.apc": ("False", "True"), "weights_sha256": ("cd", "ab")}


def test_different_proteins_are_paired_where_they_are_the_same(side):
    reference = {("p_at_L", "long"): {f"p{n}": 0.2 for n in range(8)}}
    candidate = {("p_at_L", "long"): {f"p{n}": 0.5 for n in range(2, 12)}}
    found = compare(side(candidate), side(reference), RULES, None)
    (verdict,) = found.verdicts
    assert (verdict.n, verdict.lost, verdict.added) == (6, 2, 4)
    assert (verdict.verdict, len(found.proteins)) == ("inconclusive", 6)


def test_no_protein_in_common_is_an_error(side):
    other = side({("p_at_L", "long"): {"elsewhere": 0.5}})
    with pytest.raises(InputError, match=r"no protein in common \(12 and 1\)"):
        compare(side(LOW), other, RULES, None)


def test_a_protein_that_the_reference_could_not_score_was_not_lost(side):
    reference = {("p_at_L", "long"): {f"p{n}": 0.2 for n in range(7)} | {"p7": math.nan}}
    candidate = {("p_at_L", "long"): {f"p{n}": 0.5 for n in range(7)}}
    (verdict,) = compare(side(candidate), side(reference), RULES, None).verdicts
    assert (verdict.verdict, verdict.lost) == ("improved", 0)


def several(p_at_l, spearman):
    names = [f"p{n}" for n in range(12)]
    return {
        ("p_at_L", "long"): dict(zip(names, p_at_l, strict=True)),
        ("spearman", ""): dict(zip(names, spearman, strict=True)),
        ("context", "all"): dict(zip(names, spearman, strict=True)),
    }


@pytest.mark.parametrize(
    ("candidate", "overall"),
    [
        ((HIGH, LOW), "improved"),
        ((HIGH, [0.0] * 12), "regressed"),
        ((LOW, LOW), "equivalent"),
        ((HIGH, [0.1, 0.4] * 6), "inconclusive"),
    ],
)
def test_the_worst_metric_decides(side, candidate, overall):
    found = compare(side(several(*candidate)), side(several(LOW, LOW)), RULES, None)
    assert [verdict.title for verdict in found.verdicts] == ["p_at_L/long", "spearman"]
    assert found.overall == overall


def test_metrics_can_be_named(side):
    one, other = side(several(HIGH, LOW)), side(several(LOW, LOW))
    (verdict,) = compare(one, other, RULES, ["spearman"]).verdicts
    assert verdict.title == "spearman"
    with pytest.raises(InputError, match="nothing cannot be judged: the two sides do not both"):
        compare(one, other, RULES, ["nothing"])
    with pytest.raises(InputError, match="context cannot be judged: less of it is better"):
        compare(one, other, RULES, ["context"])


def test_where_no_known_metric_is_one_must_be_named(side):
    own = {("n_true", "long"): {"p0": 3.0}}
    with pytest.raises(InputError, match=r"name what to judge .* there are n_true"):
        compare(side(own), side(own), RULES, None)


@pytest.fixture
def regressed(side):
    return compare(side(several(LOW, LOW)), side(several(HIGH, LOW)), RULES, None)


def test_junit_says_what_failed(regressed, tmp_path):
    write_files(tmp_path, [regressed], ["regressed"])
    (suite,) = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert suite.attrib == {"name": "jac 8M against jac 8M", "tests": "2", "failures": "1"}
    first, second = suite
    assert (first.get("name"), first[0].tag) == ("p_at_L/long", "failure")
    assert first[0].get("message").startswith("regressed: -0.3500 [-0.3")
    assert (second.get("name"), second[0].tag) == ("spearman", "system-out")


def test_verdicts_are_a_table(regressed, tmp_path):
    write_files(tmp_path, [regressed], [])
    table = pd.read_csv(tmp_path / "verdicts.csv")
    assert list(table["verdict"]) == ["regressed", "equivalent"]
    assert table["worst"][0].startswith("p2:-0.4 ")
    assert {"candidate", "reference", "low", "high", "p_holm", "n", "wins"} <= set(table.columns)


def test_the_summary_holds_all_that_a_reviewer_asks(regressed):
    text = markdown([regressed])
    assert "## jac 8M against jac 8M: **regressed**" in text
    line = "| p_at_L/long | **regressed** | 0.2500 | 0.6000 | -0.3500 [-0."
    assert line in text
    assert "Lost most in p_at_L/long: p2 -0.400, " in text
    assert "seconds × 1, forward passes × 1" in text
    assert "flops" not in text
    assert "within ± 0.01." in text


def test_a_bar_in_a_setting_does_not_break_the_table(side):
    found = compare(side(LOW), side(LOW, **{"method.apc": "a|b"}), RULES, None)
    assert "| method.apc | a&#124;b | True |" in markdown([found])


def test_tags_hold_every_verdict(regressed):
    found = tags(regressed)
    assert found["verdict"] == "regressed"
    assert found["verdict/p_at_L/long"].startswith("regressed: -0.3500 [")
    assert found["verdict/spearman"].endswith(" against jac 8M")
    assert found["verdict/reference"] == regressed.reference.source


def test_a_verdict_in_words_says_why(side):
    (verdict,) = compare(side([0.5]), side([0.4]), RULES, None).verdicts
    expected = "inconclusive: +0.1000 [+nan, +nan], n = 1 (scored pairs: 1; it takes 6)"
    assert in_words(verdict) == expected
