"""Inverse covariance on real alignments and structures against numbers computed elsewhere.

The collection's manifest gives P@L of |i − j| ≥ 6 from another implementation, which weights
sequences at 80 % identity and reads at most 5,000 of them (which ones is not known). So single
proteins may differ by a few pairs; the mean over proteins may not.
"""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from baselines.inverse_covariance import InverseCovariance
from harness.evaluations.precision import Precision
from harness.masking import Unmasked
from tests.builders import folder_dataset

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"

pytestmark = [
    pytest.mark.skipif(not DATA.exists(), reason="needs the collection of real proteins"),
    pytest.mark.xdist_group("real_proteins"),
]


@cache
def _manifest() -> pd.DataFrame:
    """The short proteins of the collection, which take seconds together."""
    table = pd.read_csv(DATA / "manifest.csv", keep_default_na=False).set_index("id")
    return table[(table["length"] <= 90) & (table["n_seqs"] <= 5000)]


@cache
def _precision(weight_identity: float | None) -> pd.Series:
    dataset = folder_dataset(DATA / "proteins", ids=list(_manifest().index))
    method = InverseCovariance(
        weight_identity=weight_identity,
        column_gaps=None,
        row_gaps=None,
        depth=None,
        seed=0,
        ridge=4.5,
        pseudocount=0,
    )
    evaluation = Precision("cb8", ["min6"], Unmasked())
    values = {
        identifier: next(iter(evaluation(method, dataset[identifier]))).value
        for identifier in dataset.protein_ids
    }
    return pd.Series(values).reindex(_manifest().index)


@pytest.mark.parametrize("weight_identity", [None, 0.8])
def test_mean_precision_agrees_with_the_manifest_within_two_percent(weight_identity):
    expected = _manifest()["sanity_PatL"].astype(float)
    difference = _precision(weight_identity) - expected
    assert len(difference) >= 15
    assert abs(difference.mean()) < 0.02


def test_weighted_precision_agrees_protein_by_protein():
    expected = _manifest()["sanity_PatL"].astype(float)
    assert np.abs(_precision(0.8) - expected).max() < 0.04


def test_every_protein_is_better_than_guessing():
    base = _manifest()["sanity_base"].astype(float)
    assert (_precision(None) > base).all()
