"""Homologs with insertions and gaps, read by a method whose couplings are known."""

import json
import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

from harness.alphabet import AMINO_ACIDS, encode
from harness.errors import InputError, PrerequisiteError
from harness.evaluations.homologs import Homologs
from harness.protein import Protein
from harness.protocols import Evaluation, SummarizesRows
from harness.sample import Sample
from harness.statistics import Bootstrap
from tests.builders import DATA, needs_data

QUERY = "ACDEFGHIKLMN"
SETTINGS = {"edges": [0.2, 0.6, 1.0], "draws": 2, "seed": 0}
SETTINGS |= {"coverage": 0.75, "separation": 1, "sigmas": 1}
PUBLISHED = SETTINGS | {"edges": [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0], "draws": 3}


def partner(letters):
    """Each amino acid replaced by its neighbor in the alphabet, and back: A ↔ R, N ↔ D, …"""
    return "".join(AMINO_ACIDS[AMINO_ACIDS.index(letter) ^ 1] for letter in letters)


@dataclass
class ByKind:
    """Couplings that depend on nothing but the two residues, and not on which of two partners."""

    asked: list[Protein] = field(default_factory=list)

    def __call__(self, protein):
        raise AssertionError("only couplings are asked for")

    def couplings(self, protein):
        self.asked.append(protein)
        table = np.random.default_rng(0).standard_t(3, size=(11, 20, 11, 20))
        table += table.transpose(2, 3, 0, 1)
        kinds = encode(protein.sequence) // 2
        return table[kinds][:, :, kinds]


@pytest.fixture
def sample(write_alignment):
    """A function that makes the sample of a query with these rows below it."""

    def make(rows, query=QUERY, identifier="p"):
        path = write_alignment([query, *rows], f"{identifier}.a3m")
        length = len(query.replace("-", ""))
        protein = Protein(identifier, query.replace("-", ""), path)
        return Sample(protein, np.full((length, length), np.nan))

    return make


def rows_of(truth, method=None, **changes):
    return list(Homologs(**(SETTINGS | changes))(method or ByKind(), truth))


def test_it_is_an_evaluation_that_sums_up_its_rows():
    assert isinstance(Homologs(**SETTINGS), Evaluation)
    assert isinstance(Homologs(**SETTINGS), SummarizesRows)


@pytest.mark.parametrize(
    "row",
    [
        partner(QUERY[:6]) + QUERY[6:],
        "wywy" + partner(QUERY[:6]) + QUERY[6:],
        partner(QUERY[:3]) + "---" + QUERY[6:],
        partner(QUERY[:4]) + "wv-p" + QUERY[5:10] + "-g" + QUERY[11] + "gg",
    ],
    ids=["plain", "insertion", "gap", "both"],
)
def test_couplings_of_residues_are_found_again_whatever_stands_between(sample, row):
    method = ByKind()
    (found,) = rows_of(sample([row]), method, edges=[0, 1])
    assert found.value == 1
    letters = row.replace("-", "").upper()
    assert [protein.sequence for protein in method.asked] == [QUERY, letters]
    assert found.coordinates["row"] == 1
    assert found.coordinates["n_columns"] == sum(c.isupper() for c in row)


def test_couplings_of_other_residues_are_others(sample):
    found, _ = rows_of(sample(["WYVWYV" + QUERY[6:]]))
    assert found.value < 0.9


def test_columns_in_which_the_query_has_a_gap_or_an_unknown_residue_are_left_out(sample):
    (found,) = rows_of(
        sample(["W" + partner("AC") + "WDEFGHIKLMN"], query="-ACXDEFGHIKLMN"), edges=[0, 1]
    )
    assert (found.value, found.coordinates["n_columns"]) == (1, 12)


def test_each_bin_gets_its_homologs_and_an_empty_one_a_row_without_value(sample):
    half, most = partner(QUERY[:6]) + QUERY[6:], partner(QUERY[:2]) + QUERY[2:]
    found = rows_of(sample([half, QUERY, most, partner(QUERY)]), edges=[0, 0.3, 0.4, 0.6, 1])
    assert [row.range for row in found] == [
        *["identity_0_30", "identity_30_40", "identity_40_60", "identity_60_100"]
    ]
    assert [row.coordinates["row"] for row in found] == [4, 0, 1, 3]
    assert [row.coordinates["identity"] for row in found] == [0, 0, 0.5, 10 / 12]
    assert math.isnan(found[1].value)


