from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from harness.alphabet import encode
from harness.contact_regression import contact_features, read_regression
from harness.errors import InputError, PrerequisiteError
from harness.labeled import LabeledProteins
from harness.methods.fitted_contact_head import FittedContactHead
from tests.unit.methods.conftest import LENGTH, distances


@pytest.fixture
def method(model, labeled, tmp_path):
    """A head that can be fitted on its four proteins."""
    fields = {"contact": "cb8", "range": "min3", "inverse_strength": 0.15, "seed": 0}
    return FittedContactHead(model, labeled, **fields, folder=str(tmp_path / "heads"))


def kept(method):
    """The files in which fits are kept."""
    return sorted(Path(method.folder).iterdir())


def head(method):
    (path,) = kept(method)
    return read_regression(path)


def facts(method):
    """What the file says about its fit."""
    (path,) = kept(method)
    return torch.load(path, weights_only=True)["fit"]


def test_it_finds_the_head_that_knows(method, unseen):
    scores = method(unseen)
    weight = head(method).weight
    assert weight.argmax() == 4  # layer 1, head 1
    far = np.subtract.outer(np.arange(LENGTH), np.arange(LENGTH)) >= 3
    touching = distances(9) < 8
    assert scores[far & touching].min() > scores[far & ~touching].max()


def test_the_regression_is_scikit_learns_on_known_pairs_of_the_range(method, unseen):
    method(unseen)
    features, touching = [], []
    for sample in method.labeled:
        maps = method.model.attention(torch.from_numpy(encode(sample.protein.sequence)))
        maps = contact_features(maps).flatten(0, 1).numpy()
        for i in range(LENGTH):
            for j in range(i + 3, LENGTH):
                features.append(maps[:, i, j])
                touching.append(sample.distances[i, j] < 8)
    expected = LogisticRegression(l1_ratio=1, C=0.15, solver="liblinear", random_state=0)
    expected.fit(np.array(features), np.array(touching))
    np.testing.assert_allclose(head(method).weight, expected.coef_[0], atol=1e-4)
    np.testing.assert_allclose(float(head(method).bias), expected.intercept_[0], atol=1e-4)


def test_a_weaker_penalty_lets_the_weights_grow(method, unseen, tmp_path):
    weak = replace(method, inverse_strength=100.0, folder=str(tmp_path / "weak"))
    method(unseen)
    weak(unseen)
    assert head(method).weight.abs().sum() < head(weak).weight.abs().sum()


def test_unresolved_pairs_are_left_out(method, unseen, tmp_path, monkeypatch):
    """Distances that are not known do not count, whatever they would have been."""

    def fitted(fill, folder):
        known = method.labeled.dataset
        original = type(known).__getitem__

        def partly(self, identifier):
            sample = original(self, identifier)
            truth = sample.distances.copy()
            truth[2], truth[:, 2] = fill, fill
            return replace(sample, distances=truth)

        with monkeypatch.context() as patch:
            patch.setattr(type(known), "__getitem__", partly)
            again = replace(method, folder=str(tmp_path / folder))
            again(unseen)
        return facts(again)

    pairs = 4 * (LENGTH - 3) * (LENGTH - 2) // 2
    assert fitted(20.0, "all")["examples"] == pairs
    assert fitted(np.nan, "part")["examples"] == pairs - 4 * (LENGTH - 3 - 2)


def test_the_fit_costs_a_pass_for_each_labeled_protein_once(method, unseen):
    method(unseen)
    method(unseen)
    assert method.model.cost.forward_passes == 4 + 2


def test_a_fit_is_used_again_when_nothing_has_changed(method, unseen, monkeypatch):
    expected = method(unseen)
    monkeypatch.setattr(LogisticRegression, "fit", None)
    np.testing.assert_array_equal(replace(method)(unseen), expected)
    assert len(kept(method)) == 1


@pytest.mark.parametrize(
    "change",
    [{"inverse_strength": 0.3}, {"seed": 1}, {"range": "min6"}, {"contact": "cb10"}],
    ids=str,
)
def test_other_settings_are_another_fit(method, unseen, change):
    method(unseen)
    replace(method, **change)(unseen)
    assert len(kept(method)) == 2


def test_other_labeled_proteins_are_another_fit(method, unseen):
    method(unseen)
    replace(method, labeled=LabeledProteins(method.labeled.dataset, 3, 0))(unseen)
    assert len(kept(method)) == 2


def test_another_model_is_another_fit_even_with_the_same_fingerprint(method, unseen):
    """What counts are the maps: they differ with the precision of the same weights."""
    method(unseen)

    class Rounded(type(method.model)):
        def attention(self, residues):
            return super().attention(residues).bfloat16()

    replace(method, model=Rounded())(unseen)
    assert len(kept(method)) == 2


def test_the_file_says_what_it_was_fitted_on(method, unseen):
    method(unseen)
    fit = facts(method)
    assert fit["labeled"] == method.labeled.ids
    assert (fit["contact"], fit["range"], fit["inverse_strength"]) == ("cb8", "min3", 0.15)


@pytest.mark.parametrize("length", [1, 2])
def test_the_shortest_proteins_are_scored(method, unseen, length):
    short = replace(unseen, sequence=unseen.sequence[:length])
    assert method(short).shape == (length, length)


def test_labeled_proteins_without_any_answer_are_an_error(method, unresolved, unseen):
    with pytest.raises(InputError, match=r"0 of 0 pairs of range min3 .* needs both kinds"):
        replace(method, labeled=unresolved)(unseen)


def test_a_penalty_that_leaves_nothing_is_an_error(method, unseen):
    with pytest.raises(InputError, match=r"no attention map tells .* raise method\.labeled\.n"):
        replace(method, inverse_strength=1e-6)(unseen)


def test_a_fit_that_does_not_settle_is_an_error(method, unseen, monkeypatch):
    monkeypatch.setattr("harness.methods.fitted_contact_head._ITERATIONS", 1)
    with pytest.raises(InputError, match=r"failed to converge.* Lower method\.inverse_strength"):
        replace(method, inverse_strength=100.0)(unseen)


def test_too_few_labeled_proteins_are_a_prerequisite(method, unseen):
    few = LabeledProteins(method.labeled.dataset, 6, 0)
    with pytest.raises(PrerequisiteError, match=r"raise dataset\.labeled=N"):
        replace(method, labeled=few)(unseen)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"inverse_strength": 0.0}, "inverse_strength is 0.0; it must be positive"),
        ({"contact": "cb9"}, "contact='cb9'; allowed are cb8"),
        ({"range": "min4"}, "range 'min4'; allowed are .*min3"),
    ],
)
def test_bad_settings_are_refused(method, change, complaint):
    with pytest.raises(ValueError, match=complaint):
        replace(method, **change)
