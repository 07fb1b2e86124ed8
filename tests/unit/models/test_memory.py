import pytest
import torch

from harness import device
from harness.errors import PrerequisiteError
from harness.models.memory import Plan
from harness.models.network import Architecture

CPU, GPU = torch.device("cpu"), torch.device("cuda")
SHAPE_650M = Architecture(33, 1280, 20, True)
SHAPE_3B = Architecture(36, 2560, 40, True)


@pytest.fixture
def free(monkeypatch):
    """A function that sets how many GB are free on the CPU and on the GPU."""

    def set_free(cpu, gpu=0):
        there = {"cpu": int(cpu * 1e9), "cuda": int(gpu * 1e9)}
        monkeypatch.setattr(device, "free_memory", lambda where: there[where.type])

    return set_free


def test_what_fits_is_not_refused(free):
    free(cpu=6)
    Plan(SHAPE_650M, torch.float32, CPU).require_weights("the model", None)
    Plan(SHAPE_650M, torch.float32, CPU).require_maps(1022)


def test_weights_that_do_not_fit_are_refused_with_numbers_and_what_would_help(free):
    free(cpu=4)
    message = (
        r"the model needs about 5\.3 GB, and cpu has 4\.0 GB free; "
        r"use model\.dtype=bfloat16, a smaller model or a larger device"
    )
    with pytest.raises(PrerequisiteError, match=message):
        Plan(SHAPE_650M, torch.float32, CPU).require_weights("the model", None)
    Plan(SHAPE_650M, torch.bfloat16, CPU).require_weights("the model", None)


def test_a_large_batch_needs_room_too(free):
    free(cpu=6)
    with pytest.raises(PrerequisiteError, match=r"a smaller model\.tokens_per_batch"):
        Plan(SHAPE_650M, torch.float32, CPU).require_weights("the model", 100_000)


def test_on_the_way_to_a_gpu_the_weights_have_to_fit_on_the_cpu(free):
    free(cpu=5, gpu=40)
    with pytest.raises(PrerequisiteError, match=r"loading the model needs about 5\.\d GB, and cpu"):
        Plan(SHAPE_3B, torch.bfloat16, GPU).require_weights("the model", None)
    free(cpu=6, gpu=40)
    Plan(SHAPE_3B, torch.bfloat16, GPU).require_weights("the model", None)
    free(cpu=6, gpu=4)
    with pytest.raises(PrerequisiteError, match=r"^the model needs about \d\.\d GB, and cuda"):
        Plan(SHAPE_3B, torch.bfloat16, GPU).require_weights("the model", None)


def test_attention_maps_that_do_not_fit_are_refused(free):
    free(cpu=2)
    message = (
        r"attention of 33 × 20 heads over 1022 residues needs about 2\.8 GB, and cpu has 2\.0 GB "
        r"free; use shorter windows \(windows=overlapping windows\.size=N\)"
    )
    with pytest.raises(PrerequisiteError, match=message):
        Plan(SHAPE_650M, torch.float32, CPU).require_maps(1022)
