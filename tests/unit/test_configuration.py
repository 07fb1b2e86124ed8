import json
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from harness.configuration import (
    CONFIG_FOLDER,
    SWEPT_KEYS,
    build,
    build_experiment,
    exit_on_user_error,
    resolved,
    run_names,
    swept_keys,
    uncut,
)
from harness.errors import InputError, PrerequisiteError

DATASETS = list((Path(CONFIG_FOLDER) / "dataset").glob("*.yaml"))


@pytest.fixture
def composed(monkeypatch):
    """A function that composes the configuration as the command line does."""

    def compose_all(*overrides):
        with initialize_config_dir(CONFIG_FOLDER, version_base="1.3"):
            config = compose("config", list(overrides), return_hydra_config=True)
        monkeypatch.setattr(HydraConfig.instance(), "cfg", config)
        return config

    monkeypatch.delenv(SWEPT_KEYS, raising=False)
    return compose_all


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("method.depth=junk", r"InverseCovariance: depth is junk; it must be int \| null"),
        ("method.depth=2.5", "depth is 2.5; it must be"),
        ("method.depth=true", "depth is true; it must be"),
        ("method.seed=null", "seed is null; it must be int$"),
        ("method.ridge=much", "ridge is much; it must be float"),
        ("method.ridge=-1", "InverseCovariance: ridge is -1; it must be positive"),
    ],
)
def test_a_wrong_parameter_is_named_with_what_is_allowed(composed, override, message):
    config = composed("method=inverse_covariance", override)
    with pytest.raises(InputError, match=message):
        build(config.method)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("dataset.ids=family00_00", r"ids is family00_00; it must be list\[str\] \| null"),
        ("dataset.seed=x", "seed is x; it must be int"),
        ("dataset.ranges=min3", r"ranges is min3; it must be list\[str\]"),
    ],
)
def test_a_list_is_a_list(composed, override, message):
    with pytest.raises(InputError, match=message):
        build(uncut(composed(override)).dataset)


@pytest.mark.parametrize("ridge", ["4.5", "4"])
def test_a_whole_number_is_a_number(composed, ridge):
    config = composed("method=inverse_covariance", f"method.ridge={ridge}")
    assert build(config.method).ridge == float(ridge)


def test_names_that_look_like_numbers_are_names(composed):
    config = composed("dataset=folder", "dataset.path=x", "dataset.ids=[123,a]")
    assert build(uncut(config).dataset).ids == [123, "a"]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["contact=cb9"], "'cb9'; allowed are cb8, ca8, cb10"),
        (["evaluation.ranges=[far]"], "'far'; allowed are short, medium, long"),
    ],
)
def test_an_unknown_name_is_answered_with_the_known_ones(composed, overrides, message):
    with pytest.raises(InputError, match=message):
        build(composed(*overrides).evaluation)


def test_a_value_that_is_not_set_is_asked_for(composed):
    config = composed("dataset=folder")
    with pytest.raises(InputError, match=r"dataset.path is not set: add dataset.path=VALUE"):
        build(uncut(config).dataset)


def test_a_reference_to_nothing_is_named():
    with pytest.raises(InputError, match=r"contact: .*nope"):
        resolved(OmegaConf.create({"contact": "${nope}"}))


def test_what_a_plug_in_asks_of_the_user_comes_through(composed):
    with pytest.raises(PrerequisiteError, match="no such checkpoint"):
        build(composed("model=esm2_local", "model.path=/nope.pt").model)


def test_a_model_is_built_only_for_a_method_that_takes_one(composed):
    without = composed("method=random", "model=esm2_local", "model.path=/nope.pt")
    assert build_experiment(without).model is None
    experiment = build_experiment(composed("model=lattice_2x16", "model.device=cpu"))
    assert experiment.method.method.model is experiment.model


def test_what_a_method_with_a_model_refuses_is_a_user_error(composed):
    config = composed("model=lattice_2x16", "method.substitutes=AA")
    with pytest.raises(InputError, match="substitutes is 'AA'"):
        build_experiment(config)


