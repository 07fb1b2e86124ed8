"""Contacts of a model: the regression beside its checkpoint or inside it, or none."""

import argparse
import hashlib

import pytest
import torch
from omegaconf import OmegaConf

from harness.alphabet import encode
from harness.configuration import CONFIG_FOLDER
from harness.contact_regression import BIAS, WEIGHT, ContactRegression, write_regression
from harness.errors import InputError, PrerequisiteError
from harness.models.esm2 import ESM2, shipped
from harness.models.fair_esm import save_fair_esm
from harness.models.network import Architecture, Network
from harness.protocols import ExposesAttention, PredictsContacts

RESIDUES = torch.from_numpy(encode("ACDEF?X"))
REGRESSION = ContactRegression(torch.tensor([5.0, -3.0]), torch.tensor(-1.0))
INSIDE = "encoder.sentence_encoder."
SETTINGS = OmegaConf.to_container(OmegaConf.load(f"{CONFIG_FOLDER}/esm2.yaml")) | {"device": "cpu"}


@pytest.fixture
def checkpoint(tmp_path):
    """The file of a network of one layer with two heads."""
    torch.manual_seed(0)
    save_fair_esm(Network(Architecture(1, 8, 2, True)), tmp_path / "net.pt")
    return tmp_path / "net.pt"


@pytest.fixture
def beside(checkpoint):
    """The file of a regression beside it."""
    path = checkpoint.with_name("net-contact-regression.pt")
    write_regression(REGRESSION, path, {})
    return path


def esm2(path):
    return ESM2(path, **SETTINGS)


def change(path, edit):
    """Apply `edit` to the tensors of a checkpoint."""
    with torch.serialization.safe_globals([argparse.Namespace]):
        content = torch.load(path, weights_only=True)
    edit(content["model"])
    torch.save(content, path)


def put_inside(path, weight):
    tensors = {INSIDE + WEIGHT: weight[None], INSIDE + BIAS: torch.tensor([-1.0])}
    change(path, lambda model: model.update(tensors))


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.usefixtures("beside")
def test_contacts_are_the_regression_on_the_attention_maps(checkpoint):
    model = esm2(checkpoint)
    assert isinstance(model, PredictsContacts)
    assert isinstance(model, ExposesAttention)
    expected = REGRESSION(model.attention(RESIDUES))
    torch.testing.assert_close(model.contacts(RESIDUES), expected)


@pytest.mark.usefixtures("beside")
def test_contacts_cost_a_forward_pass_with_its_tokens_and_operations(checkpoint):
    model = esm2(checkpoint)
    model.attention(RESIDUES)
    attention = model.cost.flops
    model.contacts(RESIDUES)
    assert (model.cost.forward_passes, model.cost.tokens) == (2, 2 * 9)
    assert attention < model.cost.flops - attention < 2 * attention


def test_without_a_regression_contacts_are_a_prerequisite_that_names_the_file(checkpoint):
    with pytest.raises(
        PrerequisiteError, match=r"net\.pt holds no .*net-contact-regression\.pt is"
    ):
        esm2(checkpoint).contacts(RESIDUES)


def test_a_regression_inside_the_checkpoint_is_used(checkpoint):
    put_inside(checkpoint, REGRESSION.weight)
    model = esm2(checkpoint)
    torch.testing.assert_close(model.contacts(RESIDUES), REGRESSION(model.attention(RESIDUES)))


@pytest.mark.usefixtures("beside")
def test_the_regression_beside_the_checkpoint_comes_before_that_inside(checkpoint):
    put_inside(checkpoint, torch.zeros(2))
    model = esm2(checkpoint)
    torch.testing.assert_close(model.contacts(RESIDUES), REGRESSION(model.attention(RESIDUES)))


def test_the_digest_of_the_regression_is_part_of_the_fingerprint(checkpoint, beside):
    assert esm2(checkpoint).fingerprint == f"{digest(checkpoint)}+{digest(beside)}"
    beside.unlink()
    assert esm2(checkpoint).fingerprint == digest(checkpoint)


def test_a_regression_for_another_number_of_heads_is_refused(checkpoint, beside):
    write_regression(ContactRegression(torch.zeros(3), torch.tensor(0.0)), beside, {})
    with pytest.raises(InputError, match=r"regression\.pt: .* on 3 .*net\.pt has 1 × 2 = 2"):
        esm2(checkpoint)
    beside.unlink()
    put_inside(checkpoint, torch.zeros(3))
    with pytest.raises(InputError, match=r"net\.pt: .* on 3 attention maps"):
        esm2(checkpoint)


def test_half_a_regression_inside_is_refused(checkpoint):
    change(checkpoint, lambda model: model.update({INSIDE + WEIGHT: torch.zeros(1, 2)}))
    with pytest.raises(InputError, match=r"net\.pt: .*regression\.bias is missing"):
        esm2(checkpoint)


@pytest.mark.usefixtures("beside")
def test_without_a_language_model_head_there_is_everything_but_logits(checkpoint):
    whole = esm2(checkpoint)

    def behead(model):
        for name in [name for name in model if ".lm_head." in name]:
            del model[name]

    change(checkpoint, behead)
    model = esm2(checkpoint)
    assert torch.equal(model.attention(RESIDUES), whole.attention(RESIDUES))
    assert torch.equal(model.contacts(RESIDUES), whole.contacts(RESIDUES))
    assert torch.equal(model.hidden(RESIDUES[None], 1), whole.hidden(RESIDUES[None], 1))
    with pytest.raises(PrerequisiteError, match=r"net\.pt has no language model head"):
        model.logits(RESIDUES[None])
    assert model.n_parameters < whole.n_parameters


@pytest.mark.parametrize("name", ["lattice_2x16", "lattice_2x32", "lattice_3x64", "lattice_4x128"])
def test_every_embedded_model_has_a_contact_head(name):
    model = shipped(name, **SETTINGS)
    contacts = model.contacts(RESIDUES)
    assert ((contacts > 0) & (contacts < 1)).all()
