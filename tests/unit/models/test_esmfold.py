"""ESMFold: the real loading code on small random weights, against transformers' own folding."""

import numpy as np
import pytest
import torch

from harness.errors import InputError, PrerequisiteError
from harness.models import esmfold as module
from harness.protein import Protein
from harness.protocols import HasPositions, PredictsStructure
from tests.folding import PROTEIN, SEQUENCE, loaded, random_esmfold


@pytest.fixture(scope="module")
def reference():
    """What transformers itself makes of the sequence, by its own way from letters to a file."""
    network = random_esmfold()
    output = network.infer(SEQUENCE)
    return output, network.output_to_pdb(output)[0]


def atoms_of(text):
    lines = [line for line in text.splitlines() if line.startswith("ATOM")]
    names = [(int(line[22:26]) - 1, line[12:16].strip()) for line in lines]
    return names, np.array([[float(line[n : n + 8]) for n in (30, 38, 46)] for line in lines])


class TestFold:
    def test_is_a_model_that_folds_and_has_positions(self):
        assert isinstance(loaded(), PredictsStructure)
        assert isinstance(loaded(), HasPositions)

    def test_atoms_are_those_of_transformers(self, reference):
        atoms = loaded().fold(PROTEIN).atoms
        names, places = atoms_of(reference[1])
        found = list(zip(atoms.res_id.tolist(), atoms.atom_name.tolist(), strict=True))
        order = [found.index(name) for name in names]
        assert len(found) == len(names)
        np.testing.assert_allclose(atoms.coord[order], places, atol=2e-3)

    def test_confidence_is_that_of_transformers(self, reference):
        found = loaded().fold(PROTEIN)
        output = reference[0]
        np.testing.assert_allclose(found.plddt, 100 * output["plddt"][0, :, 1], rtol=1e-4)
        np.testing.assert_allclose(found.pae, output["predicted_aligned_error"][0], rtol=1e-4)

    def test_aligned_errors_are_by_the_residue_that_is_put_in_place_first(self, reference):
        """The TM-score that a frame expects is a mean over the other residues: the last axis."""
        from transformers.models.esm.openfold_utils import compute_tm

        logits = torch.full((1, 3, 3, 64), -20.0)
        logits[0, 0, :, 0], logits[0, 1:, :, 63] = 20.0, 20.0  # only frame 0 is sure of all
        sure = float(compute_tm(logits, max_bin=31, no_bins=64))
        unsure = float(compute_tm(logits.transpose(1, 2), max_bin=31, no_bins=64))
        assert sure > 2 * unsure > 0

    @pytest.mark.parametrize("size", [1, 4, 64])
    def test_chunks_move_nothing_but_the_last_bits(self, size):
        whole, parts = loaded().fold(PROTEIN), loaded(chunk_size=size).fold(PROTEIN)
        np.testing.assert_allclose(parts.atoms.coord, whole.atoms.coord, atol=2e-3)
        np.testing.assert_allclose(parts.pae, whole.pae, rtol=1e-4)

    def test_recycles_are_those_asked_for(self):
        """The network was made with max_recycles = 2, so its trunk runs twice."""
        as_trained = loaded().fold(PROTEIN)
        twice, once = (loaded(recycles=n).fold(PROTEIN) for n in (1, 0))
        np.testing.assert_array_equal(twice.atoms.coord, as_trained.atoms.coord)
        assert not np.array_equal(once.atoms.coord, as_trained.atoms.coord)

    @pytest.mark.parametrize("sequence", ["M", "MK", "M?XUK", "???", "X"])
    def test_unknown_residues_are_alanines_in_their_frame(self, sequence):
        found = loaded().fold(Protein("p", sequence))
        assert found.chains[0].sequence == "".join(c if c in "MK" else "A" for c in sequence)
        n, ca, c, cb = np.moveaxis(found.chains[0].backbone, 1, 0)
        bonds = [np.linalg.norm(other - ca, axis=1) for other in (n, c, cb)]
        expected = np.tile([[1.46], [1.53], [1.53]], len(sequence))
        np.testing.assert_allclose(bonds, expected, atol=0.02)

    def test_hidden_and_unknown_residues_are_the_same(self):
        hidden, unknown = (loaded().fold(Protein("p", s)) for s in ("MK?AY", "MKXAY"))
        np.testing.assert_array_equal(hidden.atoms.coord, unknown.atoms.coord)

    def test_positions_matter_while_they_are_given_and_no_longer(self):
        model = loaded()
        before = model.fold(PROTEIN).atoms.coord
        far = torch.arange(len(SEQUENCE)) + 512 * (torch.arange(len(SEQUENCE)) > 10)
        with model.at(far):
            assert not np.array_equal(model.fold(PROTEIN).atoms.coord, before)
        np.testing.assert_array_equal(model.fold(PROTEIN).atoms.coord, before)

    @pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
    def test_the_language_model_in_half_precision(self, dtype):
        whole, half = loaded().fold(PROTEIN), loaded(dtype=dtype).fold(PROTEIN)
        assert not np.array_equal(half.pae, whole.pae)
        np.testing.assert_allclose(half.pae, whole.pae, rtol=0.2)

    def test_cost(self):
        model = loaded()
        model.fold(PROTEIN)
        assert (model.cost.forward_passes, model.cost.tokens) == (1, len(SEQUENCE) + 2)
        first = model.cost.flops
        assert first > 2 * model.n_parameters
        model.fold(Protein("q", SEQUENCE[:14]))
        assert 0 < model.cost.flops - first < first

    def test_a_diverged_network_is_an_error(self):
        model = loaded()
        model._network.trunk.structure_module.bb_update.linear.bias.data.fill_(float("nan"))
        with pytest.raises(InputError, match=r"p by ESMFold: coordinates are not finite"):
            model.fold(PROTEIN)


class TestMemory:
    def test_a_smaller_chunk_is_asked_for_where_pairs_do_not_fit(self, monkeypatch):
        needs = []
        models = [loaded(chunk_size=size) for size in (None, 8)]
        monkeypatch.setattr(module, "require_memory", lambda needed, *_: needs.append(needed))
        for model in models:
            model.fold(PROTEIN)
        assert needs[1] < needs[0]

    @pytest.mark.parametrize(("size", "smaller"), [(None, 128), (64, 32), (1, 1)])
    def test_what_to_do_when_memory_ends_on_the_way(self, monkeypatch, size, smaller):
        model = loaded(chunk_size=size)

        def full(protein):
            raise RuntimeError("CUDA out of memory. Tried to allocate")

        monkeypatch.setattr(model, "_run", full)
        with pytest.raises(PrerequisiteError, match=rf"for 29 residues .*chunk_size={smaller}, a"):
            model.fold(PROTEIN)
