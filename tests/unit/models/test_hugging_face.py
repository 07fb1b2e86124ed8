import json
import pathlib
import re

import pytest
import torch
from safetensors.torch import load_file, save_file

from harness.errors import InputError, PrerequisiteError
from harness.models.checkpoint import load_checkpoint
from harness.models.hugging_face import WEIGHTS
from harness.models.network import Architecture, Network
from tests.models import hub_folder


@pytest.fixture
def folder(tmp_path):
    """A checkpoint in the layout of the hub."""
    return hub_folder(tmp_path / "model")


def edit_config(folder, **changes):
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    text = json.dumps({key: v for key, v in (settings | changes).items() if v is not ...})
    (folder / "config.json").write_text(text, encoding="utf-8")


def tensors(folder):
    return load_file(folder / "model.safetensors")


def test_a_folder_is_loaded_and_so_are_its_weights_by_name(folder):
    found = [load_checkpoint(path).network for path in (folder, folder / "model.safetensors")]
    for network in found:
        assert network.architecture == Architecture(1, 8, 2, True)
        assert {tensor.dtype for tensor in network.state_dict().values()} == {torch.float32}


def test_the_network_saved_is_the_network_loaded(tmp_path):
    torch.manual_seed(3)
    network = Network(Architecture(2, 8, 2, True))
    loaded = load_checkpoint(hub_folder(tmp_path / "model", network)).network
    for name, value in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name


def test_of_several_kinds_the_first_of_the_list_is_read(folder):
    (folder / "pytorch_model.bin").write_bytes(b"never read")
    assert WEIGHTS.index("model.safetensors") < WEIGHTS.index("pytorch_model.bin")
    load_checkpoint(folder)


def test_without_config_json_it_is_a_prerequisite(folder):
    (folder / "config.json").unlink()
    with pytest.raises(PrerequisiteError, match=r"config\.json is not there; put the published"):
        load_checkpoint(folder)


def test_an_absent_file_is_a_prerequisite(folder):
    with pytest.raises(PrerequisiteError, match=r"other\.safetensors: no such checkpoint"):
        load_checkpoint(folder / "other.safetensors")


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"model_type": "bert"}, "model_type is 'bert', not 'esm'"),
        ({"vocab_size": 30}, "vocab_size is 30, not 33"),
        ({"intermediate_size": 8}, "intermediate_size is 8, not 32"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type is 'relative_key'"),
        ({"layer_norm_eps": 1e-12}, "layer_norm_eps is 1e-12, not 1e-05"),
        ({"is_folding_model": True}, "is_folding_model is True, not False"),
    ],
)
def test_a_setting_that_the_forward_does_not_follow_is_refused(folder, changes, complaint):
    edit_config(folder, **changes)
    with pytest.raises(InputError, match=f"no ESM-2 or ESM-1b as published: .*{complaint}"):
        load_checkpoint(folder)


@pytest.mark.parametrize("changes", [{"hidden_size": ...}, {"hidden_size": "8"}])
def test_an_unusable_config_is_named(folder, changes):
    edit_config(folder, **changes)
    with pytest.raises(InputError, match=r"config\.json: not the config\.json of an ESM"):
        load_checkpoint(folder)


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        (
            lambda found: found.pop("lm_head.dense.weight"),
            r"1 tensors do not fit an ESM-2: lm_head\.dense\.weight is missing",
        ),
        (
            lambda found: found.pop("esm.encoder.layer.0.attention.self.query.bias"),
            r"esm\.encoder\.layer\.0\.attention\.self\.query\.bias is missing",
        ),
        (lambda found: found.update({"extra.weight": torch.zeros(1)}), "extra.weight is unknown"),
        (
            lambda found: found.update({"lm_head.dense.weight": torch.zeros(3)}),
            r"lm_head\.dense\.weight has shape \(3,\), expected \(8, 8\)",
        ),
    ],
    ids=["missing", "missing_in_a_layer", "unknown", "misshapen"],
)
def test_tensors_that_do_not_fit_are_named_as_in_the_file(folder, edit, complaint):
    found = tensors(folder)
    edit(found)
    save_file(found, folder / "model.safetensors")
    with pytest.raises(InputError, match=complaint):
        load_checkpoint(folder)


@pytest.mark.parametrize("kept", [0, 7, 300, -1])
def test_truncated_safetensors_are_reported_as_such(folder, kept):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match=f"{re.escape(str(path))}: cannot be read.*truncated"):
        load_checkpoint(folder)


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return pathlib.Path.touch, (self.path,)


def test_code_in_a_bin_file_is_never_run(folder, tmp_path):
    (folder / "model.safetensors").unlink()
    torch.save({"x": Trap(tmp_path / "touched")}, folder / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"pytorch_model\.bin: refused, because it holds more"):
        load_checkpoint(folder)
    assert not (tmp_path / "touched").exists()


def test_a_bin_file_without_named_tensors_is_refused(folder):
    (folder / "model.safetensors").unlink()
    torch.save({"x": 1}, folder / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"pytorch_model\.bin: holds no tensors by name"):
        load_checkpoint(folder)


def index(folder, weight_map):
    (folder / "model.safetensors").rename(folder / "part.safetensors")
    text = json.dumps({"weight_map": weight_map})
    (folder / "model.safetensors.index.json").write_text(text, encoding="utf-8")


def test_shards_are_those_of_the_index(folder):
    index(folder, {"x": "part.safetensors"})
    load_checkpoint(folder)


def test_an_absent_shard_is_a_prerequisite(folder):
    index(folder, {"x": "part.safetensors", "y": "part-2.safetensors"})
    with pytest.raises(PrerequisiteError, match=r"names part-2\.safetensors, which is not beside"):
        load_checkpoint(folder)


@pytest.mark.parametrize("weight_map", [{"x": "../part.safetensors"}, {"x": "/etc/passwd"}, {}])
def test_an_index_stays_in_its_folder(folder, weight_map):
    index(folder, weight_map)
    with pytest.raises(InputError, match="names files outside its folder, or none"):
        load_checkpoint(folder)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"weight_map": {"x": 1}}'])
def test_something_else_is_no_index(folder, text):
    index(folder, {})
    (folder / "model.safetensors.index.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="not an index of shards"):
        load_checkpoint(folder)


def test_a_regression_beside_the_weights_comes_before_the_one_inside(folder):
    head = {"contact_head.regression.weight": torch.full((1, 2), 3.0)}
    head |= {"contact_head.regression.bias": torch.zeros(1)}
    torch.save({"model": head}, folder / "model-contact-regression.pt")
    assert load_checkpoint(folder).regression.weight.tolist() == [3.0, 3.0]


def test_without_a_contact_head_there_is_none(folder):
    found = {name: value for name, value in tensors(folder).items() if "contact_head" not in name}
    save_file(found, folder / "model.safetensors")
    assert load_checkpoint(folder).regression is None
