from dataclasses import dataclass, field

import numpy as np
import pytest

from harness.methods.windows import Overlapping, whole
from harness.metrics import RANGES, precision_at, rank_pairs
from harness.models.potts import PottsModel
from harness.protein import Protein
from harness.protocols import ContactMethod
from tests.models import RandomModel, jacobian_method

MODEL = RandomModel()


@dataclass
class Placed:
    """Scores that say which residues of the whole a pair is made of, as far as letters tell."""

    seen: list[str] = field(default_factory=list)

    def __call__(self, protein):
        self.seen.append(protein.sequence)
        places = np.array(["ACDEFGHIKLMNPQRSTVWY".index(letter) for letter in protein.sequence])
        scores = np.add.outer(places, places) + 0.0
        np.fill_diagonal(scores, 0)
        return scores


PROTEIN = Protein("p", "ACDEFGHIKLMNPQRSTVWY")


def test_a_protein_that_fits_is_read_whole():
    inner = Placed()
    scores = Overlapping(inner, MODEL, 20, 5)(PROTEIN)
    assert inner.seen == [PROTEIN.sequence]
    np.testing.assert_array_equal(scores, Placed()(PROTEIN))


@pytest.mark.parametrize(
    ("size", "overlap", "starts"),
    [
        (12, 4, [0, 8]),
        (12, 6, [0, 4, 8]),
        (10, 0, [0, 10]),
        (19, 18, [0, 1]),
        (1, 0, list(range(20))),
    ],
)
def test_windows_are_spread_evenly_from_end_to_end(size, overlap, starts):
    method = Overlapping(Placed(), MODEL, size, overlap)
    assert method.starts(20) == starts
    assert method.starts(size) == [0]


@pytest.mark.parametrize("length", [1023, 1500, 1533, 2044, 5000])
def test_neighbors_share_at_least_the_overlap_and_every_residue_is_read(length):
    starts = Overlapping(Placed(), MODEL, 1022, None).starts(length)
    assert starts[0] == 0
    assert starts[-1] + 1022 == length
    assert max(np.diff(starts)) <= 1022 - 511


def test_windows_hold_their_residues_and_no_alignment(write_alignment):
    protein = Protein("p", PROTEIN.sequence, write_alignment([PROTEIN.sequence]), (10,))
    proteins = []
    method = Overlapping(lambda part: proteins.append(part) or Placed()(part), MODEL, 12, 4)
    method(protein)
    assert [part.sequence for part in proteins] == [protein.sequence[:12], protein.sequence[8:]]
    assert [part.breaks for part in proteins] == [(10,), (2,)]
    assert all(part.alignment is None for part in proteins)


def test_a_pair_in_several_windows_gets_the_mean_of_its_scores():
    by_window = iter([np.full((12, 12), 1.0), np.full((12, 12), 4.0)])
    scores = Overlapping(lambda _: next(by_window), MODEL, 12, 4)(PROTEIN)
    assert scores[0, 5] == 1
    assert scores[9, 10] == 2.5
    assert scores[19, 13] == 4


def test_a_pair_in_no_window_is_ranked_below_all_others():
    scores = Overlapping(lambda part: Placed()(part) - 100, MODEL, 12, 4)(PROTEIN)
    near = np.abs(np.subtract.outer(np.arange(20), np.arange(20))) < 12
    assert scores[0, 19] == scores[near].min()
    assert np.isfinite(scores).all()
    np.testing.assert_array_equal(scores, scores.T)


def test_couplings_within_the_overlap_are_found_as_without_windows():
    """A Potts chain of 60 positions, coupled where they touch; its Jacobian is exact."""
    length, reach = 60, 15
    generator = np.random.default_rng(0)
    contacts = [(i, i + int(d)) for i in range(45) for d in generator.integers(6, reach, 2)]
    couplings = np.zeros((length, 20, length, 20))
    for i, j in contacts:
        block = generator.normal(size=(20, 20))
        couplings[i, :, j], couplings[j, :, i] = block, block.T
    fields = generator.normal(size=(length, 20))
    protein = Protein("p", "".join(generator.choice(list(PROTEIN.sequence), length)))
    distances = np.full((length, length), 20.0)
    for i, j in contacts:
        distances[i, j] = distances[j, i] = 5.0

    def of(part):
        start = protein.sequence.index(part.sequence)
        rows = slice(start, start + len(part))
        model = PottsModel(fields[rows], couplings[rows][:, :, rows])
        return jacobian_method(model, center="amino_acids")(part)

    entire = rank_pairs(of(protein), distances, RANGES["min6"], 8.0)
    windowed = Overlapping(of, MODEL, 40, 20)(protein)
    stitched = rank_pairs(windowed, distances, RANGES["min6"], 8.0)
    assert entire.top(1) == 60
    assert precision_at(entire, 1) == precision_at(stitched, 1) == 1


@pytest.mark.parametrize(("size", "overlap"), [(0, 0), (0, None), (10, 10), (10, -1), (-3, 0)])
def test_sizes_that_make_no_window_are_refused(size, overlap):
    with pytest.raises(ValueError, match=f"size is {size} and overlap {overlap}; allowed are"):
        Overlapping(Placed(), MODEL, size, overlap)


def test_a_method_without_a_model_is_refused():
    with pytest.raises(ValueError, match="this one reads none: leave windows=none"):
        Overlapping(Placed(), None, 10, 5)


def test_whole_is_the_method_itself():
    method = Placed()
    assert whole(method, MODEL) is method
    assert isinstance(Overlapping(method, MODEL, 10, 5), ContactMethod)


def test_passes_are_unknown_where_the_method_does_not_say():
    method = Overlapping(Placed(), MODEL, 4, 2)
    assert method.passes(10) is None
