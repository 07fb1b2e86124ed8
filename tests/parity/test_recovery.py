"""Contact recovery against the published procedure, on the published targets.

The masked sequences are those that the published scripts make, character by character (where they
draw, as many residues from the same places). On random weights of the 8M shape, fair-esm's maps of
them give the same recovery: both compute in single precision, and 1e-4 is asked for.
"""

import json
from functools import cache

import numpy as np
import pytest
import torch

from benchmarks.checkpoints import random_checkpoint
from benchmarks.published_recovery import (
    PublishedRecovery,
    flank_sequences,
    random_sequences,
    written,
)
from benchmarks.recovery import with_head
from harness.evaluations.recovery import Recovery
from harness.evaluations.targets import Nearby, Single, SsePair
from harness.masking import Flank, RandomPlaces
from harness.methods.contact_head import ContactHead
from harness.protein import Protein
from harness.recovery import Jump
from harness.sample import Sample
from tests.builders import DATA, needs_data
from tests.models import esm2

pytestmark = needs_data

TOLERANCE = 1e-4
OUTWARD = Flank("both", "outward", 0)
MASKINGS = {"flank": OUTWARD, "random": RandomPlaces(OUTWARD, 0, 0)}
MASKINGS |= {"random_far": RandomPlaces(OUTWARD, 30, 0)}
CHOICE = {"threshold": 0.0, "most": 3, "seed": 0}
KINDS = {
    "reproduce_single_recovery_w_bos_eos": (Single, {"size": 22, "margin": 10}),
    "reproduce_pair_recovery_50_100_w_bos_eos": (SsePair, {"farthest": 100}),
    "reproduce_pair_recovery_100_w_bos_eos": (SsePair, {"farthest": None}),
    "revision_close_distance_seg_reproduce": (Nearby, {"size": 11, "apart": 16}),
}
PAIRS = {"size": 11, "helix": 7, "strand": 3, "nearest": 50, "margin": 10}


@cache
def read(name):
    return json.loads((DATA / "paper" / f"{name}.json").read_text(encoding="utf-8"))


def targets(name):
    """The published targets of a kind."""
    kind, shape = KINDS[name]
    shape = PAIRS | shape if kind is SsePair else shape
    return kind(**shape, **CHOICE, path=str(DATA / "paper" / f"{name}.json"))


def sample(identifier):
    sequence = read("full_seq_dict")[identifier]
    return Sample(Protein(identifier, sequence), np.full((len(sequence),) * 2, np.nan))


def listed(name, identifier):
    return targets(name)(np.empty((0, 0)), sample(identifier))


def blocks(name, identifier):
    """The listed targets that lie within their protein."""
    length = len(sample(identifier).protein)
    return [block for block in listed(name, identifier) if block.columns.end <= length]


def spans(block):
    return [(part.start, part.end) for part in block.segments]


def shown(protein, masking, block):
    """Masked sequences as the published scripts write them."""
    return [written(protein.sequence, set(step.visible)) for step in masking.steps(protein, block)]


@pytest.mark.parametrize(
    ("name", "proteins", "n"),
    list(zip(KINDS, (1431, 821, 266, 1429), (4293, 1273, 304, 4277), strict=True)),
)
def test_the_lists_hold_as_many_targets_as_published(name, proteins, n):
    entries = targets(name).listed.entries
    assert len(entries) == proteins
    assert sum(len(listed(name, identifier)) for identifier in entries) == n


def test_of_the_nearby_ones_as_many_have_room_for_a_step_as_were_used():
    """111 reach beyond the end of their protein, 144 more leave no room; 4,022 were used."""
    name = "revision_close_distance_seg_reproduce"
    beyond = within = usable = 0
    for identifier in targets(name).listed.entries:
        protein, everything = sample(identifier).protein, listed(name, identifier)
        own = blocks(name, identifier)
        beyond, within = beyond + len(everything) - len(own), within + len(own)
        room = [min(block.rows.start, len(protein) - block.columns.end - 1) for block in own]
        usable += sum(steps > 0 for steps in room)
    assert (beyond, within, usable) == (111, 4277 - 111, 4022)


@pytest.mark.parametrize("name", KINDS)
def test_flanks_are_those_of_the_published_scripts(name):
    """Ours go on to the very end, where theirs stop one or two steps before."""
    checked = 0
    for identifier in list(read(name))[::12]:
        protein = sample(identifier).protein
        for block in blocks(name, identifier):
            expected = list(flank_sequences(protein.sequence, spans(block)))
            found = shown(protein, OUTWARD, block)
            assert found[: len(expected)] == expected
            assert 0 <= len(found) - len(expected) <= 2
            checked += 1
    assert checked > 20


@pytest.mark.parametrize(("masking", "far"), [("random", 0), ("random_far", 30)])
@pytest.mark.parametrize("name", KINDS)
def test_random_places_are_as_many_and_as_far_as_in_the_published_scripts(name, masking, far):
    for identifier in list(read(name))[::100]:
        protein = sample(identifier).protein
        for block in blocks(name, identifier):
            expected = list(random_sequences(protein.sequence, spans(block), far, seed=1))
            steps = list(MASKINGS[masking].steps(protein, block))
            assert 0 <= len(steps) - len(expected) <= 2
            near = {i for a, b in spans(block) for i in range(a - far, b + far)}
            own = set(block.residues)
            for step, theirs in zip(steps, expected, strict=False):
                masks = theirs.count("<mask>")
                assert len(protein) - len(step.visible) == masks
                assert own <= set(step.visible)
                assert near & set(step.visible) == own


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Random weights of the 8M shape, with a random contact head."""
    folder = tmp_path_factory.mktemp("random")
    return with_head(random_checkpoint("8M", folder, torch.device("cpu")))


def shortest(name):
    """The listed protein whose first target has the fewest steps, but more than ten."""
    lengths = {i: len(read("full_seq_dict")[i]) for i in read(name)}
    few = [i for i in sorted(lengths, key=lambda i: lengths[i])[:60] if blocks(name, i)]
    steps = {i: len(list(OUTWARD.steps(sample(i).protein, blocks(name, i)[0]))) for i in few}
    return min((i for i in few if steps[i] > 10), key=lambda i: steps[i])


@pytest.mark.parametrize("ends", ["kept", "masked"])
@pytest.mark.parametrize("masking", MASKINGS)
@pytest.mark.parametrize("name", KINDS)
def test_recovery_is_that_of_the_published_procedure(checkpoint, name, masking, ends):
    identifier = shortest(name)
    truth = sample(identifier)
    ours = ContactHead(esm2(checkpoint, ends=ends), diagonal=True)
    rule = Recovery(targets(name), MASKINGS[masking], 0.5, Jump(0.5, 0.2, 10, 2), False, [0], True)
    theirs = PublishedRecovery(checkpoint, ends_masked=ends == "masked")
    original = theirs.contacts(truth.protein.sequence)
    block, *_ = blocks(name, identifier)
    place = {"start": block.rows.start, "start_2": block.columns.start}
    found = [
        row.value
        for row in rule(ours, truth)
        if row.metric == "recovery" and place.items() <= row.coordinates.items()
    ][:6]
    expected = theirs.curve(
        original, shown(truth.protein, MASKINGS[masking], block)[:6], spans(block)
    )
    assert len(found) == len(expected) > 2
    assert max(expected) - min(expected) > 10 * TOLERANCE
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE)
