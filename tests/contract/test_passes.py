"""What a method says of its forward passes is what its model counts: over conf/method/*.yaml."""

import contextlib
from functools import cache
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from harness.alphabet import AMINO_ACIDS
from harness.configuration import CONFIG_FOLDER, build_experiment
from harness.protein import Protein
from harness.work import passes_of
from tests.folding import choices_for

LENGTHS = [20, 27]


def composed(*choices):
    with initialize_config_dir(version_base="1.3", config_dir=CONFIG_FOLDER):
        return compose("config", ["model=lattice_2x16", "model.device=cpu", *choices])


METHODS = [
    name
    for name in sorted(path.stem for path in Path(CONFIG_FOLDER, "method").glob("*.yaml"))
    if "model" in OmegaConf.to_container(composed(f"method={name}").method, resolve=False)
]


@pytest.fixture(autouse=True, scope="module")
def elsewhere(tmp_path_factory):
    """What methods keep below `outputs` is written to a temporary folder."""
    with contextlib.chdir(tmp_path_factory.mktemp("passes")):
        yield


@cache
def built(*choices):
    return build_experiment(composed(*choices))


def asked(experiment, length):
    """Forward passes of the second map: the first may be preceded by a fit.

    Amino acids are as even as they can be: some methods take more passes for one than for another.
    """
    protein = Protein("p", (AMINO_ACIDS * 2)[:length])
    experiment.method(protein)
    before = experiment.model.cost.forward_passes
    experiment.method(protein)
    return experiment.model.cost.forward_passes - before


def test_there_are_methods_that_read_a_model():
    assert len(METHODS) > 5


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("name", METHODS)
def test_the_model_is_asked_as_often_as_the_method_says(name, length):
    experiment = built(f"method={name}", *choices_for(name))
    assert passes_of(experiment.method, length) == asked(experiment, length)


@pytest.mark.parametrize(
    "choices",
    [
        ("windows=overlapping", "windows.size=12"),
        ("hiding=deleted",),
        ("method=gradient_jacobian", "method.mode=forward"),
        ("method=gradient_jacobian", "method.center=none"),
        ("method=contact_head", "hiding=deleted", "windows=overlapping", "windows.size=10"),
    ],
    ids=" ".join,
)
def test_so_it_is_however_the_method_reads_a_protein(choices):
    experiment = built(*choices)
    assert passes_of(experiment.method, 27) == asked(experiment, 27)
