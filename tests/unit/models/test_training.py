import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from harness.alphabet import MASK
from harness.models.checkpoint import load_checkpoint
from harness.models.network import Architecture, Network
from harness.models.training import (
    Recipe,
    Trainer,
    corrupt,
    masked_loss,
    single_site_cross_entropy,
    train,
)

RECIPE = Recipe(
    steps=40,
    batch_size=32,
    masked_fraction=0.3,
    muon_rate=0.02,
    adamw_rate=0.01,
    warmup_steps=5,
    embedding_sd=0.1,
    seed=0,
)
TINY = Architecture(1, 16, 1, True)


def conserved_sequences(n=256, length=8):
    """Every position has one of two residues."""
    generator = np.random.default_rng(0)
    pairs = generator.integers(0, 20, size=(2, length))
    return np.where(generator.random((n, length)) < 0.5, *pairs)


def silent(*_):
    pass


def test_the_rate_warms_up_stays_and_falls_to_one_percent():
    rates = [RECIPE.rate(step) for step in range(RECIPE.steps + 1)]
    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1])
    assert rates[5:21] == [1] * 16
    assert rates[30] == pytest.approx((1 + 0.01) / 2)
    assert rates[40] == pytest.approx(0.01)
    assert np.diff(rates[20:]) == pytest.approx(-0.99 / 20)


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


def test_an_untrained_network_knows_nothing():
    """Its logits are so small that the loss is ln 20 of a uniform guess, to one percent."""
    torch.manual_seed(0)
    network = Network(TINY)
    torch.nn.init.normal_(network.embed_tokens.weight, std=1e-3)
    batch = torch.from_numpy(conserved_sequences())
    loss = masked_loss(network, batch, 0.3, torch.Generator().manual_seed(0))
    assert loss.item() == pytest.approx(math.log(20), rel=0.01)


def test_training_lowers_the_loss_below_that_of_guessing():
    losses = []
    sequences = torch.from_numpy(conserved_sequences())
    train(TINY, sequences, RECIPE, lambda step, loss, network: losses.append(loss))
    assert len(losses) == RECIPE.steps
    assert losses[0] > math.log(20) - 0.2
    assert np.mean(losses[-5:]) < math.log(20) - 0.5


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    recipe = replace(RECIPE, steps=3)
    sequences = torch.from_numpy(conserved_sequences())
    first, again, other = (
        train(TINY, sequences, replace(recipe, seed=seed), silent).state_dict()
        for seed in (0, 0, 1)
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["lm_head.dense.weight"], other["lm_head.dense.weight"])


def test_every_weight_is_trained():
    sequences = torch.from_numpy(conserved_sequences())
    few, more = (
        train(TINY, sequences, replace(RECIPE, steps=n, warmup_steps=1), silent) for n in (1, 2)
    )
    still = [name for name, w in few.named_parameters() if torch.equal(w, more.get_parameter(name))]
    # the softmax does not see a constant added to all keys
    assert [name for name in still if not name.endswith("k_proj.bias")] == []


def test_the_single_site_loss_hides_each_residue_in_turn():
    torch.manual_seed(0)
    network = Network(TINY).eval()
    sequences = torch.from_numpy(conserved_sequences(n=4, length=3))
    losses = []
    for sequence in sequences:
        for i in range(3):
            hidden = sequence.clone()
            hidden[i] = MASK
            logits = network.residue_logits(hidden[None])[0, i]
            losses.append(-float(logits.detach().log_softmax(0)[sequence[i]]))
    assert single_site_cross_entropy(network, sequences) == pytest.approx(np.mean(losses), rel=1e-5)


def test_the_trainer_writes_a_checkpoint_and_keeps_the_curve(tmp_path):
    told = []
    trainer = Trainer(TINY, replace(RECIPE, steps=5), threads=1, report_every=2)
    sequences = conserved_sequences(64)
    curve = trainer(sequences, sequences[:8], tmp_path / "net.pt", lambda *n: told.append(n))
    assert [point["step"] for point in curve] == [2, 4, 5]
    assert set(curve[0]) == {"step", "training_loss", "held_out"}
    assert told == [(n, 5) for n in range(1, 6)]
    held_out = torch.from_numpy(sequences[:8])
    loss = single_site_cross_entropy(load_checkpoint(tmp_path / "net.pt").network, held_out)
    assert loss == pytest.approx(curve[-1]["held_out"], rel=1e-2)  # half precision
