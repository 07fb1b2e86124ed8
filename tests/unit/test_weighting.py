"""What each row of an alignment counts."""

import numpy as np
import pytest

from harness.alignment import read_alignment
from harness.weighting import distinct_rows, sequence_weights
from tests.builders import DATA, manifest, needs_data


def naive_weights(states: np.ndarray, identity: float) -> list[float]:
    """The definition, row by row."""
    return [1 / sum(np.mean(a == b) >= identity for b in states) for a in states]


class TestSequenceWeights:
    @pytest.mark.parametrize("length", [1, 7, 8, 63, 64, 65, 130, 300])
    @pytest.mark.parametrize("identity", [0.2, 0.5, 0.8, 1.0])
    def test_equals_the_definition(self, length: int, identity: float) -> None:
        generator = np.random.default_rng(length)
        ancestor = generator.integers(0, 21, length)
        mutated = generator.random((40, length)) < generator.random((40, 1))
        other = generator.integers(0, 21, (40, length))
        states = np.where(mutated, other, ancestor).astype(np.int8)
        assert sequence_weights(states, identity).tolist() == naive_weights(states, identity)

    @pytest.mark.parametrize("length", [5, 10, 15, 35, 100])
    @pytest.mark.parametrize("identity", [0.2, 0.4, 0.6, 0.8])
    def test_exactly_the_threshold_counts(self, length: int, identity: float) -> None:
        changed = length - round(identity * length)
        states = np.zeros((3, length), dtype=np.int8)
        states[1, :changed] = 1
        states[2, : changed + 1] = 20
        assert sequence_weights(states, identity).tolist() == naive_weights(states, identity)
        assert sequence_weights(states[:2], identity).tolist() == [0.5, 0.5]

    def test_all_21_states_differ_from_one_another(self) -> None:
        states = np.arange(21, dtype=np.int8)[:, None]
        assert sequence_weights(states, 1.0).sum() == 21

    @pytest.mark.parametrize("identity", [0.0, -0.1, 1.1, 80.0])
    def test_identity_is_a_fraction(self, identity: float) -> None:
        with pytest.raises(ValueError, match="identity is"):
            sequence_weights(np.zeros((2, 3), dtype=np.int8), identity)

    @pytest.mark.parametrize("identity", [0.5, 0.8, 1.0])
    def test_equal_rows_count_as_if_compared_one_by_one(self, identity: float) -> None:
        generator = np.random.default_rng(1)
        kinds = generator.integers(0, 3, (5, 20)).astype(np.int8)
        states = kinds[generator.integers(0, 5, 40)]
        assert sequence_weights(states, identity).tolist() == naive_weights(states, identity)

    def test_a_hundred_thousand_equal_rows_are_one(self) -> None:
        """Compared pair by pair they would take minutes."""
        states = np.ones((100_000, 30), dtype=np.int8)
        assert np.array_equal(sequence_weights(states, 0.8), np.full(100_000, 1 / 100_000))


class TestDistinctRows:
    def test_kinds_come_in_the_order_of_their_first_rows(self) -> None:
        states = np.array([[5, 0], [3, 20], [5, 0], [0, 5], [3, 20], [5, 0]], dtype=np.int8)
        first, kinds, counts = distinct_rows(states)
        assert first.tolist() == [0, 1, 3]
        assert kinds.tolist() == [0, 1, 0, 2, 1, 0]
        assert counts.tolist() == [3, 2, 1]

    def test_columns_chosen_from_others_are_no_obstacle(self) -> None:
        states = np.arange(24, dtype=np.int8).reshape(4, 6)[:, [4, 1]]
        assert distinct_rows(states)[0].tolist() == [0, 1, 2, 3]


@needs_data
def test_real_effective_depths_are_those_of_the_manifest() -> None:
    small = [r for r in manifest() if r["neff_method"] == "exact" and int(r["n_seqs"]) < 2500]
    assert len(small) > 25
    for row in small:
        states = read_alignment(DATA / "proteins" / row["id"] / "msa.a3m.gz").states
        stated = float(row["neff80"])  # rounded to one decimal
        assert sequence_weights(states, 0.8).sum() == pytest.approx(stated, abs=0.051)
