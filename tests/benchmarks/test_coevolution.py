"""Coevolution models side by side, from beginning to end; nothing is timed."""

import gzip
import math
import sys

import numpy as np
import pandas as pd
import pytest

from benchmarks import coevolution
from benchmarks.contenders import SIDES, Fitted, fit, gremlin, missing
from benchmarks.contests import line, rows_of
from benchmarks.families import random_case, read_case
from benchmarks.peers import Answer
from benchmarks.potts import Potts, contact_map, objective
from benchmarks.programs import Finished


@pytest.fixture(scope="module")
def case():
    """Twenty columns, too few rows for anything but speed."""
    return random_case(20, 40)


@pytest.fixture
def benchmark(monkeypatch, capsys):
    """A function that runs the command with these arguments and gives what it prints."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["coevolution", *map(str, arguments)])
        coevolution.main()
        return capsys.readouterr().out

    return run


def figures(**changes):
    """What a side took."""
    stated = {"wall": 2.0, "cpu": 4.0, "before": 0, "peak": 2**30, "output": ""}
    return Finished(**(stated | changes))


def test_our_parameters_are_those_of_our_map_and_of_our_objective(case):
    fitted = fit(gremlin("gremlin", tolerance=1e-7), case, threads=1, limit=300)
    assert fitted.note == ""
    potts, facts = fitted.answer.potts, fitted.answer.facts
    found = objective(potts, case.states, case.weights())
    assert found == pytest.approx(facts["objective"], rel=1e-4)  # float32, and another field gauge
    np.testing.assert_allclose(fitted.answer.scores, contact_map(potts), atol=1e-5)
    assert facts["neff"] == pytest.approx(case.weights().sum())
    assert facts["memory"] > 0


def test_a_method_without_parameters_has_a_map_alone(case):
    fitted = fit(SIDES["inverse_covariance"], case, threads=1, limit=300)
    assert fitted.answer.potts is None
    assert fitted.answer.scores.shape == (20, 20)
    row = rows_of(case, 1, [fitted])[0]
    assert math.isnan(row.objective)
    assert row.spearman == pytest.approx(1)


def test_ratios_and_agreement_are_to_the_first_and_excess_to_the_lowest(case):
    random = np.random.default_rng(0)
    couplings = random.normal(size=(20, 21, 20, 21))
    nearly_none, worse = (Potts(np.zeros((20, 21)), size * couplings) for size in (1e-9, 1))
    scores = random.random((20, 20))
    scores += scores.T
    first = Fitted("first", figures(), Answer(scores, worse))
    second = Fitted("second", figures(wall=6.0, cpu=2.0), Answer(-scores, nearly_none))
    ours, theirs = rows_of(case, 2, [first, second])
    assert (ours.wall_ratio, ours.cpu_ratio, theirs.wall_ratio, theirs.cpu_ratio) == (1, 1, 3, 0.5)
    assert theirs.objective == pytest.approx(case.weights().sum() * 20 * math.log(21))
    assert theirs.excess == 0 < ours.excess
    assert theirs.spearman == pytest.approx(-1)
    assert (ours.gib, ours.threads, ours.rows, ours.columns) == (1, 2, 40, 20)


def test_a_side_that_failed_has_a_row_that_says_why(case):
    scores = contact_map(Potts(np.zeros((20, 21)), np.random.default_rng(0).random((20, 21) * 2)))
    fine = Fitted("fine", figures(), Answer(scores, None))
    failed = Fitted("broken", None, None, "broken ended with status 1")
    ours, theirs = rows_of(case, 1, [fine, failed])
    assert math.isnan(theirs.wall_s)
    assert line(theirs).endswith("broken ended with status 1")
    assert math.isnan(rows_of(case, 1, [failed])[0].wall_ratio)
    assert len(line(theirs)) > len(line(ours))


def test_repeated_rows_are_read_once_and_rows_are_drawn(write_alignment):
    path = write_alignment(["AXC", "--C", "AWC", "--C", "DDD", "AXC"])
    case = read_case(path, None)
    assert case.rows() == ["A-C", "--C", "AWC", "DDD"]
    assert case.alignment.query == "AXC"
    assert len(read_case(path, 2).rows()) == 2


def test_the_query_of_our_alignment_keeps_its_unknown_residues(write_alignment, tmp_path):
    case = read_case(write_alignment(["AXC", "--C"]), None)
    case.write_a3m(tmp_path / "ours.a3m")
    np.testing.assert_array_equal(read_case(tmp_path / "ours.a3m", None).states, case.states)


def test_a_folder_stands_for_its_alignment(write_alignment, tmp_path):
    (tmp_path / "1ABC").mkdir()
    with gzip.open(tmp_path / "1ABC" / "msa.a3m.gz", "wt") as handle:
        handle.write(">q\nAC\n>r\nA-\n")
    case = read_case(tmp_path / "1ABC", None)
    assert (case.name, case.rows()) == ("1ABC", ["AC", "A-"])


def test_made_up_families_are_the_same_each_time_and_their_rows_are_related():
    case = random_case(30, 50)
    np.testing.assert_array_equal(case.states, random_case(30, 50).states)
    assert case.states.shape == (50, 30)
    assert not (case.states[0] == 20).any()
    nearest = [(case.states[:n] == case.states[n]).mean(axis=1).max() for n in range(1, 50)]
    assert np.mean(nearest) > 0.7


def test_without_other_programs_it_says_what_is_missing(benchmark, case, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    case.write_a3m(tmp_path / "family.a3m")
    csv = tmp_path / "figures.csv"
    text = benchmark(tmp_path / "family.a3m", "--ours", "gremlin_loose", "--csv", csv)
    for name in ("ccmpred", "plmc", "plmc32", "gremlin_cpp", "plmdca"):
        assert f"no {name} on the PATH; it comes from https://" in text
    table = pd.read_csv(csv)
    assert table.side.tolist() == ["gremlin_loose"]
    assert table.alignment.tolist() == ["family"]
    assert (table.wall_ratio == 1).all()
    assert "medians" in text


def test_a_program_that_breaks_does_not_stop_the_others(benchmark, case, tmp_path, monkeypatch):
    (tmp_path / "ccmpred").write_text("#!/bin/sh\necho no memory\nexit 1\n")
    (tmp_path / "ccmpred").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    case.write_a3m(tmp_path / "family.a3m")
    sides = ["--ours", "inverse_covariance", "--peers", "ccmpred", "ccmpred_tight"]
    text = benchmark(tmp_path / "family.a3m", *sides)
    assert text.count("ccmpred ended with status 1: no memory") == 2
    assert missing(SIDES["ccmpred"]) == ""


def test_a_program_that_ends_well_without_a_result_has_a_note(case, tmp_path, monkeypatch):
    (tmp_path / "ccmpred").write_text("#!/bin/sh\n")
    (tmp_path / "ccmpred").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    fitted = fit(SIDES["ccmpred"], case, threads=1, limit=60)
    assert fitted.answer is None
    assert fitted.note.startswith("ccmpred wrote no result to read")


def test_large_families_tell_memory_beside_what_was_stated(benchmark, tmp_path):
    csv = tmp_path / "figures.csv"
    benchmark("--large", "30x60", "60x100", "--iterations", "2", "--csv", csv)
    table = pd.read_csv(csv)
    assert table[["columns", "rows"]].to_numpy().tolist() == [[30, 60], [60, 100]]
    assert (table.iterations == 2).all()
    assert (table[["gib", "gib_stated"]] > 0).all(axis=None)


def test_it_wants_alignments(benchmark):
    with pytest.raises(SystemExit):
        benchmark()
