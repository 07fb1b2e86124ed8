import dataclasses

import numpy as np
import pytest
import torch

from harness import device
from harness.alphabet import AMINO_ACIDS, MASK, encode
from harness.errors import PrerequisiteError
from harness.protein import Protein
from harness.protocols import PredictsLogits
from tests.models import RandomModel
from tests.models import jacobian_method as method

PROTEIN = Protein("p", "MKVLAW")


def test_the_model_of_these_tests_keeps_the_protocol():
    assert isinstance(RandomModel(), PredictsLogits)


def test_the_residue_that_is_there_already_changes_nothing_exactly():
    jacobian = method().jacobian(PROTEIN)
    assert not jacobian[range(6), encode(PROTEIN.sequence)].any()


def test_every_other_residue_changes_something():
    changes = np.abs(method().jacobian(PROTEIN)).max(axis=(2, 3))
    assert (changes > 0).sum() == 19 * 6


def test_19_passes_a_residue_and_one_are_made():
    model = RandomModel()
    method(model)(PROTEIN)
    assert model.cost.forward_passes == 19 * 6 + 1


def test_an_entry_is_the_logit_with_the_residue_less_the_logit_without():
    model = RandomModel()
    jacobian = method(model).jacobian(PROTEIN)
    mutant, wild_type = (
        model.logits(torch.from_numpy(encode(s))[None])[0] for s in ("MKVLRW", "MKVLAW")
    )
    expected = (mutant - wild_type).numpy()
    np.testing.assert_allclose(jacobian[4, AMINO_ACIDS.index("R")], expected, atol=1e-6)


def test_20_passes_a_residue_and_one_give_the_same_to_the_last_bit():
    """The wild type included, one sequence at a time on both sides."""
    model = RandomModel(batch=1)
    sequence = torch.from_numpy(encode(PROTEIN.sequence))
    every = sequence.repeat(6, 20, 1)
    every[torch.arange(6), :, torch.arange(6)] = torch.arange(20)
    logits = torch.stack([model.logits(x[None])[0] for x in every.flatten(0, 1)])
    expected = logits.view(6, 20, 6, 20) - model.logits(sequence[None])[0]
    assert model.cost.forward_passes == 20 * 6 + 1
    np.testing.assert_array_equal(method(model).jacobian(PROTEIN), expected.numpy())


@pytest.mark.parametrize("batch", [1, 19, 20, 1000])
def test_the_slices_of_the_model_do_not_change_the_map(batch):
    """To 1e-6, the rounding of a single-precision forward pass."""
    found = method(RandomModel(batch))(PROTEIN)
    np.testing.assert_allclose(found, method(RandomModel(7))(PROTEIN), atol=1e-6)


def test_a_hidden_residue_is_never_substituted():
    model = RandomModel()
    jacobian = method(model).jacobian(PROTEIN.masked([0, 2, 3]))
    assert not jacobian[[1, 4, 5]].any()
    assert jacobian[[0, 2, 3]].any(axis=(1, 2, 3)).all()
    assert model.cost.forward_passes == 19 * 3 + 1


def test_hidden_residues_are_hidden_from_the_model():
    """Two proteins that differ where they are hidden have the same map."""
    other = Protein("p", "MRVLAW")
    visible = [0, 2, 3, 4, 5]
    one, two = (method()(protein.masked(visible)) for protein in (PROTEIN, other))
    np.testing.assert_array_equal(one, two)
    assert np.abs(method()(PROTEIN) - method()(other)).max() > 1e-6


@pytest.mark.parametrize("substitutes", ["all", "mask", "AV"])
def test_a_fully_hidden_protein_needs_one_pass_and_has_an_empty_map(substitutes):
    model = RandomModel()
    assert not method(model, substitutes=substitutes)(PROTEIN.masked(())).any()
    assert model.cost.forward_passes == 1


def test_an_unknown_residue_is_substituted_by_all_twenty():
    model = RandomModel()
    jacobian = method(model).jacobian(Protein("p", "MXV"))
    assert jacobian[1].any(axis=(1, 2)).all()
    assert model.cost.forward_passes == 2 * 19 + 20 + 1


