"""What every method keeps, whatever it does: one battery over conf/method/*.yaml.

A new yaml is tested as soon as it is there.
"""

import contextlib
import dataclasses
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import get_object

from harness.alphabet import AMINO_ACIDS
from harness.configuration import CONFIG_FOLDER, build_experiment
from harness.errors import InputError
from harness.protein import Protein
from harness.protocols import ContactMethod, CouplingMethod
from tests.folding import choices_for, predicted

METHODS = sorted(path.stem for path in Path(CONFIG_FOLDER, "method").glob("*.yaml"))
LENGTHS = [1, 2, 30]
VISIBLE = {"visible": slice(None), "every_third": slice(0, None, 3), "hidden": slice(0, 0)}


@pytest.fixture(autouse=True, scope="module")
def elsewhere(tmp_path_factory):
    """What methods keep below `outputs` is written to a temporary folder."""
    with contextlib.chdir(tmp_path_factory.mktemp("methods")):
        yield


@pytest.fixture(params=METHODS)
def name(request):
    """Each method in turn."""
    return request.param


@pytest.fixture(params=LENGTHS, ids=lambda length: f"L{length}")
def protein(request, write_alignment):
    """Proteins of each length, with an alignment of forty related sequences."""
    generator = np.random.default_rng(request.param)
    query = generator.integers(0, 20, size=request.param)
    rows = generator.integers(0, 21, size=(40, request.param))
    rows = np.where(generator.random(rows.shape) < 0.5, query, rows)
    rows[0] = query
    letters = ["".join((AMINO_ACIDS + "-")[state] for state in row) for row in rows]
    predicted(Path("predictions") / "p.pdb", letters[0])
    return Protein("p", letters[0], write_alignment(letters))


@pytest.fixture(params=VISIBLE)
def shown(request, protein):
    """The protein as it is, with every third residue visible, and with none.

    A structure that was predicted from all of them is refused for less, and read for the whole.
    """
    masked = protein.masked(range(len(protein))[VISIBLE[request.param]])
    if request.node.callspec.params.get("name") == "structure" and masked.n_hidden:
        with pytest.raises(InputError, match="are hidden, and its structure was predicted from"):
            build("structure")(masked)
        return protein
    return masked


def build_anew(method):
    """The method as the command line would build it, with the smallest model if it needs one."""
    choices = [f"method={method}", "model=lattice_2x16", "model.device=cpu", *choices_for(method)]
    with initialize_config_dir(version_base="1.3", config_dir=CONFIG_FOLDER):
        return build_experiment(compose("config", choices)).method


build = cache(build_anew)


def assert_symmetric(array, other):
    """To rounding: both sides may be added up in another order."""
    np.testing.assert_allclose(array, other, rtol=0, atol=1e-6 * max(1, np.abs(array).max()))


def test_there_are_methods():
    assert METHODS


def test_it_is_a_contact_method(name):
    assert isinstance(build(name), ContactMethod)


def test_scores_are_one_finite_symmetric_map_with_a_zero_diagonal(name, shown):
    scores = build(name)(shown)
    assert scores.shape == (len(shown), len(shown))
    assert np.issubdtype(scores.dtype, np.floating)
    assert np.isfinite(scores).all()
    assert not np.diagonal(scores).any()
    assert_symmetric(scores, scores.T)


def test_scores_are_the_same_each_time_and_for_each_copy_of_the_method(name, shown):
    first, again, anew = build(name)(shown), build(name)(shown), build_anew(name)(shown)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, anew)


def test_neither_the_protein_nor_its_alignment_is_modified(name, shown):
    before, written = dataclasses.asdict(shown), shown.alignment.read_bytes()
    build(name)(shown)
    assert dataclasses.asdict(shown) == before
    assert shown.alignment.read_bytes() == written


def test_scores_belong_to_the_caller(name, protein):
    """What one caller does to a map must not reach the next."""
    scores = build(name)(protein)
    expected = scores.copy()
    scores += 1
    np.testing.assert_array_equal(build(name)(protein), expected)


def class_of(method):
    with initialize_config_dir(version_base="1.3", config_dir=CONFIG_FOLDER):
        return get_object(compose("config", [f"method={method}"]).method._target_)


COUPLED = [method for method in METHODS if hasattr(class_of(method), "couplings")]


@pytest.mark.parametrize("coupled", COUPLED)
def test_couplings_are_one_finite_tensor_symmetric_in_its_pairs(coupled, shown):
    method = build(coupled)
    assert isinstance(method, CouplingMethod)
    couplings = method.couplings(shown)
    assert couplings.shape == (len(shown), 20, len(shown), 20)
    assert np.isfinite(couplings).all()
    assert_symmetric(couplings, couplings.transpose(2, 3, 0, 1))
