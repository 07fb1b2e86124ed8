"""Files made to run code, or to fill the memory: refused before they can."""

import json
import pickle
import zipfile
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
import torch

from harness.arrays import read_arrays
from harness.contact_regression import read_regression
from harness.errors import InputError
from harness.models.checkpoint import load_checkpoint
from harness.models.training_state import TrainingState


class Payload:
    """Touches a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def plain(content, path):
    path.write_bytes(pickle.dumps(content, protocol=2))  # the one that torch expects


def old(content, path):
    torch.save(content, path, _use_new_zipfile_serialization=False)


def from_hub(path):
    """The checkpoint of a folder whose weights are this file."""
    shape = {"num_attention_heads": 2, "hidden_size": 8, "num_hidden_layers": 1}
    (path.parent / "config.json").write_text(json.dumps(shape | {"max_position_embeddings": 9}))
    return load_checkpoint(path.rename(path.parent / "pytorch_model.bin").parent)


def training(path):
    return TrainingState(path, "t").load(torch.device("cpu"))


READERS = [load_checkpoint, from_hub, read_regression, training]


@pytest.mark.parametrize("save", [torch.save, old, plain])
@pytest.mark.parametrize("read", READERS)
def test_code_in_a_pickle_is_never_run(tmp_path, read, save):
    victim = tmp_path / "touched"
    save({"model": Payload(victim), "cfg": {}, "training": "t"}, tmp_path / "evil.pt")
    with pytest.raises(InputError, match=r"refused, because|no state of a training"):
        read(tmp_path / "evil.pt")
    assert not victim.exists()


def packed(source, target, extra=b""):
    """The same archive with every member packed, and one more."""
    with zipfile.ZipFile(source) as whole:
        members = {name: whole.read(name) for name in whole.namelist()}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as bomb:
        for name, content in members.items():
            bomb.writestr(name, content)
        bomb.writestr(f"{name.partition('/')[0]}/data/9", extra)


@pytest.mark.parametrize("read", [load_checkpoint, from_hub, read_regression])
def test_a_packed_checkpoint_is_refused_unread(tmp_path, monkeypatch, read):
    torch.save({"model": {"a": torch.zeros(1 << 20)}, "cfg": {}}, tmp_path / "x.pt")
    packed(tmp_path / "x.pt", tmp_path / "bomb.pt")
    assert (tmp_path / "bomb.pt").stat().st_size < 10_000
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(InputError, match=r"states 4,\d{3},\d{3}: files of PyTorch's are never pac"):
        read(tmp_path / "bomb.pt")


def test_a_checkpoint_that_repeats_one_number_for_ever_is_refused(tmp_path):
    settings = {"encoder_layers": 1, "encoder_embed_dim": 8, "encoder_attention_heads": 2}
    cfg = {"model": Namespace(**settings, token_dropout=True)}
    tensors = {"embed_tokens.weight": torch.zeros(1).expand(10**6, 10**6)}
    torch.save({"cfg": cfg, "model": tensors}, tmp_path / "x.pt")
    with pytest.raises(InputError, match=r"tensors of 4,000,000,000,000 bytes in files of 1,"):
        load_checkpoint(tmp_path / "x.pt")


def test_objects_in_arrays_are_not_unpickled(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.array([Payload(tmp_path / "touched")], dtype=object))
    with pytest.raises(InputError, match=r"x\.npz: not readable"):
        read_arrays(tmp_path / "x.npz")
    assert not (tmp_path / "touched").exists()
