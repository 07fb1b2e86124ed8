"""The benchmarks run from beginning to end on a network of two layers; nothing is timed."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from benchmarks import jacobian
from benchmarks.agreement import agreement
from benchmarks.checkpoints import random_checkpoint, random_sequence
from benchmarks.sides import SIDES, Machine
from benchmarks.trials import Plan

ROOT = Path(__file__).parents[2]
CPU = torch.device("cpu")
FLOAT32 = ["ours", "published", "transformers"]


def printed(*command):
    """What a command writes to its standard output."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def implementations(tmp_path_factory):
    """Every side that computes in float32, by its name, from one checkpoint."""
    checkpoint = random_checkpoint("tiny", tmp_path_factory.mktemp("random"), CPU)
    return {name: SIDES[name].build(checkpoint, Machine(CPU, 100)) for name in FLOAT32}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """The figures of a whole protein and a sampled one, as written."""
    path = tmp_path_factory.mktemp("table") / "table.csv"
    case = ["--sizes", "tiny", "--lengths", "10", "21", "--whole", "10", "--positions", "2"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["jacobian", *case, "--csv", str(path), "--repetitions", "2"])
        jacobian.main()
    return pd.read_csv(path)


def test_there_is_a_row_for_each_side_of_each_case(table):
    assert table.side.tolist() == FLOAT32 * 2
    assert table.length.tolist() == [10] * 3 + [21] * 3
    assert table.positions.tolist() == [10] * 3 + [2] * 3
    assert table.estimated.tolist() == [False] * 3 + [True] * 3


def test_maps_are_compared_where_the_protein_was_run_whole(table):
    whole, sampled = table[~table.estimated], table[table.estimated]
    assert (whole.max_relative < 1e-4).all()
    assert (whole.top_l == 1).all()
    assert sampled.max_relative.isna().all()


def test_figures_are_positive_and_ratios_are_to_ours(table):
    columns = ["core_s", "wall_s", "passes_per_s", "mflop_per_mutant", "share_of_peak"]
    assert (table[columns] > 0).all(axis=None)
    assert (table.loc[table.side == "ours", ["mutant_ratio", "protein_ratio"]] == 1).all(axis=None)
    assert (table.mutant_ratio_low <= table.mutant_ratio_high).all()


def test_the_preset_for_a_gpu_runs_every_side():
    script = str(ROOT / "benchmarks" / "gpu.sh")
    case = ["--device", "cpu", "--sizes", "tiny", "--threads", "1", "--lengths", "8"]
    text = printed(script, *case, "--whole", "8", "--repetitions", "1")
    sides = [line.split()[2] for line in text.splitlines()[2:]]
    assert sides == [
        "ours_bf16",
        "transformers_bf16",
        "transformers_bf16_64",
        "ours",
        "published",
    ]


def test_the_options_of_a_cpu_are_tabled():
    case = ["--sizes", "tiny", "--length", "12", "--mutants", "8", "--map-length", "8"]
    variants = ["--variants", "eager", "packed", "bfloat16", "int8", "--repetitions", "1"]
    text = printed(sys.executable, "-m", "benchmarks.cpu_options", *case, *variants)
    for name in ("packed with GELU", "16000", "two processes", "float16 storage", "lattice_4x128"):
        assert name in text
    assert text.count("int8") == 3  # its time, and two maps


def test_the_error_of_projections_falls_to_none_at_nineteen():
    options = ["--model", "lattice_2x16", "--proteins", "1", "--seeds", "2"]
    run = printed(
        sys.executable, "-m", "benchmarks.projections", *options, "--projections", "2", "19"
    )
    header, two, nineteen = (line.split() for line in run.splitlines())
    assert header == ["k", "root_mean_square", "law", "mean_absolute", "spearman"]
    assert float(two[1]) > 0.1
    assert nineteen == ["19", "0.000", "0.000", "0.000", "1.000"]


@pytest.mark.parametrize("name", FLOAT32)
def test_filling_all_positions_gives_the_map_of_the_whole_protein(implementations, name):
    sequence, side = random_sequence(9), implementations[name]
    side.start(sequence)
    side.fill(range(4))
    side.fill(range(4, 9))
    expected = side.whole(sequence)
    side.start(sequence)
    side.fill(range(9))
    np.testing.assert_allclose(side.contacts(), expected, rtol=0, atol=1e-5 * expected.max())


def test_all_sides_count_about_as_many_operations_for_a_mutant(implementations):
    """Ours may leave out logits and shared work, a quarter at most in two layers."""
    counts = {}
    for name, side in implementations.items():
        side.start(random_sequence(30))
        counts[name] = side.operations()
    assert counts["transformers"] == pytest.approx(counts["published"], rel=0.01)
    assert 0.5 < counts["ours"] / counts["published"] <= 1.01


def test_a_side_is_sampled_only_where_the_protein_takes_too_long():
    plan = Plan(seconds=10, positions=None, whole=20, repetitions=1)
    assert plan.chosen(20, one=100) == 20
    assert plan.chosen(50, one=0.1) == 50
    assert plan.chosen(50, one=1) == 10
    assert plan.chosen(50, one=100) == 1


def test_agreement_tells_equal_scaled_and_shuffled_maps_apart():
    random = np.random.default_rng(0)
    scores = random.random((20, 20))
    scores += scores.T
    assert agreement(scores, scores).top_l == 1
    scaled = agreement(2 * scores, scores)
    assert (scaled.max_relative, scaled.spearman, scaled.top_l) == pytest.approx((1, 1, 1))
    assert agreement(-scores, scores).spearman == pytest.approx(-1)
    assert agreement(-scores, scores).top_l < 0.5


def test_plans_are_compared_with_what_runs_took(tmp_path):
    path, case = tmp_path / "planning.csv", ["--methods", "masked_jacobian", "--sizes", "tiny"]
    command = [sys.executable, "-m", "benchmarks.planning", *case, "--lengths", "8", "12"]
    printed(*command, "--csv", str(path))
    found = pd.read_csv(path)
    assert found["length"].tolist() == [8, 12]
    assert (found[["product_ratio", "method_ratio", "measured_mb"]] > 0).all(axis=None)
    assert found["earlier_ratio"].isna().tolist() == [True, False]
