"""A job, looked at for its cost without a model; and what is kept of it afterwards."""

import json
from dataclasses import replace
from unittest.mock import Mock

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from harness.configuration import CONFIG_FOLDER, build_experiment, unloaded
from harness.pace import Pace, add_pace, read_pace
from harness.planning import Job, compared, plain
from harness.results import RunFolder
from harness.work import lengths_of

COSTS = {"length": 27, "peak_memory_bytes": 7, "peak_device_bytes": 0}
READING = ("model=lattice_2x16", "method=masked_jacobian", "plan.product_seconds=0.001")


@pytest.fixture
def composed(tmp_path):
    """A function that composes the configuration of a run as Hydra does."""

    def make(*choices):
        given = [f"outputs={tmp_path}", "dataset.limit=2", *choices]
        with initialize_config_dir(version_base="1.3", config_dir=CONFIG_FOLDER):
            whole = compose("config", given, return_hydra_config=True)
        HydraConfig.instance().set_config(whole)
        return OmegaConf.masked_copy(whole, [key for key in whole if key != "hydra"])

    yield make
    HydraConfig.instance().cfg = None


@pytest.fixture
def measured(tmp_path):
    """A function that pretends to measure; what the tracker was told."""

    def run(config, seconds=(3.0, 2.0)):
        tracked, results = Mock(), RunFolder(tmp_path, "m", "", ())
        results.claim({}, "")
        experiment = build_experiment(config, unloaded)
        with compared(config, experiment, results, tracked):
            for name, taken in zip(experiment.dataset.protein_ids, seconds, strict=True):
                results.append(name, [], COSTS | {"seconds": taken})
        return tracked.record.mock_calls

    return run


def job_of(config):
    return Job(config, build_experiment(config, unloaded))


def planned(config):
    job = job_of(config)
    return job.predict(job.experiment.dataset.protein_ids, 0)


def test_passes_and_tokens_are_those_of_all_proteins(composed):
    plan = planned(composed(*READING))
    assert (plan.proteins, plan.passes, plan.tokens) == (2, 2 * 28, 2 * 28 * 29)
    assert plan.rate.startswith("matrix product")


def test_a_given_rate_is_taken(composed):
    plan = planned(composed(*READING, "plan.flops_per_second=1e6"))
    assert plan.seconds == pytest.approx(plan.flops / 1e6)


def test_earlier_runs_come_before_a_measured_product(composed, tmp_path):
    config = composed(*READING)
    work = job_of(config).amount([27, 27]).work
    add_pace(tmp_path / "pace.csv", Pace(job_of(config).kind, work, 2, 1.0, 5.0, 10.0, 7))
    plan = planned(config)
    assert (plan.seconds, plan.rate) == (pytest.approx(10), "1 earlier run")


def test_where_calls_are_not_known_only_the_same_run_tells(composed, tmp_path):
    config = composed(*READING, "evaluation=recovery_short", "method=contact_head")
    kind = job_of(config).kind
    add_pace(tmp_path / "pace.csv", Pace(replace(kind, settings="x"), 1.0, 1, 0.0, 5.0, 5.0, 7))
    assert planned(config).rate.startswith("unknown: how often")
    add_pace(tmp_path / "pace.csv", Pace(kind, 1.0, 1, 0.0, 5.0, 5.0, 7))
    plan = planned(config)
    assert (plan.rate, plan.passes) == ("1 earlier run", None)


@pytest.mark.parametrize("change", ["method.apc=false", "model.ends=absent", "masking=fraction"])
def test_the_pace_depends_on_how_a_protein_is_read(composed, change):
    assert job_of(composed(*READING)).kind != job_of(composed(*READING, change)).kind


@pytest.mark.parametrize("change", ["dataset.seed=1", "save_scores=true", "plan.efficiency=0.1"])
def test_the_pace_does_not_depend_on_what_is_read(composed, change):
    assert job_of(composed(*READING)).kind == job_of(composed(*READING, change)).kind


def test_half_of_the_storage_is_half_of_the_tensor(composed):
    whole, half = (
        planned(composed(*READING, f"method.storage=float{bits}")).memory_bytes for bits in (32, 16)
    )
    assert whole - half == (20 * 27) ** 2 * 2


@pytest.mark.usefixtures("unchecked")
def test_a_data_set_that_knows_no_lengths_builds_its_proteins():
    dataset = {"p": Mock(protein="MKV"), "q": Mock(protein="MK")}
    assert lengths_of(dataset, ["p", "q"]) == {"p": 3, "q": 2}


def test_what_was_measured_is_kept_and_compared(composed, measured, tmp_path):
    config = composed(*READING)
    (call,) = measured(config)
    content = json.loads((tmp_path / "plan.json").read_text())
    assert call.args[1] == {"cost/planned_seconds": round(content["planned"]["seconds"], 4)}
    assert content["measured"]["method_seconds"] == 5
    (pace,) = read_pace(tmp_path / "pace.csv")
    assert (pace.start, pace.seconds, pace.proteins, pace.memory_bytes) == (1, 4, 2, 7)
    assert pace.kind == job_of(config).kind


def test_a_first_protein_that_was_fast_has_no_start(composed, measured, tmp_path):
    measured(composed(*READING), seconds=(1.0, 2.0))
    (pace,) = read_pace(tmp_path / "pace.csv")
    assert (pace.start, pace.seconds) == (0, 3)


def test_nothing_is_told_of_a_time_that_nobody_knew(composed, measured, tmp_path):
    assert measured(composed("method=separation")) == []
    assert json.loads((tmp_path / "plan.json").read_text())["planned"]["seconds"] is None


def test_without_a_plan_nothing_is_kept(composed, measured, tmp_path):
    config = composed(*READING)
    del config["plan"]
    assert measured(config) == []
    assert not (tmp_path / "pace.csv").exists()


def test_a_quiet_run_keeps_its_pace_only(composed, measured, tmp_path):
    assert measured(composed(*READING, "quiet=true")) == []
    assert not (tmp_path / "plan.json").exists()
    assert (tmp_path / "pace.csv").exists()


def test_the_plan_is_no_part_of_a_run(composed):
    assert "plan" not in plain(composed())


def test_a_pace_that_cannot_be_kept_does_not_fail_the_run(composed, measured, tmp_path, caplog):
    (tmp_path / "pace.csv").mkdir()
    measured(composed(*READING, "quiet=true"))
    assert "the pace of this run is not kept" in caplog.text
