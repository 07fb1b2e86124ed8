"""SIGKILL at any moment loses at most the protein that was being measured."""

import json
import random
import signal
import time

import numpy as np
import pytest

from harness.results import read_rows

KILLS = 10
PROTEINS = 32
RUN = (
    *("tracker=none", "method=inverse_covariance", "pictures=false", "save_scores=true"),
    *(f"dataset.limit={PROTEINS}", "dataset.depth=32", "statistics.resamples=100"),
)


@pytest.fixture
def launch(start, tmp_path):
    """A function that starts the run in this folder; alignments are made once and shared."""

    def run(folder, *more):
        return start(f"outputs={tmp_path / 'outputs'}", f"hydra.run.dir={folder}", *RUN, *more)

    return run


def finish(process):
    out, err = process.communicate()
    assert process.returncode == 0, out + err


def kill(process, folder, size, moment):
    """Kill once the rows have grown past this size (bytes) and a moment (s) has gone by."""
    rows = folder / "rows.csv"
    while process.poll() is None and (not rows.exists() or rows.stat().st_size <= size):
        time.sleep(0.0005)
    time.sleep(moment)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_a_run_killed_again_and_again_ends_as_one_left_alone(launch, tmp_path):
    alone, killed = tmp_path / "alone", tmp_path / "killed"
    finish(launch(alone))
    chance, survived = random.Random(0), []
    one = (alone / "rows.csv").stat().st_size / PROTEINS
    for _ in range(KILLS):
        size = (killed / "rows.csv").stat().st_size if survived else 0
        kill(launch(killed), killed, size + chance.uniform(0, one), chance.uniform(0, 0.005))
        survived.append(len((killed / "proteins.jsonl").read_bytes().splitlines()))
    assert survived == sorted(survived)  # nothing that was done is lost
    assert 0 < survived[-1] < PROTEINS  # the kills fell into the run, not behind it
    assert (killed / "unfinished.txt").exists()
    finish(launch(killed))

    assert (killed / "rows.csv").read_bytes() == (alone / "rows.csv").read_bytes()
    rows = read_rows(killed)
    assert rows["protein"].nunique() == PROTEINS
    assert not rows.duplicated(["protein", "metric", "range"]).any()
    for folder in (alone, killed):
        assert len(list((folder / "scores").glob("*.npz"))) == PROTEINS
    for path in (alone / "scores").glob("*.npz"):
        with np.load(path) as expected, np.load(killed / "scores" / path.name) as found:
            np.testing.assert_array_equal(found["scores"], expected["scores"])
    summaries = [json.loads((folder / "summary.json").read_text()) for folder in (alone, killed)]
    assert summaries[0]["metrics"] == summaries[1]["metrics"]
    assert not (killed / "unfinished.txt").exists()


def test_shards_that_were_killed_merge_into_the_run_that_was_left_alone(
    launch, in_process, tmp_path
):
    from harness.merge import main

    alone, shards = tmp_path / "alone", [tmp_path / f"shard{k}" for k in (1, 2)]
    finish(launch(alone))
    one = (alone / "rows.csv").stat().st_size / PROTEINS
    for k, shard in enumerate(shards, start=1):
        kill(launch(shard, f"dataset.shard={k}/2"), shard, 3.5 * one, 0)
        assert 0 < len(read_rows(shard)["protein"].unique()) < PROTEINS / 2
        finish(launch(shard, f"dataset.shard={k}/2"))
    merged, named = tmp_path / "merged", ",".join(map(str, shards))
    outcome = in_process(main, [f"shards=[{named}]", f"into={merged}", "tracker=none"])
    assert (outcome.code, outcome.err) == (0, "")
    assert (merged / "rows.csv").read_bytes() == (alone / "rows.csv").read_bytes()
    assert len(list((merged / "scores").glob("*.npz"))) == PROTEINS
    summaries = [json.loads((folder / "summary.json").read_text()) for folder in (alone, merged)]
    assert summaries[0]["metrics"] == summaries[1]["metrics"]
