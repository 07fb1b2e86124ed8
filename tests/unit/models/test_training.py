import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from harness.alphabet import MASK, UNKNOWN
from harness.corpus import Bucket, Corpus
from harness.models.checkpoint import load_checkpoint
from harness.models.network import Architecture, Network
from harness.models.recipe import Recipe, initialized, training_flops
from harness.models.training import Engine, Trainer, held_out_cross_entropy, masked_loss

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


ENGINE = Engine(device="cpu", threads=1, precision="float32", compile=False)


def conserved_sequences(n=256, length=8):
    """Every position has one of two residues."""
    generator = np.random.default_rng(0)
    pairs = generator.integers(0, 20, size=(2, length))
    return np.where(generator.random((n, length)) < 0.5, *pairs).astype(np.int8)


def silent(*_):
    pass


class StoppedError(Exception):
    pass


def corpus(*lengths, n=256):
    training = [Bucket(conserved_sequences(n, length)) for length in lengths or (8,)]
    return Corpus("test-1", training, [Bucket(conserved_sequences(6))])


def trained(folder, recipe=RECIPE, sequences=None, watch=silent, **changed):
    """What the trainer tells, and the weights that it has written."""
    folder.mkdir(exist_ok=True)
    trainer = replace(Trainer(TINY, recipe, ENGINE, report_every=2, save_every=1000), **changed)
    found = trainer(sequences or corpus(), folder / "net.pt", watch)
    return found, load_checkpoint(folder / "net.pt").network.state_dict()


def equal(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


def test_the_rate_warms_up_stays_and_falls_to_one_percent():
    rates = [RECIPE.rate(step) for step in range(RECIPE.steps + 1)]
    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1])
    assert rates[5:21] == [1] * 16
    assert rates[30] == pytest.approx((1 + 0.01) / 2)
    assert rates[40] == pytest.approx(0.01)
    assert np.diff(rates[20:]) == pytest.approx(-0.99 / 20)


def test_an_untrained_network_knows_nothing():
    """Its logits are so small that the loss is ln 20 of a uniform guess, to one percent."""
    network = initialized(TINY, replace(RECIPE, embedding_sd=1e-3))
    batch = torch.from_numpy(conserved_sequences()).long()
    chosen = torch.rand(batch.shape, generator=torch.Generator().manual_seed(0)) < 0.3
    loss = masked_loss(network, batch, batch.masked_fill(chosen, MASK), chosen) / chosen.sum()
    assert loss.item() == pytest.approx(math.log(20), rel=0.01)


def test_the_loss_is_that_of_the_chosen_residues_only():
    network = initialized(TINY, RECIPE)
    batch = torch.from_numpy(conserved_sequences(3, 5)).long()
    chosen = torch.zeros(3, 5, dtype=torch.bool)
    chosen[0, 1] = chosen[2, 4] = True
    logits = network.residue_logits(batch).log_softmax(-1)
    expected = -logits[0, 1, batch[0, 1]] - logits[2, 4, batch[2, 4]]
    assert masked_loss(network, batch, batch, chosen).item() == pytest.approx(expected.item())


def test_training_lowers_the_loss_below_that_of_guessing(tmp_path):
    found, _ = trained(tmp_path)
    assert [point["step"] for point in found["curve"]] == [*range(2, 41, 2)]
    assert found["curve"][0]["training_loss"] > math.log(20) - 0.2
    assert found["curve"][-1]["training_loss"] < math.log(20) - 0.5
    assert found["curve"][-1]["held_out"] < math.log(20) - 0.5


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(tmp_path):
    recipes = [replace(RECIPE, steps=3, seed=seed) for seed in (0, 0, 1)]
    first, again, other = (trained(tmp_path / str(n), r)[1] for n, r in enumerate(recipes))
    assert equal(first, again)
    assert not torch.equal(first["lm_head.dense.weight"], other["lm_head.dense.weight"])


