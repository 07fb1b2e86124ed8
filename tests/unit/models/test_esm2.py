import hashlib

import pytest
import torch

from harness import device
from harness.alphabet import MASK, encode
from harness.errors import InputError, PrerequisiteError
from harness.models.esm2 import shipped
from harness.models.fair_esm import save_fair_esm
from harness.models.network import Architecture, Network
from harness.protocols import (
    Differentiable,
    ExposesAttention,
    ExposesHidden,
    HasPositions,
    PredictsLogits,
)
from tests.models import esm2

RESIDUES = torch.from_numpy(encode("ACDEF"))[None].repeat(3, 1)
SITES, SUBSTITUTES = torch.tensor([0, 0, 3, 4, 2, 1, 0]), torch.tensor([5, 6, 0, 19, 7, 3, 5])


@pytest.fixture
def checkpoint(tmp_path):
    """The file of a small network."""
    torch.manual_seed(0)
    save_fair_esm(Network(Architecture(2, 8, 2, True)), tmp_path / "net.pt")
    return tmp_path / "net.pt"


@pytest.mark.parametrize(
    "protocol",
    [PredictsLogits, Differentiable, ExposesHidden, ExposesAttention, HasPositions],
)
def test_it_keeps_the_protocols(checkpoint, protocol):
    assert isinstance(esm2(checkpoint), protocol)


def test_it_predicts_logits(checkpoint):
    assert esm2(checkpoint).logits(RESIDUES).shape == (3, 5, 20)


def mutants(sites, substitutes):
    """The sequences of these substitutions, one by one."""
    made = RESIDUES[0].repeat(len(sites), 1)
    for mutant, site, residue in zip(made, sites, substitutes, strict=True):
        mutant[site] = residue
    return made


