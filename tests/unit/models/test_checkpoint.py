import argparse
import pathlib
import re

import pytest
import torch

from harness.errors import InputError, PrerequisiteError
from harness.models.checkpoint import load_checkpoint
from harness.models.fair_esm import save_fair_esm
from harness.models.network import Architecture, Network


@pytest.fixture
def saved(tmp_path):
    """A network, and the file it was saved to."""
    torch.manual_seed(0)
    network = Network(Architecture(1, 8, 2, True)).eval()
    save_fair_esm(network, tmp_path / "net.pt")
    return network, tmp_path / "net.pt"


def change(path, edit):
    """Apply `edit` to the content of a checkpoint."""
    with torch.serialization.safe_globals([argparse.Namespace]):
        content = torch.load(path, weights_only=True)
    edit(content)
    torch.save(content, path)


def test_what_was_saved_is_loaded_again(saved):
    """In half precision: ten binary digits after the first."""
    network, path = saved
    loaded = load_checkpoint(path).network
    assert loaded.architecture == network.architecture
    for name, value in network.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], value, rtol=2**-11, atol=1e-7)


def test_a_loaded_network_is_in_single_precision_and_ready_to_run(saved):
    loaded = load_checkpoint(saved[1]).network
    assert {tensor.dtype for tensor in loaded.state_dict().values()} == {torch.float32}
    assert not loaded.training
    assert not any(weights.requires_grad for weights in loaded.parameters())


def test_saving_a_loaded_network_changes_nothing(saved, tmp_path):
    loaded = load_checkpoint(saved[1]).network
    save_fair_esm(loaded, tmp_path / "again.pt")
    again = load_checkpoint(tmp_path / "again.pt").network.state_dict()
    assert all(torch.equal(again[name], value) for name, value in loaded.state_dict().items())


def test_tensors_carry_their_published_names(saved):
    with torch.serialization.safe_globals([argparse.Namespace]):
        names = torch.load(saved[1], weights_only=True)["model"].keys()
    assert "encoder.sentence_encoder.layers.0.self_attn.q_proj.weight" in names
    assert "encoder.lm_head.dense.weight" in names
    assert all(name.startswith("encoder.") for name in names)


def test_an_absent_file_is_a_prerequisite(tmp_path):
    with pytest.raises(PrerequisiteError, match=r"none\.pt: no such checkpoint.*model\.path=PATH"):
        load_checkpoint(tmp_path / "none.pt")


@pytest.mark.parametrize("kept", [0, 10, 1000, -1])
def test_a_truncated_file_is_reported_as_such(saved, kept):
    path = saved[1]
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match=f"{re.escape(str(path))}: .*(truncated|refused)"):
        load_checkpoint(path)


def test_an_empty_folder_is_a_prerequisite(tmp_path):
    with pytest.raises(PrerequisiteError, match=r"holds none of model\.safetensors, "):
        load_checkpoint(tmp_path)


def test_the_architecture_is_told_before_the_weights_are_used(saved):
    heard = []
    load_checkpoint(saved[1], heard.append)
    assert heard == [saved[0].architecture]


def test_layers_are_loaded_in_the_precision_that_is_asked_for(saved):
    network = load_checkpoint(saved[1], dtype=torch.bfloat16).network
    expected = load_checkpoint(saved[1]).network.state_dict()
    for name, tensor in network.state_dict().items():
        half = name.startswith("layers.") and not name.endswith("inv_freq")
        assert tensor.dtype == (torch.bfloat16 if half else torch.float32), name
        torch.testing.assert_close(tensor, expected[name].to(tensor.dtype), rtol=0, atol=0)


class Trap:
    """Touches a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return pathlib.Path.touch, (self.path,)


def test_code_in_a_file_is_never_run(tmp_path):
    victim = tmp_path / "touched"
    torch.save({"cfg": {"model": Trap(victim)}, "model": {}}, tmp_path / "trap.pt")
    with pytest.raises(InputError, match=r"trap\.pt: refused, because it holds more than tensors"):
        load_checkpoint(tmp_path / "trap.pt")
    assert not victim.exists()


def test_the_trap_of_the_test_above_works(tmp_path):
    torch.save(Trap(tmp_path / "touched"), tmp_path / "trap.pt")
    torch.load(tmp_path / "trap.pt", weights_only=False)
    assert (tmp_path / "touched").exists()


def content(model, **settings):
    """A checkpoint of width 8 with these tensors and settings."""
    shape = {"encoder_embed_dim": 8, "encoder_attention_heads": 2, "token_dropout": True}
    return {"cfg": {"model": argparse.Namespace(**shape, **settings)}, "model": model}


OTHERS = {
    "tensor": torch.zeros(3),
    "list": [1, 2],
    "text": "text",
    "empty": {},
    "no_settings": {"cfg": None, "model": {}},
    "no_layers": content({}),
    "no_model": {"cfg": content({}, encoder_layers=1)["cfg"]},
    "list_of_tensors": content([1], encoder_layers=1),
    "number_for_a_tensor": content({"x": 1}, encoder_layers=1),
    "number_for_a_name": content({1: 1}, encoder_layers=1),
    "text_for_a_number": content({}, encoder_layers="1"),
    "zero_layers": content({}, encoder_layers=0),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
@pytest.mark.usefixtures("unchecked")
def test_a_file_of_another_layout_is_reported_by_name(tmp_path, other):
    torch.save(other, tmp_path / "other.pt")
    with pytest.raises(InputError, match=r"other\.pt: "):
        load_checkpoint(tmp_path / "other.pt")


WEIGHT = "encoder.lm_head.dense.weight"


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        (lambda tensors: tensors.pop(WEIGHT), "1 tensors do.*lm_head.dense.weight is missing"),
        (lambda tensors: tensors.update({"extra": torch.zeros(1)}), "extra is unknown"),
        (
            lambda tensors: tensors.update({WEIGHT: torch.zeros(3)}),
            r"lm_head.dense.weight has shape \(3,\), expected \(8, 8\)",
        ),
    ],
    ids=["missing", "unknown", "misshapen"],
)
def test_tensors_that_do_not_fit_are_named(saved, edit, complaint):
    change(saved[1], lambda checkpoint: edit(checkpoint["model"]))
    with pytest.raises(InputError, match=complaint):
        load_checkpoint(saved[1])
