import pytest
import torch

from harness.errors import InputError
from harness.torch_files import read_torch


def old(content, path):
    torch.save(content, path, _use_new_zipfile_serialization=False)


def test_tensors_and_plain_values_come_back(tmp_path):
    for save in (torch.save, old):
        save({"x": torch.arange(3), "n": 1}, tmp_path / "x.pt")
        found = read_torch(tmp_path / "x.pt", "a test")
        assert found["n"] == 1
        assert found["x"].tolist() == [0, 1, 2]


def test_a_file_that_is_not_there_is_for_the_caller(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_torch(tmp_path / "x.pt", "a test")


def test_a_damaged_file_is_named(tmp_path):
    torch.save({"x": torch.ones(4)}, tmp_path / "x.pt")
    (tmp_path / "x.pt").write_bytes((tmp_path / "x.pt").read_bytes()[:-40])
    with pytest.raises(InputError, match=r"x\.pt: .*cannot be read as a test"):
        read_torch(tmp_path / "x.pt", "a test")
