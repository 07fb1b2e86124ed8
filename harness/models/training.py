"""Training of ESM-2 networks by masked language modeling, on token matrices that fit in memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Int
from numpy import ndarray
from torch import Generator, Tensor, nn

from harness.alphabet import AMINO_ACIDS, MASK
from harness.models.fair_esm import save_fair_esm
from harness.models.network import Architecture, Network


@dataclass(frozen=True)
class Recipe:
    """How long and how to train.

    Muon (Jordan et al., 2024) moves the matrices of the layers, AdamW everything else. Both
    learning rates warm up linearly, stay constant until half time and fall linearly to 1 %.
    """

    steps: int
    batch_size: int
    masked_fraction: float
    muon_rate: float
    adamw_rate: float
    warmup_steps: int
    embedding_sd: float
    seed: int

    def rate(self, step: int) -> float:
        """Share of the full learning rate at a step (0-based)."""
        decay = 1 - 0.99 * max(0.0, 2 * step / self.steps - 1)
        return min(decay, (step + 1) / self.warmup_steps, 1.0)


@dataclass(frozen=True)
class Trainer:
    """Trains one network on a number of PyTorch threads and keeps its learning curve."""

    architecture: Architecture
    recipe: Recipe
    threads: int
    report_every: int

    def __call__(
        self,
        training: Int[ndarray, "N L"],
        held_out: Int[ndarray, "M L"],
        path: Path,
        progress: Callable[[int, int], None],
    ) -> list[dict[str, float]]:
        """Write the checkpoint; the curve: step, training loss, held-out cross-entropy (nats).

        `progress` gets the number of steps done and in all.
        """
        torch.set_num_threads(self.threads)
        curve: list[dict[str, float]] = []
        losses: list[float] = []
        unseen = torch.from_numpy(held_out)

        def report(step: int, loss: float, network: Network) -> None:
            losses.append(loss)
            progress(step, self.recipe.steps)
            if step % self.report_every == 0 or step == self.recipe.steps:
                entropy = single_site_cross_entropy(network, unseen)
                mean = sum(losses) / len(losses)
                curve.append({"step": step, "training_loss": mean, "held_out": entropy})
                losses.clear()

        network = train(self.architecture, torch.from_numpy(training), self.recipe, report)
        save_fair_esm(network, path)
        return curve


def train(
    architecture: Architecture,
    sequences: Int[Tensor, "N L"],
    recipe: Recipe,
    report: Callable[[int, float, Network], None],
) -> Network:
    """A network trained on the sequences; `report` gets step, loss and network after each step."""
    generator = torch.Generator().manual_seed(recipe.seed)
    torch.manual_seed(recipe.seed)  # the networks' own initialization
    network = Network(architecture)
    nn.init.normal_(network.embed_tokens.weight, std=recipe.embedding_sd)
    optimizers = _optimizers(network, recipe)
    batches = _batches(sequences, recipe, generator)
    for step, batch in zip(range(recipe.steps), batches, strict=False):
        loss = masked_loss(network, batch, recipe.masked_fraction, generator)
        loss.backward()
        for optimizer, full_rate in optimizers:
            optimizer.param_groups[0]["lr"] = full_rate * recipe.rate(step)
            optimizer.step()
            optimizer.zero_grad()
        report(step + 1, loss.item(), network)
    return network.eval().requires_grad_(False)


def masked_loss(
    network: Network, batch: Int[Tensor, "B L"], fraction: float, generator: Generator
) -> Tensor:
    """Mean cross-entropy (nats) at the chosen residues of one batch."""
    corrupted, chosen = corrupt(batch, fraction, generator)
    return F.cross_entropy(network.residue_logits(corrupted)[chosen], batch[chosen])


def corrupt(
    batch: Int[Tensor, "B L"], fraction: float, generator: Generator
) -> tuple[Int[Tensor, "B L"], Bool[Tensor, "B L"]]:
    """The batch with a random share of its residues chosen for prediction, and which they are.

    Of the chosen ones 80 % are masked, 10 % replaced by a random amino acid and 10 % kept
    (Devlin et al., 2019; as ESM-2). The last 10 % matter here: they teach the model to predict
    at visible residues, which is where the categorical Jacobian reads it.
    """
    chosen = torch.rand(batch.shape, generator=generator) < fraction
    fate = torch.rand(batch.shape, generator=generator)
    random = torch.randint(len(AMINO_ACIDS), batch.shape, generator=generator)
    corrupted = batch.masked_fill(chosen & (fate < 0.8), MASK)
    return torch.where(chosen & (fate >= 0.9), random, corrupted), chosen


def single_site_cross_entropy(network: Network, sequences: Int[Tensor, "N L"]) -> float:
    """Mean -log p(residue | all others) in nats, each residue masked in turn."""
    total = 0.0
    with torch.inference_mode():
        for i in range(sequences.shape[1]):
            masked = sequences.clone()
            masked[:, i] = MASK
            logits = network.residue_logits(masked)[:, i]
            total += float(F.cross_entropy(logits, sequences[:, i]))
    return total / sequences.shape[1]


def _batches(
    sequences: Int[Tensor, "N L"], recipe: Recipe, generator: Generator
) -> Iterator[Int[Tensor, "B L"]]:
    """Batches without replacement, reshuffled whenever all sequences have been used."""
    while True:
        shuffled = sequences[torch.randperm(len(sequences), generator=generator)]
        yield from shuffled.split(recipe.batch_size)


def _optimizers(network: Network, recipe: Recipe) -> list[tuple[torch.optim.Optimizer, float]]:
    layers = [weights for layer in network.layers for weights in layer.parameters()]
    matrices = [weights for weights in layers if weights.ndim == 2]
    taken = {id(weights) for weights in matrices}
    others = [weights for weights in network.parameters() if id(weights) not in taken]
    return [
        (torch.optim.Muon(matrices, weight_decay=0.0), recipe.muon_rate),
        (torch.optim.AdamW(others, betas=(0.9, 0.98), weight_decay=0.0), recipe.adamw_rate),
    ]
