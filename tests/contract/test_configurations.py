"""Every yaml under conf/ composes, names things that exist, and says what it is."""

import inspect
from itertools import product
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import get_object
from omegaconf import OmegaConf

from harness.configuration import CONFIG_FOLDER
from harness.metrics import CONTACTS, RANGES

CONF = Path(CONFIG_FOLDER)
FILES = sorted(CONF.rglob("*.yaml"))
GROUPS = {"config": ["model", "method", "dataset", "evaluation", "masking", "hiding"]}
GROUPS["config"] += ["windows", "tracker", "evaluation/targets", "evaluation/reference"]
GROUPS["config"] += ["hydra/launcher"]
GROUPS["train"] = ["architecture"]
CHOICES = [
    (entry, f"{group}={path.stem}")
    for entry, groups in GROUPS.items()
    for group in groups
    for path in sorted((CONF / group).glob("*.yaml"))
]
WITHIN = {"evaluation/targets": ["evaluation=recovery"]}
WITHIN["evaluation/reference"] = ["evaluation=agreement"]
PROGRAMS = ("harness", "harness.train")
EXPERIMENTS = sorted((CONF / "experiment").glob("*.yaml"))


def short(path):
    return str(path.relative_to(CONF).with_suffix(""))


def composed(entry, *overrides, hydra=False):
    with initialize_config_dir(version_base="1.3", config_dir=CONFIG_FOLDER):
        return compose(entry, list(overrides), return_hydra_config=hydra)


def test_every_group_is_covered_here():
    folders = {path.name for path in CONF.iterdir() if path.is_dir()}
    groups = {group.partition("/")[0] for group in (*GROUPS["config"], *GROUPS["train"])}
    assert folders == {"experiment", *groups}


@pytest.mark.parametrize(("entry", "choice"), CHOICES, ids=lambda value: value)
def test_every_choice_composes_with_the_defaults(entry, choice):
    config = composed(entry, *WITHIN.get(choice.partition("=")[0], []), choice, hydra=True)
    assert OmegaConf.select(config, f"{choice.partition('=')[0].replace('/', '.')}._target_")


@pytest.mark.parametrize("path", EXPERIMENTS, ids=short)
def test_every_experiment_composes_and_so_does_each_of_its_jobs(path):
    entry = "train" if "# python -m harness.train" in path.read_text() else "config"
    sweep = composed(entry, f"experiment={path.stem}", hydra=True).hydra.sweeper.params or {}
    values = [[f"{key}={value}" for value in swept(key, str(sweep[key]))] for key in sweep]
    for job in product(*values):
        composed(entry, f"experiment={path.stem}", *job)


def swept(key, values):
    """The values of a key in a sweep: `a,b` or, for a group, `glob(pattern)`."""
    if values.startswith("glob("):
        return sorted(path.stem for path in (CONF / key).glob(f"{values[5:-1]}.yaml"))
    return values.split(",")


@pytest.mark.parametrize("path", EXPERIMENTS, ids=short)
def test_every_experiment_says_which_command_runs_it(path):
    commands = [f"# python -m {program} experiment={path.stem}\n" for program in PROGRAMS]
    text = path.read_text(encoding="utf-8")
    assert any(command in text for command in commands), f"write {commands[0]!r} at its top"


@pytest.mark.parametrize("path", FILES, ids=short)
def test_every_file_begins_by_saying_what_it_is(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    said = [line for line in lines[:3] if line.startswith("# ") and "@package" not in line]
    assert lines[0].startswith("# "), f"begin {path} with a comment"
    assert said, f"say in the first lines of {path} what choosing it does"


@pytest.mark.parametrize("path", FILES, ids=short)
def test_everything_that_is_named_exists(path):
    for target in targets_in(OmegaConf.to_container(OmegaConf.load(path))):
        assert callable(get_object(target))


def targets_in(node):
    """All values of `_target_`, however deep."""
    if isinstance(node, list):
        return [target for item in node for target in targets_in(item)]
    if not isinstance(node, dict):
        return []
    below = [target for value in node.values() for target in targets_in(value)]
    return below + ([node["_target_"]] if "_target_" in node else [])


@pytest.mark.parametrize("path", sorted((CONF / "method").glob("*.yaml")), ids=short)
def test_a_method_has_no_default_and_its_file_states_every_parameter(path):
    """A parameter that changes the science is seen in the yaml, or in one that it builds on."""
    settings = composed("config", f"method={path.stem}").method
    parameters = inspect.signature(get_object(settings._target_)).parameters
    assert {key for key in settings if key != "_target_"} == set(parameters)
    hidden = [name for name, p in parameters.items() if p.default is not inspect.Parameter.empty]
    assert hidden == [], f"take the default of {hidden} out of {settings._target_}"


@pytest.mark.parametrize("path", sorted((CONF / "dataset").glob("*.yaml")), ids=short)
def test_a_data_set_names_ranges_that_are_defined(path):
    ranges = composed("config", f"dataset={path.stem}").dataset.ranges
    assert ranges
    assert set(ranges) <= set(RANGES)


def test_the_default_contact_definition_exists():
    assert composed("config").contact in CONTACTS
