"""Weighting and thinning out alignments."""

import numpy as np
import pytest

from harness.alignment import Alignment, read_alignment, sequence_weights, subsample
from tests.builders import DATA, manifest, needs_data


def naive_weights(states: np.ndarray, identity: float) -> list[float]:
    """The definition, row by row."""
    return [1 / sum(np.mean(a == b) >= identity for b in states) for a in states]


class TestSequenceWeights:
    @pytest.mark.parametrize("length", [1, 7, 8, 63, 64, 65, 130])
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


class TestSubsample:
    @pytest.fixture
    def alignment(self) -> Alignment:
        return Alignment(np.repeat(np.arange(20, dtype=np.int8)[:, None], 3, axis=1), "AAA")

    @pytest.mark.parametrize("depth", [1, 2, 10, 19])
    def test_query_first_and_file_order(self, alignment: Alignment, depth: int) -> None:
        rows = subsample(alignment, depth, seed=0).states[:, 0]
        assert len(rows) == depth
        assert rows[0] == 0
        assert (np.diff(rows) > 0).all()

    def test_seed_decides(self, alignment: Alignment) -> None:
        first, again, other = (subsample(alignment, 8, seed).states for seed in (1, 1, 2))
        assert (first == again).all()
        assert (first != other).any()

    @pytest.mark.parametrize("depth", [None, 20, 21])
    def test_nothing_to_leave_out(self, alignment: Alignment, depth: int | None) -> None:
        assert subsample(alignment, depth, seed=0) is alignment

    @pytest.mark.parametrize("depth", [0, -1])
    def test_less_than_the_query(self, alignment: Alignment, depth: int) -> None:
        with pytest.raises(ValueError, match="depth is"):
            subsample(alignment, depth, seed=0)


@needs_data
def test_real_effective_depths_are_those_of_the_manifest() -> None:
    small = [r for r in manifest() if r["neff_method"] == "exact" and int(r["n_seqs"]) < 2500]
    assert len(small) > 25
    for row in small:
        states = read_alignment(DATA / "proteins" / row["id"] / "msa.a3m.gz").states
        stated = float(row["neff80"])  # rounded to one decimal
        assert sequence_weights(states, 0.8).sum() == pytest.approx(stated, abs=0.051)
