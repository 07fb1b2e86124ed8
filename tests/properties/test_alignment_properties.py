"""What holds for any alignment."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from harness.alignment import read_alignment
from harness.alphabet import AMINO_ACIDS, GAP
from harness.weighting import sequence_weights

INSERTED = st.text("abcdefghijklmnopqrstuvwxyz.", max_size=3)


@st.composite
def alignments(draw: st.DrawFn) -> np.ndarray:
    """States of an alignment whose query has no gap."""
    shape = (draw(st.integers(1, 12)), draw(st.integers(1, 70)))
    states = draw(npst.arrays(np.int8, shape, elements=st.integers(0, GAP)))
    states[0] %= GAP
    return states


@pytest.fixture(scope="session")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("alignment") / "msa.a3m"


def as_letters(row: np.ndarray) -> str:
    return "".join((AMINO_ACIDS + "-")[state] for state in row)


def write(path: Path, rows: list[str]) -> None:
    text = "".join(f">row{number}\n{row}\n" for number, row in enumerate(rows))
    path.write_text(text, encoding="ascii")


@given(states=alignments())
def test_what_is_written_is_read(path: Path, states: np.ndarray) -> None:
    write(path, [as_letters(row) for row in states])
    alignment = read_alignment(path)
    assert np.array_equal(alignment.states, states)
    assert alignment.query == as_letters(states[0])


@given(states=alignments(), data=st.data())
def test_insertions_change_nothing(path: Path, states: np.ndarray, data: st.DataObject) -> None:
    rows = [as_letters(row) for row in states]
    inserted = ["".join(c + data.draw(INSERTED) for c in row) for row in rows[1:]]
    write(path, [rows[0], *inserted])
    assert np.array_equal(read_alignment(path).states, states)


@given(states=alignments(), data=st.data())
def test_a_query_gap_takes_its_column_along(
    path: Path, states: np.ndarray, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, states.shape[1]))
    wider = np.insert(states, place, 7, axis=1)
    wider[0, place] = GAP
    write(path, [as_letters(row) for row in wider])
    assert np.array_equal(read_alignment(path).states, states)


@given(states=alignments(), identity=st.sampled_from([0.3, 0.5, 0.62, 0.8, 1.0]), data=st.data())
def test_weights_are_shares_and_follow_their_rows(
    states: np.ndarray, identity: float, data: st.DataObject
) -> None:
    weights = sequence_weights(states, identity)
    assert (weights > 0).all()
    assert (weights <= 1).all()
    order = np.array(data.draw(st.permutations(range(len(states)))))
    assert np.array_equal(sequence_weights(states[order], identity), weights[order])


@given(states=alignments(), identity=st.sampled_from([0.3, 0.8, 1.0]), times=st.integers(1, 4))
def test_repeated_rows_share_the_weight_of_one(
    states: np.ndarray, identity: float, times: int
) -> None:
    once, repeated = (sequence_weights(s, identity) for s in (states, np.tile(states, (times, 1))))
    np.testing.assert_allclose(np.tile(once / times, times), repeated, rtol=1e-15)


@given(states=alignments(), identity=st.sampled_from([0.3, 0.5, 0.62, 0.8, 1.0]))
def test_weights_equal_the_definition(states: np.ndarray, identity: float) -> None:
    shared = (states[:, None] == states[None]).mean(axis=2)
    assert np.array_equal(sequence_weights(states, identity), 1 / (shared >= identity).sum(axis=1))
