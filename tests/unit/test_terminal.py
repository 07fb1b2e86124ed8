import math

import pytest
from rich.console import Console

from harness.plan import Prediction
from harness.terminal import print_plan, print_table, progress_bar


def summary(metrics, model="", settings="", method="cov", **cost):
    estimates = [
        {"metric": metric, "range": name, "mean": mean, "low": mean, "high": mean}
        for metric, name, mean in metrics
    ]
    return {
        "run": {"method": method, "model": model, "settings": settings},
        "metrics": estimates,
        "cost": {"seconds_per_protein": 1.234, "flops_per_protein": 0} | cost,
    }


PRECISION = [("p_at_L", "min3", 0.5), ("ceiling_at_L", "min3", 1.0)]
OTHERS = [("p_at_L", "min6", 0.25), ("ceiling_at_L", "min6", 0.75)]


def test_the_table_states_headline_with_interval_and_ceiling_and_the_other_ranges(capsys):
    print_table([summary([*PRECISION, *OTHERS])])
    heading, _, values = capsys.readouterr().out.split("\n")[1:4]
    assert " ".join(heading.split()) == "method P@L min3 ceiling min6 (ceiling) s/protein"
    assert " ".join(values.split()) == "cov 0.50 [0.50, 0.50] 1.00 0.25 (0.75) 1.23"


@pytest.mark.parametrize(
    ("flops", "shown"),
    [
        (512, "512"),
        (48_400_000, "48 M"),
        (7_310_000_000, "7.3 G"),
        (9_960_000_000, "10 G"),
        (1.2e12, "1.2 T"),
        (4.5e19, "45000 P"),
    ],
)
def test_operations_are_shown_where_a_model_is_read(capsys, flops, shown):
    print_table([summary(PRECISION, "8M", flops_per_protein=flops), summary(PRECISION)])
    heading, _, model, none = capsys.readouterr().out.split("\n")[1:5]
    assert heading.split()[-2:] == ["s/protein", "FLOPs/protein"]
    assert model.rstrip().endswith(f"  {shown}")
    assert none.split()[-2:] == ["1.23", "–"]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0.00"), (0.0003, "0.0003"), (0.0042, "0.004"), (0.014, "0.01"), (123.4, "123.40")],
)
def test_short_times_keep_a_digit(capsys, seconds, shown):
    print_table([summary(PRECISION, seconds_per_protein=seconds)])
    assert capsys.readouterr().out.split("\n")[3].split()[-1] == shown


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


def test_operations_give_way_before_a_range_does(capsys, monkeypatch):
    monkeypatch.setattr(
        "harness.terminal.Console", lambda **_: Console(force_terminal=True, width=76)
    )
    print_table([summary([*PRECISION, *OTHERS], flops_per_protein=1e9)])
    out = capsys.readouterr().out
    assert "min6" in out
    assert "FLOPs" not in out


def test_another_metric_stands_in_where_there_is_no_precision(capsys):
    print_table([summary([("p_at_L_ordered", "long", 0.5)])])
    assert "p_at_L_ordered long" in capsys.readouterr().out


@pytest.fixture
def terminal(monkeypatch):
    """A terminal that is no log of continuous integration."""
    monkeypatch.setattr(
        "harness.terminal.Console", lambda **options: Console(force_terminal=True, **options)
    )
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")


@pytest.fixture
def clock(monkeypatch):
    """Times that the clock shows, one after another."""
    times = []
    monkeypatch.setattr("harness.terminal.time.monotonic", lambda: times.pop(0))
    return times


def test_there_is_no_progress_bar_in_a_log(capsys):
    with progress_bar("measuring") as progress:
        progress(1, 2)
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""


@pytest.mark.usefixtures("terminal")
def test_there_is_a_progress_bar_on_a_terminal(capsys):
    with progress_bar("measuring", unit="steps") as progress:
        progress(1, 2, lambda: "1ABC, 4,821 forward passes")
    error = capsys.readouterr().err
    assert "measuring" in error
    assert "1/2" in error
    assert "steps" in error
    assert "1ABC, 4,821 forward passes" in error


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(
    ("variable", "value", "quiet"),
    [("CI", "true", False), ("TTY_INTERACTIVE", "0", False), ("CI", "", True)],
)
def test_there_is_none_under_ci_among_others_nor_when_quiet(
    capsys, monkeypatch, variable, value, quiet
):
    monkeypatch.setenv(variable, value)
    with progress_bar("measuring", quiet=quiet) as progress:
        progress(1, 2)
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""


def test_a_log_gets_a_line_every_half_minute(caplog, clock):
    clock += [0, 10, 31, 40, 62]
    with caplog.at_level("INFO", "harness"), progress_bar("jac 8M") as progress:
        for done in range(2, 7):
            progress(done, 100, lambda: "1ABC, 9 forward passes")
    assert caplog.messages == [
        "jac 8M: 4/100 proteins, 1ABC, 9 forward passes, about 25 min left",
        "jac 8M: 6/100 proteins, 1ABC, 9 forward passes, about 25 min left",
    ]


def test_what_was_done_before_does_not_count_for_the_time_left(caplog, clock):
    clock += [0, 7200]
    with caplog.at_level("INFO", "harness"), progress_bar("jac", unit="steps") as progress:
        progress(90, 100)
        progress(91, 100)
    assert caplog.messages == ["jac: 91/100 steps, about 18 h left"]


def test_no_line_tells_a_time_left_before_anything_is_done(caplog, clock):
    clock += [0, 60]
    with caplog.at_level("INFO", "harness"), progress_bar("jac") as progress:
        progress(0, 2)
        progress(0, 2)
    assert caplog.messages == ["jac: 0/2 proteins"]


def test_quiet_logs_nothing(caplog, clock):
    clock += [0, 60]
    with caplog.at_level("INFO", "harness"), progress_bar("jac", quiet=True) as progress:
        progress(0, 2)
        progress(1, 2)
    assert caplog.messages == []


def plan(label, seconds, finished=0):
    return Prediction(label, 3, finished, 1500, 3000, 2e12, seconds, 10**9, "1 earlier run")


def test_a_plan_has_a_line_a_job_and_sums(capsys):
    print_plan([plan("a", 90.0), plan("b", 300.0, finished=1)])
    text = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "a 3 1.5 k 2.0 T 90 s 1.0 GB 1 earlier run" in text
    assert "b 3 (1 done) 1.5 k 2.0 T 5.0 min 1.0 GB 1 earlier run" in text
    assert "all 6 3.0 k 4.0 T 6.5 min 1.0 GB" in text


def test_a_time_that_nobody_knows_is_a_dash_and_more_in_the_sum(capsys):
    print_plan([plan("a", 90.0), plan("b", None)])
    text = capsys.readouterr().out
    assert "90 s and more" in text
    assert "–" in text
