from unittest.mock import Mock

import psutil
import pytest
import torch

from harness import device
from harness.device import (
    choose_device,
    device_name,
    free_memory,
    product_rate,
    require_memory,
)
from harness.errors import PrerequisiteError

CPU = torch.device("cpu")


@pytest.mark.parametrize("there", [True, False])
def test_auto_is_cuda_where_there_is_one(monkeypatch, there):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert choose_device("auto").type == ("cuda" if there else "cpu")


@pytest.mark.parametrize("name", ["cpu", "cuda", "cuda:1"])
def test_a_device_is_chosen_by_its_name(monkeypatch, name):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device(name) == torch.device(name)


def test_a_device_that_is_not_there_is_named_with_another(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(PrerequisiteError, match=r"device=cuda:0, but.*use model\.device=cpu"):
        choose_device("cuda:0")


def test_apples_device_is_taken_when_it_is_asked_for(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("mps") == torch.device("mps")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(PrerequisiteError, match="PyTorch sees no MPS device"):
        choose_device("mps")


@pytest.mark.parametrize("name", ["gpu", "cuda:", "CPU", "", "mps:0"])
def test_another_name_is_refused_with_those_allowed(name):
    with pytest.raises(ValueError, match=f"device is '{name}'; allowed are auto, cpu, cuda"):
        choose_device(name)


def test_free_memory_of_a_cpu_is_less_than_all():
    assert 0 < free_memory(CPU) <= psutil.virtual_memory().total


def test_what_pytorch_has_reserved_on_a_gpu_is_free_for_tensors(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda where: (100, 1000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda where: 70)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda where: 30)
    assert free_memory(torch.device("cuda")) == 140


def test_what_does_not_fit_is_refused_with_what_helps(monkeypatch):
    monkeypatch.setattr(device, "free_memory", lambda where: 2_000_000_000)
    require_memory(2_000_000_000, CPU, "the fit", "take less")
    message = r"the fit needs about 3\.0 GB, and cpu has 2\.0 GB free; take less"
    with pytest.raises(PrerequisiteError, match=message):
        require_memory(3_000_000_000, CPU, "the fit", "take less")


def test_memory_of_apples_device_is_what_the_system_recommends(monkeypatch):
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 100)
    monkeypatch.setattr(torch.mps, "driver_allocated_memory", lambda: 30)
    assert free_memory(torch.device("mps")) == 70


def test_a_processor_is_called_by_its_kind_and_a_card_by_its_name(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda where: "a card")
    assert device_name(CPU) == "cpu"
    assert device_name(torch.device("cuda")) == "a card"


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_rate_of_a_product_counts_its_operations(monkeypatch, dtype):
    """Four products of 2048 × 2 by 2 × 8 in two seconds."""
    monkeypatch.setattr(device, "time", Mock(perf_counter=Mock(side_effect=[0.0, 0.0, 2.0])))
    assert product_rate(CPU, dtype, 2, 1.0) == 4 * 2 * 2048 * 2 * 8 / 2
