"""Alignments as they come, and settings out of range: every yaml whose class is a FamilyModel."""

import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import get_object
from omegaconf import OmegaConf

from baselines.family import FamilyModel
from harness.alphabet import AMINO_ACIDS
from harness.configuration import CONFIG_FOLDER, build
from harness.errors import InputError, PrerequisiteError
from harness.protein import Protein
from tests.builders import write

METHODS = sorted(path.stem for path in Path(CONFIG_FOLDER, "method").glob("*.yaml"))
QUERY = "MKTAYIAKGRQISF"


@cache
def configuration(method):
    with initialize_config_dir(version_base="1.3", config_dir=CONFIG_FOLDER):
        return compose("config", [f"method={method}"]).method


def configured(method, **changes):
    """The method as its yaml and these changes state it."""
    return build(OmegaConf.merge(configuration(method), changes))


def is_family_model(method):
    target = get_object(configuration(method)._target_)
    return isinstance(target, type) and issubclass(target, FamilyModel)


FAMILY_MODELS = [method for method in METHODS if is_family_model(method)]


@pytest.fixture(params=FAMILY_MODELS)
def method(request):
    """Each family model, as its yaml states it."""
    return configured(request.param)


@pytest.fixture
def related():
    """A query and forty rows that share about half of its residues, as letters."""
    generator = np.random.default_rng(0)
    query = np.array([AMINO_ACIDS.index(letter) for letter in QUERY])
    rows = generator.integers(0, 21, size=(41, len(QUERY)))
    rows = np.where(generator.random(rows.shape) < 0.5, query, rows)
    rows[0] = query
    return ["".join((AMINO_ACIDS + "-")[state] for state in row) for row in rows]


def with_column(rows, place, letters):
    """The rows with other letters in one column."""
    return [row[:place] + c + row[place + 1 :] for row, c in zip(rows, letters, strict=True)]


def assert_usable(scores, length):
    assert scores.shape == (length, length)
    assert np.isfinite(scores).all()
    np.testing.assert_allclose(scores, scores.T, rtol=0, atol=1e-6 * max(1, np.abs(scores).max()))
    assert not np.diagonal(scores).any()


def test_there_are_family_models():
    assert {"inverse_covariance", "mean_field_dca", "mutual_information"} <= set(FAMILY_MODELS)


def test_one_sequence_ranks_no_pair_above_another(method, write_alignment):
    """Without a second sequence nothing varies, and all pairs look alike, to single precision."""
    scores = method(Protein("p", QUERY, write_alignment([QUERY])))
    assert_usable(scores, len(QUERY))
    apart = scores[np.triu_indices(len(QUERY), 1)]
    assert np.ptp(apart) <= 1e-4 * np.abs(apart).max()
    assert method.facts["neff"] == 1


@pytest.mark.parametrize("letter", ["F", "X"])
def test_a_column_of_gaps_is_answered_and_not_the_best(method, related, write_alignment, letter):
    """Gaps but for the query, and gaps wholly where the residue of the query is not known."""
    rows = with_column(related, 5, [letter] + ["-"] * 40)
    scores = method(Protein("p", rows[0], write_alignment(rows)))
    assert_usable(scores, len(QUERY))
    assert scores[5].max() < scores.max()


def test_an_unknown_residue_of_the_query_reads_as_a_gap(method, related, write_alignment):
    rows = with_column(related, 3, ["X", *(row[3] for row in related[1:])])
    scores = method(Protein("p", rows[0], write_alignment(rows)))
    assert_usable(scores, len(QUERY))
    assert scores[3].any()


def test_non_standard_letters_are_gaps(method, related, write_alignment):
    letters = ["A", *"BZJUOX" * 6, *"BZJU"]
    strange = with_column(related, 3, letters)
    plain = with_column(related, 3, ["A"] + ["-"] * 40)
    first, second = (
        method(Protein("p", rows[0], write_alignment(rows, name)))
        for rows, name in ((strange, "strange.a3m"), (plain, "plain.a3m"))
    )
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("letter", ["*", "1", "?"])
def test_what_is_no_letter_is_refused_with_its_place(method, write_alignment, letter):
    path = write_alignment([QUERY, QUERY[:4] + letter + QUERY[5:]])
    with pytest.raises(InputError, match=re.escape(f"record 2 (row1): '{letter}' in column 5")):
        method(Protein("p", QUERY, path))


