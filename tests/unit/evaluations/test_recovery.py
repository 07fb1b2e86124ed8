import json
import math
from dataclasses import dataclass, field

import numpy as np
import pytest

from harness.blocks import Block, Segment
from harness.errors import InputError
from harness.evaluations.recovery import Recovery
from harness.evaluations.recovery_summary import pair_class
from harness.evaluations.target_list import TargetList
from harness.evaluations.targets import Listed
from harness.masking import Flank, RandomPlaces, Unmasked
from harness.protein import Protein
from harness.protocols import Evaluation, SummarizesRows
from harness.recovery import Jump
from harness.sample import Sample

LENGTH = 24
BLOCK = Block(Segment(8, 12), Segment(8, 12))
PAIR = Block(Segment(6, 9), Segment(14, 17))
SAMPLE = Sample(Protein("p", "ACDEFGHIKLMNPQRSTVWYACDE"), np.full((LENGTH, LENGTH), 20.0))
OUTWARD = Flank("both", "outward", 0)


@dataclass(frozen=True)
class Fixed:
    """These blocks, whatever the map."""

    blocks: list
    listed: TargetList | None = None

    def __call__(self, scores, sample):
        return self.blocks


@dataclass
class Sensitive:
    """Scores of one where at least `context` residues are visible, else of a tenth."""

    context: int
    seen: list = field(default_factory=list)

    def __call__(self, protein):
        self.seen.append(protein.sequence)
        enough = len(protein) - protein.n_hidden >= self.context
        ramp = np.add.outer(np.arange(LENGTH), np.arange(LENGTH)) / LENGTH
        return ramp if enough else ramp / 10


def evaluation(blocks, masking=OUTWARD, **changes):
    settings = {"recovered": 0.5, "jump": Jump(0.5, 0.2, 10, 2), "one_sided": False, "at": [0, 2]}
    settings |= {"skip_beyond_end": False}
    return Recovery(Fixed(blocks), masking, **(settings | changes))


def values(rows, metric):
    return [row.value for row in rows if row.metric == metric]


def test_it_is_an_evaluation_that_sums_up_its_own_rows():
    assert isinstance(evaluation([]), Evaluation)
    assert isinstance(evaluation([]), SummarizesRows)


def test_a_curve_has_a_recovery_and_a_correlation_for_each_step():
    rows = list(evaluation([BLOCK])(Sensitive(10), SAMPLE))
    assert values(rows, "recovery") == pytest.approx([0.1] * 3 + [1.0] * 6)
    assert values(rows, "correlation") == pytest.approx([1.0] * 9)
    assert [row.coordinates["visible"] for row in rows[::2]] == list(range(4, 21, 2))
    assert [row.coordinates["flank"] for row in rows[::2]] == list(range(9))
    places = {"start": 8, "end": 12, "start_2": 8, "end_2": 12}
    assert all(places.items() <= row.coordinates.items() for row in rows)
    assert all(set(row.coordinates) == set(evaluation([]).coordinates) for row in rows)


def test_the_unmasked_map_is_made_once_and_every_step_once():
    method = Sensitive(10)
    list(evaluation([BLOCK, PAIR])(method, SAMPLE))
    assert method.seen.count(SAMPLE.protein.sequence) == 1
    assert len(method.seen) == 1 + 9 + 7
    assert method.seen[1] == "?" * 8 + SAMPLE.protein.sequence[8:12] + "?" * 12


def test_random_places_record_their_draw():
    rows = list(evaluation([BLOCK], RandomPlaces(OUTWARD, 0, 0))(Sensitive(10), SAMPLE))
    assert values(rows, "recovery") == pytest.approx([0.1] * 3 + [1.0] * 6)
    assert all(row.coordinates["draw"] > 0 for row in rows)


