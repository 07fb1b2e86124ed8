import math

import numpy as np
import pytest
import torch

from harness.alphabet import MASK, UNKNOWN
from harness.corpus import Bucket
from harness.models.training_batches import Batches, corrupt


def test_the_chosen_residues_are_masked_replaced_or_kept_in_the_published_shares():
    """Of 100,000 residues; to five standard errors. A replacement repeats the residue in 1/20."""
    batch = torch.randint(20, (400, 250), generator=torch.Generator().manual_seed(1))
    corrupted, chosen = corrupt(batch, 0.15, torch.Generator().manual_seed(0))
    within = corrupted[chosen]
    n = len(within)
    shares = {
        0.8: (within == MASK).sum() / n,
        0.1 * 19 / 20: ((within != MASK) & (within != batch[chosen])).sum() / n,
        0.1 + 0.1 / 20: (within == batch[chosen]).sum() / n,
    }
    assert abs(n / batch.numel() - 0.15) < 5 * math.sqrt(0.15 * 0.85 / batch.numel())
    for expected, share in shares.items():
        assert abs(float(share) - expected) < 5 * math.sqrt(expected * (1 - expected) / n)


def test_residues_that_were_not_chosen_stay_and_so_does_the_batch():
    batch = torch.randint(20, (20, 30), generator=torch.Generator().manual_seed(1))
    before = batch.clone()
    corrupted, chosen = corrupt(batch, 0.5, torch.Generator().manual_seed(0))
    assert torch.equal(corrupted[~chosen], batch[~chosen])
    assert torch.equal(batch, before)


def test_unknown_residues_are_never_chosen():
    batch = torch.full((20, 30), UNKNOWN)
    batch[:, ::3] = 4
    corrupted, chosen = corrupt(batch, 0.9, torch.Generator().manual_seed(0))
    assert not chosen[batch == UNKNOWN].any()
    assert chosen[batch == 4].any()
    assert (corrupted[batch == UNKNOWN] == UNKNOWN).all()


def batches(*buckets, size=4, seed=0):
    return Batches(buckets, size, torch.Generator().manual_seed(seed))


def numbered(n, length, first=0):
    """Sequences that can be told apart."""
    return np.repeat(np.arange(first, first + n, dtype=np.int8)[:, None], length, axis=1)


def test_every_sequence_comes_once_before_any_comes_again():
    drawn = batches(Bucket(numbered(10, 3)))
    for _ in range(2):
        first = [next(drawn) for _ in range(3)]
        assert [len(batch) for batch in first] == [4, 4, 2]
        assert sorted(torch.cat(first)[:, 0].tolist()) == [*range(10)]


def test_a_batch_is_of_one_length_and_about_as_many_residues():
    drawn = batches(Bucket(numbered(6, 12)), Bucket(numbered(12, 6, first=6)))
    found = [next(drawn) for _ in range(5)]
    shapes = sorted(tuple(batch.shape) for batch in found)  # the mean length is 8
    assert shapes == [(2, 6), (3, 12), (3, 12), (5, 6), (5, 6)]
    seen = sorted(int(row[0]) for batch in found for row in batch)
    assert seen == [*range(18)]


def test_sequences_with_weights_come_as_often_as_these_say():
    weights = np.array([1.0, 3.0, 0.0])
    drawn = batches(Bucket(numbered(3, 2), weights), size=3)
    counts = np.bincount(torch.cat([next(drawn) for _ in range(2000)])[:, 0], minlength=3)
    assert counts.sum() == 6000
    assert counts[2] == 0
    assert abs(counts[1] / 6000 - 0.75) < 5 * math.sqrt(0.75 * 0.25 / 6000)


@pytest.mark.parametrize("taken", [0, 1, 3, 4, 9])
def test_batches_go_on_from_where_they_were(taken):
    buckets = [Bucket(numbered(10, 3)), Bucket(numbered(9, 5), np.arange(1.0, 10))]
    first = batches(*buckets)
    for _ in range(taken):
        next(first)
        torch.rand(7, generator=first._generator)  # what the corruption of a batch draws
    state = first.state()
    again = batches(*buckets, seed=1)
    if taken:
        again.go_on(state)
        for _ in range(8):
            assert torch.equal(next(first), next(again))
    else:
        again.go_on(state)
        assert torch.equal(next(batches(*buckets)), next(batches(*buckets)))