@pytest.mark.parametrize("substitutes", [SUBSTITUTES, torch.full((7,), MASK)], ids=["", "mask"])
@pytest.mark.parametrize("tokens", [1, 21, 1000])
def test_substituted_logits_are_the_logits_of_the_mutants_in_order(checkpoint, tokens, substitutes):
    """To 1e-5: what mutants share is computed once, so sums are in another order."""
    model = esm2(checkpoint, tokens_per_batch=tokens)
    expected = esm2(checkpoint).logits(mutants(SITES, substitutes))
    parts = list(model.substituted_logits(RESIDUES[0], SITES, substitutes))
    assert [rows.start for rows, _ in parts] == [0, *(rows.stop for rows, _ in parts[:-1])]
    assert max(len(logits) for _, logits in parts) == min(7, max(1, tokens // 7))
    found = torch.cat([logits for _, logits in parts])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("tokens", [1, 14, 1000])
def test_the_token_budget_does_not_change_logits(checkpoint, tokens):
    """To 1e-6, single precision: batches of another size may be summed in another order."""
    found = esm2(checkpoint, tokens_per_batch=tokens).logits(RESIDUES)
    torch.testing.assert_close(found, esm2(checkpoint).logits(RESIDUES), rtol=0, atol=1e-6)


def test_every_sequence_counts_as_a_forward_pass_of_all_its_tokens(checkpoint):
    model = esm2(checkpoint, tokens_per_batch=14)
    assert (model.cost.forward_passes, model.cost.tokens, model.cost.flops) == (0, 0, 0)
    model.logits(RESIDUES)
    model.logits(RESIDUES[:1])
    assert (model.cost.forward_passes, model.cost.tokens) == (4, 4 * 7)
    assert model.cost.flops == 4 * operations(5)


def operations(length, width=8, layers=2):
    """Two for each product of a pass, written out from the architecture."""
    layer = (length + 2) * 12 * width**2 + 2 * (length + 2) ** 2 * width
    return 2 * (layers * layer + length * (width**2 + 20 * width))


@pytest.mark.parametrize("tokens", [1, 21, 1000])
def test_every_substitution_counts_as_a_forward_pass(checkpoint, tokens):
    model = esm2(checkpoint, tokens_per_batch=tokens)
    list(model.substituted_logits(RESIDUES[0], SITES, SUBSTITUTES))
    cost = model.cost
    assert (cost.forward_passes, cost.tokens, cost.flops) == (7, 7 * 7, 7 * operations(5))


@pytest.mark.parametrize(("mode", "linearized"), [("gradients", 1), ("derivatives", 2)])
def test_a_derivative_counts_as_a_pass_beside_those_that_prepare_it(checkpoint, mode, linearized):
    """One forward pass for all; the forward mode also one backward, to be carried backward."""
    model = esm2(checkpoint, tokens_per_batch=14)
    list(getattr(model, mode)(RESIDUES[0], SITES, torch.ones(7, 20)))
    assert model.cost.forward_passes == 7 + linearized
    assert model.cost.tokens == (7 + linearized) * 7
    assert model.cost.flops > (7 + linearized) * operations(5)  # attention is recomputed


def test_on_a_cpu_no_memory_of_a_device_is_counted(checkpoint):
    model = esm2(checkpoint)
    model.logits(RESIDUES)
    assert model.cost.peak_device_bytes == 0


def test_what_is_not_asked_for_is_not_paid_for(checkpoint):
    model = esm2(checkpoint, tokens_per_batch=14)
    next(model.substituted_logits(RESIDUES[0], SITES, SUBSTITUTES))
    assert model.cost.forward_passes == 2


def test_out_of_memory_is_answered_with_halves_and_each_sequence_counts_once(
    checkpoint, monkeypatch
):
    expected, whole, sizes = esm2(checkpoint).logits(RESIDUES), Network.embed, []

    def cramped(network, tokens):
        sizes.append(len(tokens))
        if len(tokens) > 1:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return whole(network, tokens)

    model = esm2(checkpoint)
    monkeypatch.setattr(Network, "embed", cramped)
    torch.testing.assert_close(model.logits(RESIDUES), expected, rtol=0, atol=1e-6)
    assert sizes[:4] == [3, 1, 1, 1]
    assert model.cost.forward_passes == 3


def test_the_fingerprint_is_the_digest_of_the_file(checkpoint):
    digest = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert esm2(str(checkpoint)).fingerprint == digest


def test_the_tied_output_matrix_is_counted_once(checkpoint):
    """Embedding, two layers of width 8, final norm, head: written out from the architecture."""
    layer = 4 * (8 * 8 + 8) + 2 * 2 * 8 + (8 * 32 + 32) + (32 * 8 + 8)
    head = (8 * 8 + 8) + 2 * 8 + 33
    assert esm2(checkpoint).n_parameters == 33 * 8 + 2 * layer + 2 * 8 + head


def test_logits_keep_no_graph(checkpoint):
    assert not esm2(checkpoint).logits(RESIDUES).requires_grad


@pytest.mark.parametrize("tokens", [0, -1])
def test_a_budget_of_nothing_is_refused(checkpoint, tokens):
    with pytest.raises(ValueError, match=f"tokens_per_batch is {tokens}; it must be positive"):
        esm2(checkpoint, tokens_per_batch=tokens)


@pytest.mark.parametrize("dtype", ["float8", "float64", "half", ""])
def test_an_unknown_precision_is_refused_with_what_is_allowed(checkpoint, dtype):
    allowed = "allowed are float32, bfloat16, float16"
    with pytest.raises(ValueError, match=f"dtype is '{dtype}'; {allowed}"):
        esm2(checkpoint, dtype=dtype)


def test_a_sequence_beyond_the_context_is_refused_with_both_numbers(checkpoint):
    model = esm2(checkpoint, context=4)
    complaint = r"5 residues is beyond the context of 4 .*model\.context=null"
    with pytest.raises(InputError, match=complaint):
        model.logits(RESIDUES)
    with pytest.raises(InputError, match=complaint):
        list(model.substituted_logits(RESIDUES[0], SITES, SUBSTITUTES))
    assert model.cost.forward_passes == 0


@pytest.mark.parametrize("context", [5, None])
def test_a_sequence_within_the_context_is_taken(checkpoint, context):
    assert esm2(checkpoint, context=context).logits(RESIDUES).shape == (3, 5, 20)


def test_an_absent_gpu_is_a_prerequisite(checkpoint, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(PrerequisiteError, match=r"no CUDA device; use model\.device=cpu"):
        esm2(checkpoint, device="cuda:0")


def test_without_a_gpu_auto_means_the_cpu(checkpoint, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert esm2(checkpoint, device="auto").logits(RESIDUES).device.type == "cpu"


@pytest.mark.parametrize("device", ["gpu", "CPU", "cuda:", "cuda:x", "mps:1", ""])
def test_an_unknown_device_is_refused_with_what_is_allowed(checkpoint, device):
    with pytest.raises(ValueError, match="allowed are auto, cpu, cuda, cuda:NUMBER and mps"):
        esm2(checkpoint, device=device)


def test_a_model_that_is_not_shipped_is_a_prerequisite():
    settings = {"device": "cpu", "dtype": "float32", "tokens_per_batch": None}
    with pytest.raises(PrerequisiteError, match=r"lattice_9x9\.pt: no such checkpoint"):
        shipped("lattice_9x9", **settings, context=None, compile=False, ends="kept")


def test_a_model_that_does_not_fit_is_refused_before_it_is_loaded(checkpoint, monkeypatch):
    monkeypatch.setattr(device, "free_memory", lambda where: 1000)
    with pytest.raises(PrerequisiteError, match=r"net\.pt in float32 needs about .*bfloat16, a sm"):
        esm2(checkpoint)
    with pytest.raises(PrerequisiteError, match=r"use a smaller model\.tokens_per_batch"):
        esm2(checkpoint, dtype="bfloat16", tokens_per_batch=10)