def test_after_a_jump_each_side_is_looked_at_by_itself():
    """The block and 6 residues are enough: three on each side, or, beside three, three more."""
    rows = list(evaluation([BLOCK], one_sided=True)(Sensitive(10), SAMPLE))
    for side in ("left", "right"):
        own = [row for row in rows if row.metric == f"recovery_{side}"]
        assert [row.coordinates["visible"] for row in own] == [7, 8, 9, 10]
        assert [row.value for row in own] == pytest.approx([0.1, 0.1, 0.1, 1.0])


@pytest.mark.parametrize(
    "masking", [Flank("left", "outward", 0), RandomPlaces(OUTWARD, 0, 0)], ids=["left", "random"]
)
def test_only_flanks_on_both_sides_have_sides_to_compare(masking):
    rows = list(evaluation([BLOCK], masking, one_sided=True)(Sensitive(6), SAMPLE))
    assert {row.metric for row in rows} == {"recovery", "correlation"}


def test_without_a_jump_no_side_is_looked_at():
    rows = list(evaluation([BLOCK], one_sided=True)(Sensitive(100), SAMPLE))
    assert {row.metric for row in rows} == {"recovery", "correlation"}


def test_a_protein_without_a_target_has_no_rows():
    assert list(evaluation([])(Sensitive(10), SAMPLE)) == []


def test_a_block_beyond_the_end_is_refused():
    with pytest.raises(InputError, match="block 20:30 lies beyond the end of p, which has 24 res"):
        list(evaluation([Block(Segment(20, 30), Segment(20, 30))])(Sensitive(10), SAMPLE))


def test_blocks_beyond_the_end_can_be_left_out():
    beyond = Block(Segment(20, 30), Segment(20, 30))
    rows = list(evaluation([beyond, BLOCK], skip_beyond_end=True)(Sensitive(10), SAMPLE))
    assert {row.coordinates["start"] for row in rows} == {8}


def test_an_original_of_zeros_is_not_a_number():
    rows = list(evaluation([BLOCK])(lambda protein: np.zeros((LENGTH, LENGTH)), SAMPLE))
    assert all(math.isnan(row.value) for row in rows)


@pytest.mark.usefixtures("unchecked")
def test_a_masking_of_whole_proteins_is_refused():
    with pytest.raises(ValueError, match="use masking=flank, flank_left"):
        evaluation([], Unmasked())


@pytest.mark.parametrize(
    ("letters", "name"),
    [
        ("HH", "alpha_alpha"),
        ("HE", "alpha_beta"),
        ("EH", "alpha_beta"),
        ("EE", "beta_beta"),
        ("HC", "other"),
        ("-E", "other"),
    ],
)
def test_the_class_of_a_pair_is_that_of_its_centers(letters, name):
    states = list("C" * LENGTH)
    states[PAIR.rows.center], states[PAIR.columns.center] = letters
    assert pair_class(PAIR, "".join(states)) == name
    assert pair_class(BLOCK, "".join(states)) == ""
    assert pair_class(PAIR, None) == ""


def test_the_class_is_the_range_of_a_row():
    states = Sample(SAMPLE.protein, SAMPLE.distances, "H" * LENGTH)
    assert {row.range for row in evaluation([PAIR])(Sensitive(9), states)} == {"alpha_alpha"}


@pytest.fixture
def of_list(tmp_path):
    """An evaluation of the blocks that a file lists for the proteins a and b."""
    path = tmp_path / "list.json"
    path.write_text(json.dumps({"a": [[1, 2, 3, 4]], "b": []}), encoding="utf-8")
    return Recovery(Listed(str(path)), OUTWARD, 0.5, Jump(0.5, 0.2, 10, 2), False, [0], False)


def test_listed_proteins_that_are_not_there_are_named(of_list):
    assert of_list.check(["b", "a"]) == []
    assert of_list.check(["b", "z"]) == ["a"]
    assert evaluation([]).check(["z"]) == []


def test_a_list_of_other_proteins_is_refused(of_list):
    with pytest.raises(InputError, match=r"lists 2 proteins \(the first: a\), none of which is in"):
        of_list.check(["z"])
