"""Training of ESM-2 networks by masked language modeling, on sequences that fit in memory."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Int
from torch import Tensor

from harness.alphabet import MASK, UNKNOWN
from harness.corpus import Bucket, Corpus
from harness.device import choose_device
from harness.models.fair_esm import save_fair_esm
from harness.models.network import Architecture, Network
from harness.models.parallel import Processes, own_device, processes
from harness.models.recipe import Recipe, initialized, optimizers, training_flops
from harness.models.training_batches import Batches, corrupt
from harness.models.training_state import TrainingState

Precision = Literal["float32", "bfloat16"]
Watch = Callable[[int, int, Sequence[dict[str, float]]], None]
"""Told the steps done, the steps in all, and the learning curve so far."""

_KEPT = ("step", "seconds", "tokens", "flops", "curve")
_HELD_OUT_AT_ONCE = 512
_NOT_CHOSEN = -100


@dataclass(frozen=True)
class Engine:
    """What computes: a device, PyTorch threads on a CPU, the precision of matrix products.

    With bfloat16, weights, their updates and the residual stream stay in single precision.
    `compile` has the layers compiled.
    """

    device: str
    threads: int
    precision: Precision
    compile: bool

    def __post_init__(self) -> None:
        if self.precision not in ("float32", "bfloat16"):
            given = f"precision is {self.precision!r}"
            raise ValueError(f"{given}; allowed are float32 and bfloat16")
        choose_device(self.device)

    @property
    def place(self) -> torch.device:
        """The device; under torchrun, that of this process."""
        return own_device(choose_device(self.device))

    def autocast(self) -> torch.autocast:
        """Within it, matrix products are computed in that precision."""
        half = self.precision == "bfloat16"
        return torch.autocast(self.place.type, torch.bfloat16, enabled=half)


@dataclass(frozen=True)
class Trainer:
    """Trains one network and keeps its learning curve, and, on the way, what it takes to go on."""

    architecture: Architecture
    recipe: Recipe
    engine: Engine
    report_every: int
    save_every: int

    def __call__(self, corpus: Corpus, path: Path, watch: Watch) -> dict[str, Any]:
        """Write the checkpoint; the curve and what training has cost.

        Points of the curve have step, training_loss and held_out, the cross-entropy of residues
        masked one at a time (nats). State is saved beside `path` every so many steps; where there
        is one, training goes on from it, with the same result as without the stop.
        """
        torch.set_num_threads(self.engine.threads)
        with processes(self.engine.place) as group:
            course = _Course(self, corpus, group)
            state = TrainingState(path.with_suffix(".training"), self._identity(corpus))
            course.run(state, watch)
            if group.rank == 0:
                save_fair_esm(course.network.cpu(), path)
                state.remove()
        return {"curve": course.curve, "cost": course.cost()}

    def _identity(self, corpus: Corpus) -> str:
        return f"{self.architecture} {self.recipe} on {corpus.version}"


class _Course:
    """One training on its way."""

    def __init__(self, trainer: Trainer, corpus: Corpus, group: Processes) -> None:
        self.recipe, self.engine, self.trainer = trainer.recipe, trainer.engine, trainer
        self.corpus, self.group = corpus, group
        place = self.engine.place
        self.generator = torch.Generator(place).manual_seed(self.recipe.seed)
        self.network = initialized(trainer.architecture, self.recipe).to(place)
        self.optimizers = optimizers(self.network, self.recipe)
        self.batches = Batches(corpus.training, self.recipe.batch_size, self.generator)
        self.curve: list[dict[str, float]] = []
        self.step, self.seconds, self.tokens, self.flops = 0, 0.0, 0, 0
        self.losses = torch.zeros(2, device=place)
        if self.engine.compile:
            for layer in self.network.layers:
                layer.compile()

    def run(self, state: TrainingState, watch: Watch) -> None:
        """All steps that are left, those of a saved state left out."""
        saved = state.load(self.engine.place)
        if saved is not None:
            self._go_on(saved)
        start = time.perf_counter() - self.seconds
        watch(self.step, self.recipe.steps, self.curve)
        while self.step < self.recipe.steps:
            self._step()
            last = self.step == self.recipe.steps
            if self.group.rank == 0 and (last or self.step % self.trainer.report_every == 0):
                self._report()
            self.seconds = time.perf_counter() - start
            if self.group.rank == 0 and not last and self.step % self.trainer.save_every == 0:
                state.save(self._state())
            watch(self.step, self.recipe.steps, self.curve)

    def cost(self) -> dict[str, float]:
        """Seconds, tokens, parameters, and operations of matrix products (forward and backward)."""
        rate = self.flops / max(self.seconds, 1e-9)
        return {
            "n_parameters": sum(weights.numel() for weights in self.network.parameters()),
            "seconds": self.seconds,
            "tokens": self.tokens,
            "flops": self.flops,
            "flops_per_second": rate,
        }

    def _step(self) -> None:
        batch = next(self.batches)
        corrupted, chosen = corrupt(batch, self.recipe.masked_fraction, self.generator)
        total, own = chosen.sum(), self.group.share
        with self.engine.autocast():
            loss = masked_loss(self.network, own(batch), own(corrupted), own(chosen)) / total
        loss.backward()
        whole = loss.detach().clone()
        gradients = [w.grad for w in self.network.parameters() if w.grad is not None]
        self.group.add_up_([whole, *gradients])
        for optimizer, full_rate in self.optimizers:
            optimizer.param_groups[0]["lr"] = full_rate * self.recipe.rate(self.step)
            optimizer.step()
            optimizer.zero_grad()
        self.losses += torch.stack((whole, torch.ones_like(whole)))
        self.step += 1
        length = batch.shape[1] + 2  # with the tokens at both ends
        self.tokens += len(batch) * length
        self.flops += len(batch) * length * training_flops(self.network, length)

    def _report(self) -> None:
        total, steps = self.losses.tolist()
        with self.engine.autocast():
            entropy = held_out_cross_entropy(self.network, self.corpus.held_out)
        point = {"step": self.step, "training_loss": total / steps}
        self.curve.append(point | {"held_out": entropy})
        self.losses.zero_()

    def _state(self) -> dict[str, Any]:
        kept = {name: getattr(self, name) for name in _KEPT}
        return kept | {
            "losses": self.losses,
            "network": self.network.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer, _ in self.optimizers],
            "batches": self.batches.state(),
        }

    def _go_on(self, saved: dict[str, Any]) -> None:
        for name in (*_KEPT, "losses"):
            setattr(self, name, saved[name])
        self.network.load_state_dict(saved["network"])
        for (optimizer, _), state in zip(self.optimizers, saved["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        self.batches.go_on(saved["batches"])


def masked_loss(
    network: Network,
    batch: Int[Tensor, "B L"],
    corrupted: Int[Tensor, "B L"],
    chosen: Bool[Tensor, "B L"],
) -> Tensor:
    """Sum of the cross-entropies (nats) at the chosen residues of one batch."""
    logits = network.residue_logits(corrupted).flatten(0, 1).float()
    targets = batch.masked_fill(~chosen, _NOT_CHOSEN).flatten()
    return F.cross_entropy(logits, targets, ignore_index=_NOT_CHOSEN, reduction="sum")


def held_out_cross_entropy(network: Network, buckets: Sequence[Bucket]) -> float:
    """Mean -log p(residue | all others) in nats over the known residues, each masked in turn."""
    place = network.embed_tokens.weight.device
    total, count = torch.zeros((), dtype=torch.float64, device=place), 0
    with torch.inference_mode():
        for bucket in buckets:
            for part in torch.from_numpy(bucket.sequences).split(_HELD_OUT_AT_ONCE):
                for losses in _site_losses(network, part.to(place).long()):
                    total += losses.sum(dtype=torch.float64)
                    count += len(losses)
    return float(total) / count


def _site_losses(network: Network, sequences: Int[Tensor, "N L"]) -> Iterator[Tensor]:
    for i in range(sequences.shape[1]):
        known = sequences[sequences[:, i] < UNKNOWN]
        masked = known.clone()
        masked[:, i] = MASK
        logits = network.residue_logits(masked)[:, i].float()
        yield F.cross_entropy(logits, known[:, i], reduction="none")
