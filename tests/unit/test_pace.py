"""The pace of earlier runs, and the rate that is read from it."""

import multiprocessing
from dataclasses import replace

import pytest

from harness.pace import COLUMNS, Kind, Pace, add_pace, earlier_rate, read_pace

KIND = Kind("cpu, eight cores", "float32", "8", "jacobian", "8M", "precision", "ab", 8_000_000)
RUN = Pace(KIND, 1e12, 4, 1.0, 10.0, 13.0, 10**9)


def test_what_is_added_is_read_back_in_order(tmp_path):
    path = tmp_path / "outputs" / "pace.csv"
    runs = [RUN, replace(RUN, work=2e12)]
    for run in runs:
        add_pace(path, run)
    assert read_pace(path) == runs
    assert path.read_text().splitlines()[0] == ",".join(COLUMNS)


def test_without_a_file_there_are_no_runs(tmp_path):
    assert read_pace(tmp_path / "pace.csv") == []


@pytest.mark.parametrize("broken", ["cpu,float", "a,b\x00", "," * 13, "é" * 40])
def test_a_broken_line_is_ignored(tmp_path, broken):
    path = tmp_path / "pace.csv"
    add_pace(path, RUN)
    path.write_text(path.read_text() + broken + "\n")
    add_pace(path, RUN)
    assert read_pace(path) == [RUN, RUN]


@pytest.mark.parametrize(
    "changes", [{"seconds": 0.0}, {"work": float("nan")}, {"proteins": 0}, {"start": -1.0}]
)
def test_a_run_that_says_nothing_is_ignored(tmp_path, changes):
    add_pace(tmp_path / "pace.csv", replace(RUN, **changes))
    assert read_pace(tmp_path / "pace.csv") == []


def add_many(path):
    for _ in range(50):
        add_pace(path, RUN)


def test_lines_of_many_writers_stay_whole(tmp_path):
    path = tmp_path / "pace.csv"
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=add_many, args=(path,)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert read_pace(path) == [RUN] * 200


def test_a_rate_is_work_a_second_and_what_the_start_and_a_protein_take_besides():
    rate = earlier_rate([RUN], KIND)
    assert (rate.per_second, rate.start, rate.beside) == (1e11, 1, 0.5)
    assert rate.seconds(5e11, 2) == 1 + 5 + 2 * 0.5
    assert rate.seconds(0, 0) == 0
    assert rate.source == "1 earlier run"


def test_the_median_of_the_newest_five_counts():
    old = [replace(RUN, seconds=1000.0, elapsed=1000.0)] * 5
    new = [replace(RUN, seconds=s, elapsed=s) for s in (1.0, 2.0, 4.0, 8.0, 16.0)]
    rate = earlier_rate([*old, *new], KIND)
    assert (rate.per_second, rate.source) == (1e12 / 4, "5 earlier runs")


def test_of_other_models_the_nearest_counts_and_is_named():
    small = replace(RUN, kind=replace(KIND, model="3M", parameters=3_000_000), work=1e10)
    large = replace(RUN, kind=replace(KIND, model="15M", parameters=15_000_000), work=3e10)
    rate = earlier_rate([small, large], KIND)
    assert (rate.per_second, rate.source) == (3e9, "1 earlier run with 15M")


def test_the_same_model_with_other_settings_is_the_nearest():
    other = replace(RUN, kind=replace(KIND, settings="cd"))
    assert earlier_rate([other], KIND).source == "1 earlier run with other settings"


@pytest.mark.parametrize(
    "changes",
    [
        {"device": "a GPU"},
        {"dtype": "bfloat16"},
        {"threads": "1"},
        {"method": "attention"},
        {"evaluation": "agreement"},
        {"model": "150M", "parameters": 150_000_000},
        {"model": "", "parameters": 0},
    ],
    ids=str,
)
def test_another_machine_method_evaluation_or_size_says_nothing(changes):
    assert earlier_rate([replace(RUN, kind=replace(KIND, **changes))], KIND) is None
