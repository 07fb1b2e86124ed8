import hashlib

import pytest
import torch

from harness.alphabet import encode
from harness.errors import PrerequisiteError
from harness.models.checkpoint import save_checkpoint
from harness.models.esm2 import ESM2, shipped
from harness.models.network import Architecture, Network
from harness.protocols import PredictsLogits

RESIDUES = torch.from_numpy(encode("ACDEF"))[None].repeat(3, 1)


@pytest.fixture
def checkpoint(tmp_path):
    """The file of a small network."""
    torch.manual_seed(0)
    save_checkpoint(Network(Architecture(1, 8, 2, True)), tmp_path / "net.pt")
    return tmp_path / "net.pt"


def test_it_predicts_logits(checkpoint):
    model = ESM2(checkpoint, "cpu")
    assert isinstance(model, PredictsLogits)
    assert model.logits(RESIDUES).shape == (3, 5, 20)


def test_every_sequence_counts_as_a_forward_pass(checkpoint):
    model = ESM2(checkpoint, "cpu")
    assert model.cost.forward_passes == 0
    model.logits(RESIDUES)
    model.logits(RESIDUES[:1])
    assert model.cost.forward_passes == 4


def test_the_fingerprint_is_the_digest_of_the_file(checkpoint):
    digest = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert ESM2(str(checkpoint), "cpu").fingerprint == digest


def test_the_tied_output_matrix_is_counted_once(checkpoint):
    """Embedding, one layer of width 8, final norm, head: written out from the architecture."""
    layer = 4 * (8 * 8 + 8) + 2 * 2 * 8 + (8 * 32 + 32) + (32 * 8 + 8)
    head = (8 * 8 + 8) + 2 * 8 + 33
    assert ESM2(checkpoint, "cpu").n_parameters == 33 * 8 + layer + 2 * 8 + head


def test_logits_keep_no_graph(checkpoint):
    assert not ESM2(checkpoint, "cpu").logits(RESIDUES).requires_grad


def test_an_absent_gpu_is_a_prerequisite(checkpoint, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(PrerequisiteError, match=r"no CUDA device; use model\.device=cpu"):
        ESM2(checkpoint, "cuda:0")


def test_without_a_gpu_auto_means_the_cpu(checkpoint, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert ESM2(checkpoint, "auto").logits(RESIDUES).device.type == "cpu"


@pytest.mark.parametrize("device", ["gpu", "CPU", "cuda:", "cuda:x", "mps", ""])
def test_an_unknown_device_is_refused_with_what_is_allowed(checkpoint, device):
    with pytest.raises(ValueError, match="allowed are auto, cpu, cuda and cuda:NUMBER"):
        ESM2(checkpoint, device)


def test_a_model_that_is_not_shipped_is_a_prerequisite():
    with pytest.raises(PrerequisiteError, match=r"lattice_9x9\.pt: no such checkpoint"):
        shipped("lattice_9x9", "cpu")
