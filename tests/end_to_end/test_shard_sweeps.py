"""A sweep over shards: what it merges by itself, and what it says of what is missing."""

import json
from itertools import product

import pandas as pd
import pytest

from baselines.random_scores import RandomScores
from tests.shards import FEW, content


@pytest.mark.parametrize("n", [1, 5])
def test_a_sweep_over_shards_merges_them_by_itself(run, command_line, tmp_path, n):
    whole, sweep = run("whole", *FEW), tmp_path / "sweep"
    shards = ",".join(f"{k}/{n}" for k in range(1, n + 1))
    outcome = command_line("-m", *FEW, f"dataset.shard={shards}", f"hydra.sweep.dir={sweep}")
    assert (outcome.code, outcome.err) == (0, "")
    assert content(sweep / "random") == content(whole)
    assert (sweep / "comparison.csv").read_text().count("random,") > 1
    assert "shard=" not in (sweep / "comparison.csv").read_text()


def test_runs_of_a_sweep_are_compared_whole(command_line, tmp_path):
    sweep = tmp_path / "sweep"
    arguments = ("method=random,separation", "dataset.shard=1/2,2/2", *FEW)
    outcome = command_line("-m", *arguments, f"hydra.sweep.dir={sweep}")
    assert (outcome.code, outcome.err) == (0, "")
    (line, *_) = (sweep / "differences.csv").read_text().splitlines()[1:]
    assert line.startswith("separation,random,")
    assert {path.name for path in sweep.iterdir() if path.is_dir()} == {
        *("0", "1", "2", "3"),
        *("random", "separation"),
    }


def test_runs_of_one_label_are_told_apart(run, merge, tmp_path):
    for seed, shard in product((0, 1), ("1/2", "2/2")):
        run(f"all/{seed}/{shard}", f"dataset.seed={seed}", f"dataset.shard={shard}")
    outcome = merge(f"sweep={tmp_path / 'all'}", f"into={tmp_path / 'one'}")
    assert f"{tmp_path / 'all'} holds shards of 2 runs; leave out into=DIR" in outcome.err
    assert merge(f"sweep={tmp_path / 'all'}").code == 0
    merged = sorted((tmp_path / "all").glob("random_????????/summary.json"))
    versions = {json.loads(path.read_text())["provenance"]["dataset_version"] for path in merged}
    assert len(merged) == len(versions) == 2


def test_an_experiment_that_names_its_folders_can_be_cut(command_line, tmp_path):
    sweep = tmp_path / "sweep"
    line = ("experiment=alignment_depths", "method.depth=2,4", "dataset.shard=1/2,2/2", *FEW)
    line += (f"hydra.sweep.dir={sweep}",)
    outcome = command_line(*line)
    assert outcome.code == 1
    assert "add 'hydra.sweep.subdir=${hydra:job.num}'" in outcome.err
    assert not sweep.exists()
    outcome = command_line(*line, "hydra.sweep.subdir=${hydra:job.num}")
    assert (outcome.code, outcome.err) == (0, "")
    runs = list(dict.fromkeys(pd.read_csv(sweep / "comparison.csv")["run"]))
    assert runs == ["inverse_covariance depth=2", "inverse_covariance depth=4"]


def test_a_sweep_whose_shard_failed_keeps_the_others_and_goes_on(
    run, command_line, tmp_path, monkeypatch
):
    sweep, asked = tmp_path / "sweep", RandomScores.__call__
    line = ("-m", *FEW, "dataset.shard=1/2,2/2", f"hydra.sweep.dir={sweep}")
    with monkeypatch.context() as patch:
        patch.setattr(RandomScores, "__call__", _failing_at("family02_00", asked))
        outcome = command_line(*line)
    assert outcome.code == 1
    assert outcome.err.startswith("error: 1 job failed; the same command with hydra.sweep.dir=")
    assert outcome.err.endswith("\n  random: not merged without shard 1/2\n")
    assert not (sweep / "random").exists()
    kept = (sweep / "1" / "rows.csv").read_bytes()
    assert command_line(*line).code == 0
    assert (sweep / "1" / "rows.csv").read_bytes() == kept
    assert content(sweep / "random") == content(run("whole", *FEW))


def test_shards_of_two_sweeps_are_found_below_their_folder(run, merge, command_line, tmp_path):
    for shards, name in (("1/3,2/3", "here"), ("3/3", "there")):
        place = f"hydra.sweep.dir={tmp_path / 'all' / name}"
        outcome = command_line("-m", *FEW, f"dataset.shard={shards}", place)
        assert outcome.code == 0, outcome.err
        assert "random: not merged without shard" in outcome.out
    outcome = merge(f"sweep={tmp_path / 'all'}")
    assert (outcome.code, outcome.err) == (0, "")
    assert content(tmp_path / "all" / "random") == content(run("whole", *FEW))


def _failing_at(identifier, asked):
    return lambda self, protein: asked(self, protein) if protein.id != identifier else 1 / 0
