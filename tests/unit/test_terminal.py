import math

import pytest
from rich.console import Console

from harness.terminal import print_table, progress_bar


def summary(metrics, model="", settings="", method="cov"):
    estimates = [
        {"metric": metric, "range": name, "mean": mean, "low": mean, "high": mean}
        for metric, name, mean in metrics
    ]
    return {
        "run": {"method": method, "model": model, "settings": settings},
        "metrics": estimates,
        "cost": {"seconds_per_protein": 1.234},
    }


PRECISION = [("p_at_L", "min3", 0.5), ("ceiling_at_L", "min3", 1.0)]
OTHERS = [("p_at_L", "min6", 0.25), ("ceiling_at_L", "min6", 0.75)]


def test_the_table_states_headline_with_interval_and_ceiling_and_the_other_ranges(capsys):
    print_table([summary([*PRECISION, *OTHERS])])
    heading, _, values = capsys.readouterr().out.split("\n")[1:4]
    assert " ".join(heading.split()) == "method P@L min3 ceiling min6 (ceiling) s/protein"
    assert " ".join(values.split()) == "cov 0.50 [0.50, 0.50] 1.00 0.25 (0.75) 1.23"


def test_columns_that_nobody_fills_are_left_out(capsys):
    print_table([summary(PRECISION, model="8M")])
    out = capsys.readouterr().out
    assert "model" in out
    assert "settings" not in out


@pytest.mark.parametrize("missing", [None, math.nan])
def test_what_could_not_be_measured_is_a_dash(capsys, missing):
    print_table([summary([("p_at_L", "min3", missing)])])
    values = capsys.readouterr().out.split("\n")[3]
    assert values.split() == ["cov", "–", "–", "1.23"]


def test_a_long_name_is_whole_in_a_log(capsys):
    print_table([summary(PRECISION, model="lattice_4x128", method="categorical_jacobian")])
    assert "categorical_jacobian   lattice_4x128" in capsys.readouterr().out


def test_a_narrow_terminal_keeps_names_and_headline(capsys, monkeypatch):
    monkeypatch.setattr(
        "harness.terminal.Console", lambda **_: Console(force_terminal=True, width=80)
    )
    print_table([summary([*PRECISION, *OTHERS], "lattice_4x128", method="categorical_jacobian")])
    out = capsys.readouterr().out
    assert all(word in out for word in ("categorical_jacobian", "lattice_4x128", "P@L min3"))
    assert "min6" not in out


def test_another_metric_stands_in_where_there_is_no_precision(capsys):
    print_table([summary([("p_at_L_ordered", "long", 0.5)])])
    assert "p_at_L_ordered long" in capsys.readouterr().out


def test_there_is_no_progress_bar_in_a_log(capsys):
    with progress_bar("measuring") as progress:
        progress(1, 2)
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""


def test_there_is_a_progress_bar_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr(
        "harness.terminal.Console", lambda **options: Console(force_terminal=True, **options)
    )
    with progress_bar("measuring", unit="steps") as progress:
        progress(1, 2)
    error = capsys.readouterr().err
    assert "measuring" in error
    assert "1/2" in error
    assert "steps" in error
