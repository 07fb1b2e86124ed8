import numpy as np
import pytest
import torch

from harness.alphabet import MASK, UNKNOWN
from harness.lattice import generate_family
from harness.models.potts import PottsModel, lattice_family
from harness.protocols import Differentiable, PredictsLogits

LENGTH = 4


def random_parameters(seed=0):
    generator = np.random.default_rng(seed)
    couplings = generator.normal(size=(LENGTH, 20, LENGTH, 20))
    return generator.normal(size=(LENGTH, 20)), couplings + couplings.transpose(2, 3, 0, 1)


def test_logits_are_the_field_and_the_couplings_to_all_other_residues():
    fields, couplings = random_parameters()
    sequence = [3, 19, 0, 7]
    logits = PottsModel(fields, couplings).logits(torch.tensor([sequence]))[0].numpy()
    for j in range(LENGTH):
        others = [i for i in range(LENGTH) if i != j]
        expected = fields[j] + sum(couplings[i, sequence[i], j] for i in others)
        np.testing.assert_allclose(logits[j], expected, atol=1e-12)


@pytest.mark.parametrize("state", [UNKNOWN, MASK])
def test_an_unknown_or_hidden_residue_adds_nothing(state):
    fields, couplings = random_parameters()
    logits = PottsModel(fields, couplings).logits(torch.full((1, LENGTH), state))[0]
    np.testing.assert_array_equal(logits.numpy(), fields)


def test_couplings_of_a_residue_with_itself_are_ignored():
    fields, couplings = random_parameters()
    changed = couplings.copy()
    changed[range(LENGTH), :, range(LENGTH)] = 99
    residues = torch.tensor([[1, 2, 3, 4]])
    one, other = (PottsModel(fields, c).logits(residues) for c in (couplings, changed))
    assert torch.equal(one, other)


def test_the_arrays_it_was_made_of_stay_as_they_are():
    fields, couplings = random_parameters()
    PottsModel(fields, couplings).logits(torch.zeros(1, LENGTH, dtype=torch.int64))
    again = random_parameters()
    np.testing.assert_array_equal(fields, again[0])
    np.testing.assert_array_equal(couplings, again[1])


def test_it_predicts_logits_and_counts_sequences():
    model = PottsModel(*random_parameters())
    assert isinstance(model, PredictsLogits)
    model.logits(torch.zeros(3, LENGTH, dtype=torch.int64))
    assert model.cost.forward_passes == 3


def test_substitutions_are_made_one_at_a_time_in_slices():
    model, residues = PottsModel(*random_parameters()), torch.tensor([1, 2, 3, 4])
    sites, substitutes = torch.arange(1100) % LENGTH, torch.arange(1100) % 20
    slices = list(model.substituted_logits(residues, sites, substitutes))
    assert [(part.start, part.stop) for part, _ in slices] == [(0, 1024), (1024, 1100)]
    mutant = torch.tensor([[1, 2, 3, substitutes[1027]]])
    assert torch.equal(slices[1][1][3], model.logits(mutant)[0])


def test_no_substitutions_are_no_slices():
    nothing = torch.zeros(0, dtype=torch.int64)
    model = PottsModel(*random_parameters())
    assert list(model.substituted_logits(torch.arange(LENGTH), nothing, nothing)) == []


def test_gradients_and_derivatives_are_couplings_times_directions():
    fields, couplings = random_parameters()
    couplings[range(LENGTH), :, range(LENGTH)] = 0
    sites, directions = torch.tensor([2, 0, 2]), torch.randn(3, 20, dtype=torch.float64)
    expected = np.einsum("mb,mbia->mia", directions.numpy(), couplings[sites])
    model = PottsModel(fields, couplings)
    assert isinstance(model, Differentiable)
    for derive in (model.gradients, model.derivatives):
        model.cost.forward_passes = 0
        ((part, found),) = derive(torch.zeros(LENGTH, dtype=torch.int64), sites, directions)
        assert part == slice(0, 3)
        assert model.cost.forward_passes == 4
        np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=1e-12)


def test_parameters_are_fields_and_one_block_a_pair():
    assert PottsModel(*random_parameters()).n_parameters == 4 * 20 + 6 * 400


def test_the_fingerprint_tells_models_apart():
    prints = [PottsModel(*random_parameters(seed)).fingerprint for seed in (0, 0, 1)]
    assert prints[0] == prints[1] != prints[2]


@pytest.mark.usefixtures("unchecked")
def test_couplings_of_another_length_are_refused():
    fields, couplings = random_parameters()
    with pytest.raises(ValueError, match=r"fields \(3, 20\) do not fit couplings"):
        PottsModel(fields[:3], couplings)


def test_a_sequence_of_another_length_is_refused():
    with pytest.raises(ValueError, match="has 4 positions, the sequences have 5"):
        PottsModel(*random_parameters()).logits(torch.zeros(1, 5, dtype=torch.int64))


def test_a_lattice_family_gives_its_exact_conditionals():
    """The mean of -log p at the drawn residues is the family's own cross-entropy."""
    family = generate_family(0, 1)
    sequences = np.random.default_rng(0).integers(0, 20, size=(5, 27))
    logits = lattice_family(0, 1).logits(torch.from_numpy(sequences))
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), torch.tensor(sequences.ravel()))
    assert float(loss) == pytest.approx(family.conditional_cross_entropy(sequences))
