import pickle
import zipfile
from pathlib import Path

import pytest
import torch

from harness import torch_files
from harness.errors import InputError
from harness.torch_files import read_torch


class Payload:
    """Touches a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def plain(content, path):
    path.write_bytes(pickle.dumps(content, protocol=2))


def old(content, path):
    torch.save(content, path, _use_new_zipfile_serialization=False)


def test_tensors_and_plain_values_come_back(tmp_path):
    for save in (torch.save, old):
        save({"x": torch.arange(3), "n": 1}, tmp_path / "x.pt")
        found = read_torch(tmp_path / "x.pt", "a test")
        assert found["n"] == 1
        assert found["x"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("save", [torch.save, old, plain])
@pytest.mark.parametrize("name", ["x.pt", "pytorch_model.bin", "x-contact-regression.pt"])
def test_code_in_a_file_is_never_run(tmp_path, save, name):
    save({"model": Payload(tmp_path / "trace")}, tmp_path / name)
    with pytest.raises(InputError, match="unpickling it could run code"):
        read_torch(tmp_path / name, "a test")
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize("name", ["archive/data.pkl", "archive/data/0"])
def test_a_file_that_is_packed_is_refused_unopened(tmp_path, monkeypatch, name):
    """64 MiB of zeros in 64 KiB; PyTorch itself would unpack them."""
    with zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, bytes(1 << 26))
    monkeypatch.setattr(torch_files.torch, "load", lambda *_, **__: pytest.fail("it was opened"))
    with pytest.raises(InputError, match=r"bomb\.pt: refused, because it is 65,.* states 67,108"):
        read_torch(tmp_path / "bomb.pt", "a test")


def test_a_file_that_is_not_there_is_for_the_caller(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_torch(tmp_path / "x.pt", "a test")


def test_a_damaged_file_is_named(tmp_path):
    torch.save({"x": torch.ones(4)}, tmp_path / "x.pt")
    (tmp_path / "x.pt").write_bytes((tmp_path / "x.pt").read_bytes()[:-40])
    with pytest.raises(InputError, match=r"x\.pt: .*cannot be read as a test"):
        read_torch(tmp_path / "x.pt", "a test")
