"""ESM-2 as the methods see it: residues in; logits, maps and states of the residues out."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args

import torch
from jaxtyping import Float, Int
from torch import Tensor

from harness.alphabet import MASK
from harness.blocks import Block
from harness.contact_regression import ContactRegression
from harness.device import choose_device
from harness.errors import PrerequisiteError
from harness.models import differentiation, memory
from harness.models.batches import TokenBudget, automatic_tokens
from harness.models.checkpoint import load_checkpoint
from harness.models.mutants import Mutants
from harness.models.network import Architecture
from harness.models.packing import prepare
from harness.models.passes import (
    ATTENTION,
    BACKWARD,
    LOGITS,
    Pass,
    contact_block_by,
    contacts_by,
    hidden_after,
)
from harness.models.published import PublishedWeights
from harness.models.running import Running, Slices
from harness.models.vocabulary import Ends

_SHIPPED = Path(__file__).parent / "checkpoints"
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(eq=False)
class ESM2:
    """A checkpoint of fair-esm's published layout, ready to run.

    `device` is `auto` (CUDA where there is one, else the CPU), `cpu`, `cuda[:n]` or `mps`; `dtype`
    one of float32, bfloat16 and float16. `tokens_per_batch` bounds the tokens that go through the
    network at once (none: chosen for the device) and is halved when memory runs out. Sequences of
    more than `context` residues are refused (none: no bound). `compile` has PyTorch compile the
    layers. `ends` are the tokens that residues stand between: `kept` (<cls> and <eos>, as trained),
    `masked` (a mask at either end), or `absent`.
    """

    path: str | Path
    device: str
    dtype: str
    tokens_per_batch: int | None
    context: int | None
    compile: bool
    ends: Ends

    def __post_init__(self) -> None:
        if self.dtype not in _DTYPES:
            raise ValueError(f"dtype is {self.dtype!r}; allowed are {', '.join(_DTYPES)}")
        if self.ends not in get_args(Ends):
            raise ValueError(f"ends is {self.ends!r}; allowed are {', '.join(get_args(Ends))}")
        self._device, dtype = choose_device(self.device), _DTYPES[self.dtype]
        checkpoint = load_checkpoint(Path(self.path), self._require_memory, dtype)
        network, self._regression = checkpoint.network, checkpoint.regression
        self._regression_file = checkpoint.regression_file
        self.fingerprint = checkpoint.fingerprint
        self.n_parameters = sum(weights.numel() for weights in network.parameters())
        self.n_layers = network.architecture.layers
        network.stand_between(self.ends)
        self._network = prepare(network, dtype, self._device, self.compile)
        given = self.tokens_per_batch
        budget = TokenBudget(automatic_tokens(network) if given is None else given)
        self._running = Running(self._network, self._device, budget, self.context)
        self.cost = self._running.cost

    def at(
        self, positions: Int[Tensor, " L"], length: int | None = None
    ) -> AbstractContextManager[None]:
        """While this lasts, residues stand at these increasing positions instead of 0…L-1.

        The tokens at the ends stand around `length` of them, or next to the residues (none).
        """
        return self._network.positions.given(positions, length)

    def logits(self, residues: Int[Tensor, "B L"]) -> Float[Tensor, "B L 20"]:
        """Logits for sequences of `harness.alphabet` indices, on the model's device."""
        return self._all(LOGITS, residues)

    def hidden(self, residues: Int[Tensor, "B L"], layer: int) -> Float[Tensor, "B L W"]:
        """The residual stream at the residues after `layer` layers; 0 for the embeddings."""
        return self._all(hidden_after(layer), residues)

    def substituted_logits(
        self,
        residues: Int[Tensor, " L"],
        sites: Int[Tensor, " M"],
        substitutes: Int[Tensor, " M"],
    ) -> Slices:
        """Slices of 0…M-1, each with the logits (B, L, 20) of its substitutions."""
        return self._substituted(LOGITS, residues, sites, substitutes)

    def substituted_hidden(
        self,
        residues: Int[Tensor, " L"],
        sites: Int[Tensor, " M"],
        substitutes: Int[Tensor, " M"],
        layer: int,
    ) -> Slices:
        """Slices of 0…M-1, each with the states (B, L, W) of its substitutions after `layer`."""
        return self._substituted(hidden_after(layer), residues, sites, substitutes)

    def attention(self, residues: Int[Tensor, " L"]) -> Float[Tensor, "N H L L"]:
        """Attention between residues, of N layers and H heads."""
        self._plan.require_maps(len(residues))
        return self._all(ATTENTION, residues[None])[0]

    def contacts(self, residues: Int[Tensor, " L"]) -> Float[Tensor, "L L"]:
        """Probabilities of contact by the published regression on the attention maps.

        Raises PrerequisiteError when the checkpoint came without one.
        """
        regression = self._head()
        self._plan.require_maps(len(residues))
        return self._all(contacts_by(regression), residues[None])[0]

    def contact_blocks(self, residues: Int[Tensor, "B L"], block: Block) -> Slices:
        """Slices of 0…B-1, each with the block (B, R, C) of its sequences' contacts."""
        step = contact_block_by(self._head(), block)
        return self._each(step, residues)

    def gradients(
        self,
        residues: Int[Tensor, " L"],
        sites: Int[Tensor, " M"],
        directions: Float[Tensor, "M 20"],
    ) -> Slices:
        """Slices of 0…M-1, each with gradients (B, L, 20) of directions[m] · logits[sites[m]]."""
        return self._derived(differentiation.REVERSE, residues, sites, directions)

    def derivatives(
        self,
        residues: Int[Tensor, " L"],
        sites: Int[Tensor, " M"],
        directions: Float[Tensor, "M 20"],
    ) -> Slices:
        """Slices of 0…M-1, each with the logits' derivatives (B, L, 20) along directions[m]."""
        return self._derived(differentiation.FORWARD, residues, sites, directions)

    def _head(self) -> ContactRegression:
        if self._regression is None:
            raise PrerequisiteError(
                f"{self.path} holds no contact regression and {self._regression_file} is not "
                "there: put the published file beside the checkpoint, or fit one with "
                "method=fitted_contact_head"
            )
        return self._regression

    def _require_memory(self, architecture: Architecture) -> None:
        """Nothing; raises PrerequisiteError when the weights and a batch do not fit."""
        planned = memory.Plan(architecture, _DTYPES[self.dtype], self._device)
        planned.require_weights(f"{self.path} in {self.dtype}", self.tokens_per_batch)
        self._plan = planned

    def _derived(
        self,
        mode: differentiation.Mode,
        residues: Int[Tensor, " L"],
        sites: Int[Tensor, " M"],
        directions: Float[Tensor, "M 20"],
    ) -> Slices:
        sequence, at = residues.to(self._device), sites.to(self._device)
        along, length = directions.float().to(self._device), len(residues)

        @cache
        def linear_map() -> differentiation.LinearMap:
            found = mode.linearize(self._network, sequence)
            self._running.spend(LOGITS, 1, length)
            self._running.spend(BACKWARD, mode.passes - 1, length)
            return found

        def compute(rows: slice) -> Tensor:
            return linear_map()(differentiation.placed(at[rows], along[rows], length))

        return self._running.slices(BACKWARD, len(sites), length, compute)

    def _substituted(
        self,
        step: Pass,
        residues: Int[Tensor, " L"],
        sites: Int[Tensor, " M"],
        substitutes: Int[Tensor, " M"],
    ) -> Slices:
        sequence, at, by = (part.to(self._device) for part in (residues, sites, substitutes))
        rest = None if (by == MASK).any() else step.rest  # a mask changes every embedding
        family = Mutants(self._network, sequence)

        @torch.inference_mode()
        def compute(rows: slice) -> Tensor:
            if rest is not None:
                return rest(self._network, family.first_layer(at[rows], by[rows]), 1)
            mutants = sequence.repeat(len(at[rows]), 1)
            mutants[torch.arange(len(mutants)), at[rows]] = by[rows]
            return step.run(self._network, mutants)

        return self._running.slices(step, len(sites), len(residues), compute)

    def _all(self, step: Pass, residues: Int[Tensor, "B L"]) -> Tensor:
        """The results of a pass for any number of sequences."""
        results = [part for _, part in self._each(step, residues)]
        return results[0] if len(results) == 1 else torch.cat(results)

    def _each(self, step: Pass, residues: Int[Tensor, "B L"]) -> Slices:
        """The same in slices."""

        @torch.inference_mode()
        def compute(rows: slice) -> Tensor:
            return step.run(self._network, residues[rows].to(self._device))

        n, length = residues.shape
        return self._running.slices(step, n, length, compute)


def shipped(name: str, **settings: Any) -> ESM2:
    """A model that comes with the harness, trained on lattice proteins."""
    return ESM2(_SHIPPED / f"{name}.pt", **settings)


def published(source: PublishedWeights, **settings: Any) -> ESM2:
    """A published model; its files are fetched on first use, and verified."""
    model = ESM2(source.fetch(), **settings)
    source.require(model.fingerprint)
    return model
