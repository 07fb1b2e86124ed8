"""ESM-2 as the methods see it: residues in; logits, maps and states of the residues out."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from harness.errors import InputError, PrerequisiteError
from harness.models import differentiation
from harness.models.batches import TokenBudget
from harness.models.checkpoint import load_checkpoint, sha256
from harness.models.flops import FlopCounts
from harness.models.network import Network
from harness.protocols import Cost

_SHIPPED = Path(__file__).parent / "checkpoints"
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}

_CPU_TOKENS = 4096
"""Tokens of a batch on a CPU: activations stay in its caches (`docs/results/speed.md`)."""

Slices = Iterator[tuple[slice, Tensor]]


@dataclass(frozen=True)
class _Pass:
    """One way through the network: residues (B, L) in, a result for each sequence out."""

    kind: str
    run: Callable[[Network, Tensor], Tensor]
    cost: int = 1  # in forward passes


class ESM2:
    """A checkpoint of fair-esm's published layout, ready to run.

    `device` is `auto` (CUDA where there is one, else the CPU), `cpu`, or `cuda[:n]`; `dtype` one of
    float32, bfloat16 and float16. `tokens_per_batch` bounds the tokens that go through the network
    at once (none: chosen for the device) and is halved when memory runs out. Sequences of more than
    `context` residues are refused (none: no bound).
    """

    def __init__(
        self,
        path: str | Path,
        device: str,
        dtype: str,
        tokens_per_batch: int | None,
        context: int | None,
    ) -> None:
        if dtype not in _DTYPES:
            raise ValueError(f"dtype is {dtype!r}; allowed are {', '.join(_DTYPES)}")
        self._device = _choose_device(device)
        self._network = load_checkpoint(Path(path)).to(self._device)
        self._context = context
        self._budget = TokenBudget(_CPU_TOKENS if tokens_per_batch is None else tokens_per_batch)
        self._flops = FlopCounts(self._network.architecture)
        self.fingerprint = sha256(Path(path))
        self.n_parameters = sum(weights.numel() for weights in self._network.parameters())
        self.n_layers = self._network.architecture.layers
        self.cost = Cost()

    def logits(self, residues: Int[Tensor, "B L"]) -> Float[Tensor, "B L 20"]:
        """Logits for sequences of `harness.alphabet` indices, on the model's device."""
        return self._all(_LOGITS, residues)

    def hidden(self, residues: Int[Tensor, "B L"], layer: int) -> Float[Tensor, "B L W"]:
        """The residual stream at the residues after `layer` layers; 0 for the embeddings."""
        return self._all(_hidden(layer), residues)

    def substituted_logits(
        self,
        residues: Int[Tensor, " L"],
        sites: Int[Tensor, " M"],
        substitutes: Int[Tensor, " M"],
    ) -> Slices:
        """Slices of 0…M-1, each with the logits (B, L, 20) of its substitutions."""
        return self._substituted(_LOGITS, residues, sites, substitutes)

    def substituted_hidden(
        self,
        residues: Int[Tensor, " L"],
        sites: Int[Tensor, " M"],
        substitutes: Int[Tensor, " M"],
        layer: int,
    ) -> Slices:
        """Slices of 0…M-1, each with the states (B, L, W) of its substitutions after `layer`."""
        return self._substituted(_hidden(layer), residues, sites, substitutes)

    def attention(self, residues: Int[Tensor, " L"]) -> Float[Tensor, "N H L L"]:
        """Attention between residues, of N layers and H heads."""
        return self._all(_ATTENTION, residues[None])[0]

    def contacts(self, residues: Int[Tensor, " L"]) -> Float[Tensor, "L L"]:
        """Probabilities of contact by the published regression on the attention maps."""
        raise NotImplementedError

    def gradients(
        self,
        residues: Int[Tensor, " L"],
        sites: Int[Tensor, " M"],
        directions: Float[Tensor, "M 20"],
    ) -> Slices:
        """Slices of 0…M-1, each with gradients (B, L, 20) of directions[m] · logits[sites[m]]."""
        return self._derived(differentiation.reverse, residues, sites, directions)

    def derivatives(
        self,
        residues: Int[Tensor, " L"],
        sites: Int[Tensor, " M"],
        directions: Float[Tensor, "M 20"],
    ) -> Slices:
        """Slices of 0…M-1, each with the logits' derivatives (B, L, 20) along directions[m]."""
        return self._derived(differentiation.forward, residues, sites, directions)

    def _derived(
        self,
        mode: differentiation.Mode,
        residues: Int[Tensor, " L"],
        sites: Int[Tensor, " M"],
        directions: Float[Tensor, "M 20"],
    ) -> Slices:
        step = _Pass("derivative", differentiation.one_gradient, cost=2)
        sequence, at, along = (part.to(self._device) for part in (residues, sites, directions))

        def compute(rows: slice) -> Tensor:
            return mode(self._network, sequence, at[rows], along[rows])

        return self._passes(step, len(sites), len(residues), compute)

    def _substituted(
        self,
        step: _Pass,
        residues: Int[Tensor, " L"],
        sites: Int[Tensor, " M"],
        substitutes: Int[Tensor, " M"],
    ) -> Slices:
        def compute(rows: slice) -> Tensor:
            mutants = residues.repeat(len(sites[rows]), 1)
            mutants[torch.arange(len(mutants)), sites[rows]] = substitutes[rows]
            return self._infer(step, mutants)

        return self._passes(step, len(sites), len(residues), compute)

    def _all(self, step: _Pass, residues: Int[Tensor, "B L"]) -> Tensor:
        """The results of a pass for any number of sequences."""

        def compute(rows: slice) -> Tensor:
            return self._infer(step, residues[rows])

        results = [part for _, part in self._passes(step, *residues.shape, compute)]
        return results[0] if len(results) == 1 else torch.cat(results)

    def _infer(self, step: _Pass, residues: Int[Tensor, "B L"]) -> Tensor:
        with torch.inference_mode():
            return step.run(self._network, residues.to(self._device))

    def _passes(
        self, step: _Pass, n: int, length: int, compute: Callable[[slice], Tensor]
    ) -> Slices:
        """Results of `compute` in slices that fit the memory, each accounted for."""
        if self._context is not None and length > self._context:
            raise InputError(
                f"a sequence of {length} residues is beyond the context of {self._context} that "
                "this model was trained on; cut it, or allow it with model.context=null"
            )
        flops = self._flops(step.kind, length, step.run)
        for rows, result in self._budget.split(n, length + 2, compute):
            self.cost.forward_passes += step.cost * len(result)
            self.cost.tokens += step.cost * len(result) * (length + 2)
            self.cost.flops += flops * len(result)
            yield rows, result


_LOGITS = _Pass("logits", lambda network, residues: network.residue_logits(residues))
_ATTENTION = _Pass("attention", lambda network, residues: network.attention(residues))


def _hidden(layer: int) -> _Pass:
    return _Pass(f"hidden {layer}", lambda network, residues: network.hidden(residues, layer))


def shipped(name: str, **settings: Any) -> ESM2:
    """A model that comes with the harness, trained on lattice proteins."""
    return ESM2(_SHIPPED / f"{name}.pt", **settings)


def _choose_device(name: str) -> torch.device:
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", name):
        raise ValueError(f"device is {name!r}; allowed are auto, cpu, cuda and cuda:NUMBER")
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise PrerequisiteError(
            f"model.device={name}, but PyTorch sees no CUDA device; use model.device=cpu"
        )
    return torch.device(name)