@pytest.mark.parametrize("substitutes", ["all", "mask", "AV"])
@pytest.mark.parametrize("call", ["__call__", "couplings", "jacobian"])
def test_the_protein_is_not_modified(call, substitutes):
    before = dataclasses.asdict(PROTEIN)
    getattr(method(substitutes=substitutes), call)(PROTEIN)
    assert dataclasses.asdict(PROTEIN) == before


@pytest.mark.parametrize("center", ["all", "amino_acids", "none"])
def test_couplings_are_symmetric(center):
    couplings = method(center=center).couplings(PROTEIN)
    np.testing.assert_array_equal(couplings, couplings.transpose(2, 3, 0, 1))


def test_a_mask_at_each_position_takes_one_pass_a_residue_and_one():
    model = RandomModel()
    method(model, substitutes="mask")(PROTEIN)
    assert model.cost.forward_passes == 6 + 1


def test_with_the_mask_the_row_of_each_residue_is_what_its_presence_adds():
    model = RandomModel()
    jacobian = method(model, substitutes="mask").jacobian(PROTEIN)
    sequence = torch.from_numpy(encode(PROTEIN.sequence))
    for i, residue in enumerate(sequence.tolist()):
        masked = sequence.clone()
        masked[i] = MASK
        present, absent = (model.logits(x[None])[0] for x in (sequence, masked))
        np.testing.assert_allclose(jacobian[i, residue], present - absent, rtol=0, atol=1e-6)
        jacobian[i, residue] = 0
    assert not jacobian.any()


def test_with_the_mask_an_unknown_residue_has_no_row():
    model = RandomModel()
    jacobian = method(model, substitutes="mask").jacobian(Protein("p", "MXV"))
    assert not jacobian[1].any()
    assert model.cost.forward_passes == 2 + 1


def test_a_choice_of_substitutes_gives_those_rows_of_the_jacobian_and_no_others():
    """Of A, V and W two are in the protein: fifteen substitutions of six residues."""
    model = RandomModel(batch=1)
    chosen = method(model, substitutes="WAV").jacobian(PROTEIN)
    assert model.cost.forward_passes == 3 * 6 - 3 + 1
    everything = method(RandomModel(batch=1)).jacobian(PROTEIN)
    columns = [AMINO_ACIDS.index(letter) for letter in "WAV"]
    np.testing.assert_array_equal(chosen[:, columns], everything[:, columns])
    assert not np.delete(chosen, columns, axis=1).any()


def test_all_letters_are_all_substitutes():
    found = method(substitutes=AMINO_ACIDS[::-1])(PROTEIN)
    np.testing.assert_allclose(found, method()(PROTEIN), rtol=0, atol=1e-6)


@pytest.mark.parametrize("substitutes", ["AA", "", "ab", "X", "?", "A-", "masked"])
def test_wrong_substitutes_are_refused_with_what_is_allowed(substitutes):
    allowed = f"all, mask, and different letters out of {AMINO_ACIDS}"
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        method(substitutes=substitutes)
    assert str(caught.value) == f"substitutes is '{substitutes}'; allowed are {allowed}"


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("center", "rows", "all, amino_acids, none"),
        ("symmetrize", "both", "couplings, scores"),
        ("storage", "bfloat16", "float32, float16"),
    ],
)
def test_an_unknown_choice_is_refused_before_the_model_runs(field, value, allowed):
    with pytest.raises(ValueError, match=f"{field} is '{value}'; allowed are {allowed}$"):
        method(**{field: value})


def test_a_tensor_that_does_not_fit_is_refused_after_one_pass(monkeypatch):
    monkeypatch.setattr(device, "free_memory", lambda where: 1000)
    jacobian = method()
    message = r"Jacobian of 4 residues needs about .* GB free; use method\.storage=float16, shorter"
    with pytest.raises(PrerequisiteError, match=message):
        jacobian(Protein("p", "MKLA"))
    assert jacobian.model.cost.forward_passes == 1
    with pytest.raises(PrerequisiteError, match=r"use shorter windows \(windows=overlapping"):
        method(storage="float16")(Protein("p", "MKLA"))