@pytest.mark.parametrize(
    ("method", "needed"),
    [("contact_head", "PredictsContacts"), ("representation_jacobian", "ExposesHidden")],
)
def test_a_model_that_lacks_what_the_method_reads_is_a_user_error(composed, method, needed):
    config = composed("model=potts", f"method={method}")
    with pytest.raises(InputError, match=f"needs a model that {needed} .*potts.* does not"):
        build_experiment(config)


def test_settings_are_those_given_for_method_and_masking(composed):
    given = ["method=inverse_covariance", "method.depth=64", "dataset.seed=1"]
    names = run_names(composed(*given))
    assert (names.method, names.model, names.settings) == ("inverse_covariance", "", "depth=64")


def test_settings_of_a_model_that_is_not_used_are_left_out(composed):
    names = run_names(composed("method=random", "model.device=cpu"))
    assert (names.model, names.settings) == ("", "")


@pytest.mark.parametrize(
    ("swept", "overrides", "settings"),
    [
        (["method.depth", "method"], ["method.depth=null"], "depth=null"),
        (["method.seed", "dataset.seed"], ["dataset.seed=1"], "method.seed=0 dataset.seed=1"),
        (["dataset"], [], "dataset=lattice"),
        (["pictures"], ["pictures=false"], "pictures=false"),
        (["dataset.ids"], ["dataset.ids=[family00_00]"], "ids=['family00_00']"),
    ],
)
def test_in_a_sweep_settings_are_what_varies(composed, monkeypatch, swept, overrides, settings):
    config = composed("method=inverse_covariance", *overrides)
    monkeypatch.setenv(SWEPT_KEYS, json.dumps(swept))
    assert run_names(config).settings == settings


@pytest.mark.parametrize(
    ("swept", "settings"),
    [(["dataset.shard"], "depth=8"), (["dataset.shard", "method"], ""), (None, "depth=8")],
)
def test_a_shard_is_called_as_its_run_and_by_its_number(composed, monkeypatch, swept, settings):
    config = composed("method=inverse_covariance", "method.depth=8", "dataset.shard=1/2")
    if swept:
        monkeypatch.setenv(SWEPT_KEYS, json.dumps(swept))
    names = run_names(config)
    assert (names.settings, names.shard) == (settings, "1/2")
    assert names.label == " ".join(["inverse_covariance", *settings.split(), "shard=1/2"])
    assert names.whole.label == " ".join(["inverse_covariance", *settings.split()])


def test_what_varies_is_read_from_the_command_line_and_from_an_experiment(composed):
    config = composed("experiment=alignment_depths", "method.seed=0")
    config.hydra.overrides.task = ["experiment=alignment_depths", "dataset.seed=0,1", "contact=cb8"]
    assert swept_keys(config) == ["dataset.seed", "method.depth"]


def test_a_user_error_ends_the_program_with_its_message():
    with pytest.raises(SystemExit, match=r"^error: no weights$"), exit_on_user_error():
        raise PrerequisiteError("no weights")


@pytest.mark.parametrize("path", ["nowhere.Nothing", "baselines.separation.Nothing"])
def test_a_target_that_cannot_be_imported_is_named(path):
    with pytest.raises(InputError, match=f"{path} cannot be imported.*PYTHONPATH"):
        build(OmegaConf.create({"_target_": path}))


@pytest.mark.parametrize("place", ["run", "sweep"])
def test_what_runs_write_goes_below_outputs(composed, place):
    assert composed("outputs=elsewhere").hydra[place].dir.startswith("elsewhere/")


@pytest.mark.parametrize("dataset", sorted(path.stem for path in DATASETS))
def test_every_data_set_can_be_cut(composed, dataset):
    assert composed(f"dataset={dataset}").dataset.shard is None
    assert composed(f"dataset={dataset}", "dataset.shard=2/3").dataset.shard == "2/3"


def test_a_shard_leaves_what_a_method_is_fitted_on_alone(composed):
    fitted = ("method=top_heads", "model=lattice_2x16", "model.device=cpu", "dataset.labeled=3")
    whole = build_experiment(composed(*fitted))
    shard = build_experiment(composed(*fitted, "dataset.shard=2/3"))
    assert len(shard.dataset.protein_ids) < len(whole.dataset.protein_ids)
    assert shard.method.method.labeled.ids == whole.method.method.labeled.ids
    assert shard.dataset.version == whole.dataset.version