def test_a_hundred_thousand_equal_rows_are_one(method, tmp_path):
    """Reading them is most of the time; comparing them in pairs would take minutes."""
    length = 30
    query = (AMINO_ACIDS * 2)[:length]
    path = write(tmp_path / "msa.a3m", f">q\n{query}\n" * 100_000)
    scores = method(Protein("p", query, path))
    assert_usable(scores, length)
    assert method.facts["n_rows"] == 100_000


def test_records_in_lower_case_are_insertions_and_refused(method, tmp_path):
    path = write(tmp_path / "msa.a3m", f">q\n{QUERY.lower()}\n>r\n{QUERY.lower()}\n")
    with pytest.raises(InputError, match=r"query.*lower-case letters.*upper case"):
        method(Protein("p", QUERY, path))
    path = write(tmp_path / "msa.a3m", f">q\n{QUERY}\n>r\n{QUERY.lower()}\n")
    with pytest.raises(InputError, match=r"record 2 \(r\): 0 columns \(insertions aside\)"):
        method(Protein("p", QUERY, path))


def test_a_stockholm_file_with_two_alignments_is_refused(method, tmp_path):
    one = f"# STOCKHOLM 1.0\nq {QUERY}\nr {QUERY}\n//\n"
    path = write(tmp_path / "msa.sto", one * 2)
    with pytest.raises(InputError, match="keep one alignment a file"):
        method(Protein("p", QUERY, path))


@pytest.mark.parametrize("name", FAMILY_MODELS)
def test_when_no_column_has_few_enough_gaps_it_says_what_to_change(name, write_alignment):
    path = write_alignment([QUERY, *["-" * len(QUERY)] * 9])
    with pytest.raises(InputError, match=r"every column has gaps in 50%.*method\.column_gaps"):
        configured(name, column_gaps=0.5)(Protein("p", QUERY, path))


@pytest.mark.parametrize("name", FAMILY_MODELS)
def test_gap_filters_take_columns_and_rows_but_never_the_query(name, related, write_alignment):
    rows = with_column(related, 5, ["F"] + ["-"] * 40)
    rows[7] = "-" * len(QUERY)
    method = configured(name, column_gaps=0.5, row_gaps=0.9)
    scores = method(Protein("p", QUERY[:5] + "F" + QUERY[6:], write_alignment(rows)))
    assert (method.facts["n_rows"], method.facts["n_columns"]) == (40, len(QUERY) - 1)
    assert not scores[5].any()
    assert np.abs(np.delete(np.delete(scores, 5, 0), 5, 1)).max() > 0


def test_without_an_alignment_it_says_what_to_do(method):
    with pytest.raises(PrerequisiteError, match=r"protein p has no alignment.*put an msa\.a3m"):
        method(Protein("p", QUERY))


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        *(("weight_identity", x, "allowed are fractions above 0, up to 1") for x in (0, -1, 80)),
        *(("column_gaps", x, "allowed are fractions above 0") for x in (0, 1.5, float("nan"))),
        *(("row_gaps", x, "allowed are fractions above 0, up to 1, or null") for x in (0, -0.5)),
        ("depth", 0, "allowed are 1 and more, or null"),
        ("depth", 2.5, "it must be int"),
        ("seed", -1, "it must not be negative"),
        ("seed", "x", "it must be int"),
    ],
)
@pytest.mark.parametrize("name", FAMILY_MODELS)
def test_a_setting_out_of_range_is_refused(name, field, value, complaint):
    with pytest.raises(InputError, match=f"{field} is {value}; {complaint}"):
        configured(name, **{field: value})
