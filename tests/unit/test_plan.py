"""Arithmetic of a plan, beside what the networks themselves count and hold."""

from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from harness.configuration import CONFIG_FOLDER
from harness.models.flops import FlopCounts
from harness.models.network import Architecture, Network
from harness.models.packing import required_bytes
from harness.models.passes import LOGITS
from harness.plan import Footprint, Shape, amount_of
from tests.models import SHIPPED, esm2

MODELS = OmegaConf.to_container(OmegaConf.load(Path(CONFIG_FOLDER, "plan.yaml")))["models"]
KNOWN = {name: Shape(**numbers) for name, numbers in MODELS.items() if numbers is not None}
PUBLISHED = [name for name in KNOWN if name.startswith("esm")]
EMBEDDED = [name for name in KNOWN if name.startswith("lattice")]


class Counting:
    def __call__(self, protein):
        raise AssertionError("nothing is computed")

    def passes(self, length):
        return 2 * length + 1


def architecture(name):
    shape, old = KNOWN[name], name == "esm1b"
    size = (shape.layers, shape.width, shape.heads)
    return Architecture(*size, True, 1024 if old else 0, old)


def footprint(shape, **changes):
    settings = {"device": "cpu", "number_bytes": 4, "coupling_bytes": 0, "maps": False}
    settings |= {"tokens_per_batch": 1, "process_bytes": 0}
    return Footprint(shape, **(settings | changes))


def test_every_model_that_can_be_chosen_is_in_the_table_but_those_of_no_known_size():
    choices = {path.stem for path in Path(CONFIG_FOLDER, "model").glob("*.yaml")}
    assert choices - set(KNOWN) == {*("potts", "esm2_local", "esmfold", "esmfold_local")}
    assert set(KNOWN) <= choices


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_table_has_the_parameters_of_the_published_networks(name):
    with torch.device("meta"):
        network = Network(architecture(name))
    assert sum(weights.numel() for weights in network.parameters()) == KNOWN[name].parameters


@pytest.mark.parametrize("name", EMBEDDED)
def test_the_table_has_what_the_embedded_checkpoints_have(name):
    model = esm2(SHIPPED / f"{name}.pt")
    found = model._network.architecture
    shape = Shape(model.n_parameters, found.layers, found.heads, found.width)
    assert shape == KNOWN[name]


@pytest.mark.parametrize("length", [27, 300])
@pytest.mark.parametrize("name", ["esm2_8m", "esm2_150m"])
def test_operations_are_those_that_the_network_counts_to_four_percent(name, length):
    """What is left: embeddings and norms have parameters and multiply no matrices."""
    counted = FlopCounts(architecture(name))(LOGITS.kind, length, LOGITS.run)
    assert KNOWN[name].flops(length) == pytest.approx(counted, rel=0.04)


def test_an_amount_adds_up_passes_tokens_and_operations_of_all_proteins():
    shape = Shape(100, 2, 1, 8)
    amount = amount_of(Counting(), [3, 5], shape, None)
    assert (amount.proteins, amount.longest, amount.pairs) == (2, 5, 9 + 25)
    assert (amount.passes, amount.tokens) == (7 + 11, 7 * 5 + 11 * 7)
    assert amount.flops == 7 * shape.flops(3) + 11 * shape.flops(5)
    assert amount.work == amount.flops


def test_in_windows_no_more_residues_are_read_at_once():
    amount = amount_of(Counting(), [10], Shape(100), 4)
    assert (amount.longest, amount.passes, amount.tokens) == (4, 21, 21 * 6)


@pytest.mark.parametrize(
    ("method", "shape"), [(lambda protein: None, Shape(100)), (Counting(), None)]
)
def test_without_counts_or_a_model_the_work_is_pairs_of_residues(method, shape):
    amount = amount_of(method, [3, 4], shape, None)
    assert (amount.passes, amount.tokens, amount.flops) == (None, None, None)
    assert amount.work == 25


@pytest.mark.parametrize("name", ["lattice_4x128", "esm2_650m", "esm2_3b"])
def test_weights_take_what_loading_them_will_ask_for(name):
    cpu = torch.device("cpu")
    needed = required_bytes(architecture(name), torch.float32, cpu)
    planned = footprint(KNOWN[name]).peak(0) - KNOWN[name].width * 16 * 4
    assert planned == pytest.approx(needed, rel=0.01)


def test_the_coupling_tensor_and_attention_maps_are_held_beside_the_weights():
    shape = Shape(10, 3, 2, 8)
    bare = footprint(shape).peak(7)
    assert footprint(shape, coupling_bytes=2).peak(7) - bare == 140**2 * 2
    assert footprint(shape, maps=True).peak(7) - bare == 5 * 3 * 2 * 49 * 4


def test_the_process_counts_on_the_cpu_only():
    assert footprint(None, process_bytes=100).peak(1) == 100
    assert footprint(None, process_bytes=100, device="cuda").peak(1) == 0


def test_half_precision_halves_the_weights_which_are_not_held_twice():
    shape = Shape(1000, 1, 1, 8)
    activations = 8 * 16 * 2
    assert footprint(shape, number_bytes=2).peak(0) == 2000 + activations
    assert footprint(shape).peak(0) == 8000 + 2 * activations
