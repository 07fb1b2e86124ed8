"""The jobs of a command line, without running any."""

import os

import pytest

from harness.configuration import SWEPT_KEYS
from harness.dry_run import plans_of
from harness.errors import InputError

SMALL = ("dataset.limit=1", "plan.product_seconds=0.001")


def labels(*arguments):
    plans, failures = plans_of("config", [*arguments, *SMALL])
    assert failures == []
    return [plan.label for plan in plans]


def test_a_sweep_has_every_combination_named_by_what_varies():
    found = labels("-m", "method=random,separation", "dataset.seed=0,1")
    assert found == ["random seed=0", "random seed=1", "separation seed=0", "separation seed=1"]


def test_an_experiment_is_a_sweep_of_its_own():
    assert labels("experiment=alignment_depths") == [
        f"inverse_covariance depth={depth}" for depth in (64, 256, 1024, 4096)
    ]


def test_what_is_typed_comes_before_what_an_experiment_varies():
    assert labels("experiment=alignment_depths", "method.depth=2,4")[1:] == [
        "inverse_covariance depth=4"
    ]


def test_choices_of_ones_own_are_known(tmp_path):
    (tmp_path / "method").mkdir()
    target = "_target_: baselines.random_scores.RandomScores\nseed: 7\n"
    (tmp_path / "method" / "mine.yaml").write_text(f"# Mine.\n{target}")
    assert labels("--config-dir", str(tmp_path), "method=mine") == ["mine"]


def test_the_environment_is_as_before():
    before = dict(os.environ)
    labels("-m", "method=random,separation")
    assert dict(os.environ) == before
    assert SWEPT_KEYS not in os.environ


@pytest.mark.parametrize("option", ["--cfg", "--multi", "--info"])
def test_other_options_are_refused(option):
    with pytest.raises(InputError, match="goes with -m and --config-dir"):
        plans_of("config", [option, "job"])


def test_only_sweeps_of_the_basic_sweeper_are_known():
    sweeper = "hydra.sweeper._target_=hydra.plugins.sweeper.Sweeper"
    with pytest.raises(InputError, match="knows the jobs of Hydra's basic sweeper"):
        plans_of("config", ["-m", sweeper, "method=random,separation"])
