import numpy as np
import pytest
import torch

from harness.alphabet import encode
from harness.couplings import corrected_scores
from harness.methods.representation_jacobian import RepresentationJacobian
from harness.models.network import Architecture, Network
from harness.protein import Protein
from harness.protocols import Cost, ExposesHidden
from tests.models import SHIPPED, esm2

PROTEIN = Protein("p", "MKVLAW")
CHECKPOINT = SHIPPED / "lattice_2x16.pt"
SETTINGS = {"layer": None, "center": "amino_acids", "apc": True}


class Headless:
    """A small random network that shows its states and nothing else, `batch` sequences a slice."""

    n_parameters = 0
    fingerprint = ""
    n_layers = 3

    def __init__(self, batch=50, dtype=torch.float64):
        torch.manual_seed(0)
        network = Network(Architecture(self.n_layers, 16, 2, True)).to(dtype)
        self.network = network.eval().requires_grad_(False)
        self.cost = Cost()
        self.batch, self.largest = batch, 0

    def hidden(self, residues, layer):
        self.cost.forward_passes += len(residues)
        return self.network.hidden(residues, layer)

    def substituted_hidden(self, residues, sites, substitutes, layer):
        for start in range(0, len(sites), self.batch):
            part = slice(start, min(start + self.batch, len(sites)))
            mutants = residues.repeat(part.stop - start, 1)
            mutants[torch.arange(len(mutants)), sites[part]] = substitutes[part]
            yield part, self.hidden(mutants, layer)


def method(model=None, **changes):
    return RepresentationJacobian(model or Headless(), **(SETTINGS | changes))


def written_out(sequence, layer, center):
    """Norms of the whole tensor (L, 20, L, W), one sequence at a time."""
    model, residues = Headless(), torch.from_numpy(encode(sequence))
    baseline, blocks = model.hidden(residues[None], layer)[0], []
    for i in range(len(sequence)):
        rows = []
        for a in range(20):
            mutant = residues.clone()
            mutant[i] = a if sequence[i] != "?" else residues[i]
            rows.append(model.hidden(mutant[None], layer)[0] - baseline)
        blocks.append(torch.stack(rows))
    tensor = torch.stack(blocks)
    if center == "amino_acids":
        tensor -= tensor.mean(1, keepdim=True)
    return tensor.square().sum((1, 3)).sqrt().numpy()


@pytest.mark.parametrize("center", ["amino_acids", "none"])
@pytest.mark.parametrize("layer", [1, 2, 3])
@pytest.mark.parametrize("sequence", ["MKVLAW", "M?VXA", "?X", "M", "?"])
def test_the_norms_are_those_of_the_tensor_written_out(sequence, layer, center):
    found = method(layer=layer, center=center).norms(Protein("p", sequence))
    np.testing.assert_allclose(found, written_out(sequence, layer, center), rtol=1e-9, atol=1e-9)


def test_scores_are_the_norms_corrected():
    norms = torch.from_numpy(method().norms(PROTEIN))
    for apc in (True, False):
        expected = corrected_scores(norms, apc)
        np.testing.assert_array_equal(method(apc=apc)(PROTEIN), expected)


def test_no_layer_is_the_last():
    np.testing.assert_array_equal(method()(PROTEIN), method(layer=3)(PROTEIN))
    assert np.abs(method()(PROTEIN) - method(layer=2)(PROTEIN)).max() > 1e-3


@pytest.mark.parametrize("batch", [1, 7, 18, 19, 20, 39, 1000])
def test_it_does_not_matter_where_the_slices_of_the_model_are_cut(batch):
    found, expected = (method(Headless(size)).norms(PROTEIN) for size in (batch, 19))
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_half_and_single_precision_differ_from_double_by_their_rounding_alone(dtype):
    """The states are rounded; what is made of them is not."""
    expected, found = method().norms(PROTEIN), method(Headless(dtype=dtype)).norms(PROTEIN)
    assert found.dtype == np.float32
    tolerance = {torch.float32: 1e-4, torch.bfloat16: 0.3}[dtype]
    np.testing.assert_allclose(found, expected, rtol=tolerance)


@pytest.mark.parametrize(
    ("sequence", "passes"), [("MKVLAW", 19 * 6 + 1), ("M?VX", 2 * 19 + 20 + 1), ("??", 1)]
)
def test_19_passes_a_visible_residue_and_one_are_made_20_for_an_unknown_one(sequence, passes):
    model = Headless()
    method(model)(Protein("p", sequence))
    assert model.cost.forward_passes == passes


def test_a_lower_layer_costs_less():
    low, high = esm2(CHECKPOINT), esm2(CHECKPOINT)
    method(low, layer=1)(PROTEIN)
    method(high, layer=2)(PROTEIN)
    assert low.cost.flops < 0.7 * high.cost.flops


@pytest.mark.parametrize("layer", [1, 2])
def test_an_embedded_model_gives_the_same_for_every_size_of_batches(layer):
    """To the rounding of single precision: norms are of the order of ten."""
    one, many = (esm2(CHECKPOINT, tokens_per_batch=tokens) for tokens in (1, 8 * 50))
    found, expected = (method(model, layer=layer).norms(PROTEIN) for model in (one, many))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)


def test_rows_of_a_hidden_residue_are_zero_and_its_columns_are_not():
    norms = method().norms(PROTEIN.masked([0, 2, 3]))
    assert not norms[[1, 4, 5]].any()
    assert norms[[0, 2, 3]].all()


def test_it_needs_no_more_than_hidden_states():
    assert isinstance(Headless(), ExposesHidden)
    assert not hasattr(Headless(), "logits")


@pytest.mark.parametrize("layer", [-1, 0, 4])
def test_a_layer_that_says_nothing_is_refused_with_those_that_are_allowed(layer):
    message = f"layer is {layer}; allowed are 1 to 3 and null, the last"
    with pytest.raises(ValueError, match=message):
        method(layer=layer)


@pytest.mark.usefixtures("unchecked")
def test_an_unknown_centering_is_refused():
    with pytest.raises(ValueError, match=r"center is 'all'; allowed are amino_acids, none$"):
        method(center="all")