def test_every_weight_is_trained(tmp_path):
    """In half precision, as they are stored, after enough steps to show."""
    _, found = trained(tmp_path, replace(RECIPE, warmup_steps=1))
    before = initialized(TINY, RECIPE).state_dict()
    still = [name for name in before if torch.equal(before[name].half(), found[name].half())]
    # the softmax does not see a constant added to all keys
    left = [n for n in still if not n.endswith(("k_proj.bias", "inv_freq"))]
    assert left == []


def test_the_held_out_loss_hides_each_known_residue_in_turn():
    network = initialized(TINY, RECIPE)
    sequences = conserved_sequences(n=4, length=3)
    sequences[1, 2] = UNKNOWN
    losses = []
    for sequence in torch.from_numpy(sequences).long():
        for i in range(3):
            if sequence[i] != UNKNOWN:
                hidden = sequence.clone()
                hidden[i] = MASK
                logits = network.residue_logits(hidden[None])[0, i]
                losses.append(-float(logits.detach().log_softmax(0)[sequence[i]]))
    assert len(losses) == 11
    found = held_out_cross_entropy(network, [Bucket(sequences[:1]), Bucket(sequences[1:])])
    assert found == pytest.approx(np.mean(losses), rel=1e-5)


def test_the_trainer_writes_a_checkpoint_and_keeps_the_curve(tmp_path):
    told = []
    watch = lambda step, steps, curve: told.append((step, steps, len(curve)))  # noqa: E731
    found, _ = trained(tmp_path, replace(RECIPE, steps=5), watch=watch)
    curve, cost = found["curve"], found["cost"]
    assert [point["step"] for point in curve] == [2, 4, 5]
    assert told == [(n, 5, kept) for n, kept in enumerate([0, 0, 1, 1, 2, 3])]
    loaded = load_checkpoint(tmp_path / "net.pt").network
    loss = held_out_cross_entropy(loaded, [Bucket(conserved_sequences(6))])
    assert loss == pytest.approx(curve[-1]["held_out"], rel=1e-2)  # half precision
    assert cost["tokens"] == 5 * 32 * (8 + 2)
    assert cost["flops"] == cost["tokens"] * training_flops(Network(TINY), 10)
    assert [path.name for path in tmp_path.iterdir()] == ["net.pt"]


def test_operations_of_a_token_by_hand():
    """Matrices of one layer of 16 channels: 12 · 16², the head 16², the embedding 33 · 16."""
    matrices = 12 * 16**2 + 16**2 + 33 * 16
    assert training_flops(Network(TINY), 10) == 6 * matrices + 12 * 16 * 10


@pytest.mark.parametrize("sequences", [corpus(), corpus(6, 8, 11, n=50)], ids=["one", "many"])
def test_a_stopped_training_goes_on_as_if_it_had_not_stopped(tmp_path, sequences):
    recipe = replace(RECIPE, steps=14)
    whole, expected = trained(tmp_path / "whole", recipe, sequences)

    def stop(step, steps, curve):
        if step == 12:
            raise StoppedError

    with pytest.raises(StoppedError):
        trained(tmp_path / "cut", recipe, sequences, stop, save_every=5)
    assert (tmp_path / "cut" / "net.training").exists()
    steps = []
    found, weights = trained(
        tmp_path / "cut", recipe, sequences, lambda step, *_: steps.append(step), save_every=5
    )
    assert steps[0] == 10
    assert equal(expected, weights)
    assert found["curve"] == whole["curve"]
    assert found["cost"]["tokens"] == whole["cost"]["tokens"]
    assert not (tmp_path / "cut" / "net.training").exists()


def test_layers_may_compute_in_half_precision(tmp_path):
    """Losses differ from single precision by rounding; weights are updated in single precision."""
    single, _ = trained(tmp_path / "single")
    half, _ = trained(tmp_path / "half", engine=replace(ENGINE, precision="bfloat16"))
    a, b = (run["curve"][-1]["held_out"] for run in (single, half))
    assert a != b
    assert a == pytest.approx(b, abs=0.05)


@pytest.mark.usefixtures("unchecked")
def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="precision is 'float8'; allowed are float32 and bfloat16"):
        Engine(device="cpu", threads=1, precision="float8", compile=False)