def test_neither_short_nor_ambiguous_rows_are_drawn(sample):
    short, ambiguous = "----" + partner("F") + QUERY[5:], partner(QUERY[:6]) + QUERY[6:11] + "X"
    inserted = partner(QUERY[:6]) + "b" + QUERY[6:]
    found = rows_of(sample([short, ambiguous, inserted]))
    assert all(math.isnan(row.value) for row in found)


def different(n):
    """Rows of which no two are equal."""
    drawn = np.random.default_rng(1).integers(0, 20, size=(n, 6))
    return ["".join(AMINO_ACIDS[a] for a in row) + QUERY[6:] for row in drawn]


def test_draws_are_those_of_the_seed_and_of_the_protein_alone(sample):
    def drawn(identifier, **changes):
        found = rows_of(sample(different(40), identifier=identifier), **changes)
        return [row.coordinates["row"] for row in found]

    assert drawn("p") == drawn("p")
    assert len({tuple(drawn("p")), tuple(drawn("q")), tuple(drawn("p", seed=1))}) == 3
    assert len(set(drawn("p", draws=5))) >= 5


def test_a_protein_without_alignment_is_named():
    truth = Sample(Protein("p", QUERY), np.full((12, 12), np.nan))
    with pytest.raises(PrerequisiteError, match="protein p has no alignment to draw homologs"):
        rows_of(truth)


def test_a_method_without_couplings_is_named(sample):
    with pytest.raises(InputError, match="couplings"):
        rows_of(sample([QUERY]), method=lambda protein: np.zeros((12, 12)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"edges": [0.5]}, r"edges is \[0.5\]"),
        ({"edges": [0.5, 0.4]}, "rise from 0 to 1"),
        ({"edges": [0.5, 1.1]}, "rise from 0 to 1"),
        ({"draws": 0}, "draws is 0; allowed are 1 and more"),
        ({"seed": -1}, "seed is -1"),
        ({"separation": 0}, "separation is 0"),
        ({"sigmas": -1}, "sigmas is -1"),
        ({"coverage": 0}, "coverage is 0"),
    ],
)
def test_a_wrong_value_is_refused_before_anything_runs(changes, message):
    with pytest.raises(ValueError, match=message):
        Homologs(**(SETTINGS | changes))


def test_the_summary_is_a_mean_over_homologs_then_over_proteins():
    low, high = Homologs(**SETTINGS).bins
    rows = [("a", low, 0.2), ("a", low, 0.4), ("a", high, 0.9), ("b", low, 0.6)]
    rows += [("b", high, math.nan)]
    frame = pd.DataFrame(rows, columns=["protein", "range", "value"])
    frame = frame.assign(metric="spearman", row=1, identity=0.5, n_columns=9)
    found = Homologs(**SETTINGS).summarize(frame, Bootstrap(100, 0.95, 0))
    values = found.values.set_index(["protein", "range"])
    assert values.loc[("a", low)]["value"] == pytest.approx(0.3)
    assert values.loc[("a", low)]["weight"] == 2
    assert values.loc[("b", high)]["weight"] == 0
    means = {item["range"]: (item["mean"], item["n"], item["unscored"]) for item in found.estimates}
    assert list(means) == ["all", low, high]
    assert means["all"] == (pytest.approx(2.1 / 4), 2, 0)
    assert means[low] == (pytest.approx(1.2 / 3), 2, 0)
    assert means[high] == (0.9, 1, 1)
    assert len(found.targets) == 5
    assert found.curves.empty
    assert not found.values.duplicated(["protein", "metric", "range"]).any()


def test_eight_bins_as_published():
    assert list(Homologs(**PUBLISHED).bins) == [
        f"identity_{low}_{low + 10}" for low in range(20, 100, 10)
    ]


@needs_data
def test_bins_and_draws_are_as_many_as_published():
    """Zhang et al. printed 8 bins of 3 values for each of ten proteins, but not the bins' edges."""
    text = (DATA / "paper" / "reference_sameMSA_spearman.json").read_text("utf-8")
    published, evaluation = json.loads(text), Homologs(**PUBLISHED)
    assert len(published) == 10
    for values in published.values():
        assert len(values) == len(evaluation.bins)
        assert {len(drawn) for drawn in values.values()} == {evaluation.draws}
