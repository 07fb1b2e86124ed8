"""What a family model reads, and where its answers go."""

from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from baselines import family as module
from baselines.family import Family, FamilyModel
from harness.errors import InputError, PrerequisiteError
from harness.protein import Protein
from harness.protocols import CouplingMethod
from harness.weighting import sequence_weights

QUERY = "ACDEFG"


@dataclass(frozen=True)
class Telltale(FamilyModel):
    """Couples residues i and j with (i + 1)(j + 1), and keeps what it saw."""

    seen: list[Family] = field(default_factory=list, init=False, compare=False, repr=False)

    def fit(self, family):
        self.seen.append(family)
        strength = torch.from_numpy(np.multiply.outer(family.columns + 1, family.columns + 1))
        return strength[:, None, :, None].float().expand(-1, 20, -1, 20).clone()

    def memory(self, rows, columns):
        return rows * columns


def model(**changes):
    settings = {"weight_identity": None, "column_gaps": None, "row_gaps": None}
    return Telltale(**(settings | {"depth": None, "seed": 0} | changes))


@pytest.fixture
def protein(write_alignment):
    """Of seven rows column 2 has gaps in four, column 3 in five; row 4 has four gaps."""
    rows = [QUERY, "AC-EFG", "ACD-FG", "AC--YG", "--D--G", "WC--FG", "AY--F-"]
    return Protein("p", QUERY, write_alignment(rows))


def test_it_is_a_coupling_method():
    assert isinstance(model(), CouplingMethod)


def test_it_sees_every_kind_of_row_once_with_its_weight(write_alignment):
    rows = [QUERY, "AAAAAA", QUERY, "AAAAAA", "ACDEFA", "AAAAAA"]
    method = model(weight_identity=0.8)
    method(Protein("p", QUERY, write_alignment(rows)))
    (family,) = method.seen
    assert family.states[0].tolist() == [0, 4, 3, 6, 13, 7]
    assert len(family.states) == 3
    np.testing.assert_allclose(family.weights, [2 / 3, 1, 1 / 3], rtol=1e-15)
    assert method.facts == {"n_rows": 6, "n_columns": 6, "neff": pytest.approx(2)}


def test_without_weights_a_row_counts_how_often_it_stands_there(write_alignment):
    method = model()
    method(Protein("p", QUERY, write_alignment([QUERY, "AAAAAA", QUERY, QUERY])))
    assert method.seen[0].weights.tolist() == [3, 1]


def test_columns_with_gaps_go_before_rows_with_gaps(protein):
    """Column 3 has gaps in 5 of 7 rows; without it row 4 has gaps in 3 of 5 columns."""
    method = model(column_gaps=5 / 7, row_gaps=0.5)
    method(protein)
    (family,) = method.seen
    assert family.columns.tolist() == [0, 1, 2, 4, 5]
    assert method.facts["n_rows"] == 6


@pytest.mark.parametrize(("share", "kept"), [(5 / 7, False), (0.72, True)])
def test_a_column_goes_when_its_gaps_reach_the_share(protein, share, kept):
    method = model(column_gaps=share)
    method(protein)
    assert (3 in method.seen[0].columns) == kept


@pytest.mark.parametrize(("share", "rows"), [(0.5, 6), (4 / 6, 7)])
def test_a_row_goes_when_its_gaps_exceed_the_share(protein, share, rows):
    method = model(row_gaps=share)
    method(protein)
    assert method.facts["n_rows"] == rows


def test_the_query_stays_however_unknown_it_is(write_alignment):
    method = model(row_gaps=0.1)
    method(Protein("p", "XXXA", write_alignment(["XXXA", "ACDE", "ACDF"])))
    assert method.facts["n_rows"] == 3


def test_weights_are_those_of_the_columns_that_are_kept(protein):
    method = model(weight_identity=0.8, column_gaps=0.5)
    method(protein)
    few = np.delete(module.read_alignment(protein.alignment).states, [2, 3], axis=1)
    assert method.facts["n_columns"] == 4
    assert method.facts["neff"] == pytest.approx(sequence_weights(few, 0.8).sum())


def test_answers_go_where_their_columns_came_from(protein):
    method = model(column_gaps=0.5)
    couplings = method.couplings(protein)
    expected = np.multiply.outer(np.arange(1, 7), np.arange(1, 7)).astype(float)
    expected[[2, 3]], expected[:, [2, 3]] = 0, 0
    np.testing.assert_array_equal(couplings[:, 4, :, 7], expected)
    scores = method(protein)
    assert not scores[[2, 3]].any()
    norms = 20 * expected * (1 - np.eye(6))
    corrected = norms - np.outer(norms.sum(axis=0), norms.sum(axis=0)) / norms.sum()
    np.fill_diagonal(corrected, 0)
    np.testing.assert_allclose(scores, corrected, rtol=1e-12)


def test_hidden_residues_have_neither_couplings_nor_scores(protein):
    shown = protein.masked([0, 1, 2])
    couplings, scores = model().couplings(shown), model()(shown)
    assert not couplings[3:].any()
    assert not couplings[:, :, 3:].any()
    assert couplings[:3, :, :3].all()
    assert not scores[3:].any()


def test_a_depth_takes_the_query_and_a_seeded_choice_of_rows(protein):
    method = model(depth=4, seed=5)
    method(protein)
    assert method.facts["n_rows"] == 4
    assert method.seen[0].states[0].tolist() == [0, 4, 3, 6, 13, 7]


def test_facts_are_those_of_the_last_protein(protein):
    method = model(depth=2)
    method.facts["left"] = 1.0
    method(protein)
    assert set(method.facts) == {"n_rows", "n_columns", "neff"}


def test_facts_are_no_part_of_what_a_method_is(protein):
    used, fresh = model(), model()
    used(protein)
    assert (used, repr(used), hash(used)) == (fresh, repr(fresh), hash(fresh))


def test_what_does_not_fit_is_refused_before_the_fit(protein, monkeypatch):
    monkeypatch.setattr("harness.device.free_memory", lambda where: 41)
    method = model()
    with pytest.raises(PrerequisiteError, match=r"p with 7 rows and 6 columns.*method\.depth"):
        method(protein)
    assert not method.seen


def test_the_alignment_of_another_protein_is_refused(write_alignment):
    with pytest.raises(InputError, match="column 2"):
        model()(Protein("p", "AAD", write_alignment(["ACD", "AAA"])))
