"""What a job will cost, by arithmetic: forward passes × tokens × parameters.

FLOPs are multiplications and additions of matrix products, two a parameter and token, and those of
attention. A backward pass counts as one more forward pass, as in `Cost`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.protocols import ContactMethod
from harness.work import passes_of

_ENDS = 2
"""Special tokens of a sequence."""

_NUMBERS_PER_TOKEN = 16
"""Activations of a layer per token and channel; `harness.models.memory` asks for as much."""

_BATCH_BYTES = {"cpu": 12 * 2**20}
_BATCH_TOKENS = 2**17
"""Widest activations of an automatic batch on a CPU, its most tokens elsewhere
(`harness.models.batches`)."""

_PACKED_BYTES = 4 * 2**30
"""On a CPU, weights of single precision up to this size are held twice
(`harness.models.packing`)."""

_MAPS = 5
"""Copies of all attention maps while they are corrected."""


@dataclass(frozen=True)
class Shape:
    """A language model, as far as its cost depends on it; 0 for what is not known of it."""

    parameters: int
    layers: int = 0
    heads: int = 0
    width: int = 0

    def flops(self, length: int) -> float:
        """Operations of one forward pass of so many residues."""
        tokens = length + _ENDS
        return 2.0 * self.parameters * tokens + 4.0 * self.layers * self.width * tokens**2


@dataclass(frozen=True)
class Amount:
    """One map of each of so many proteins; `longest` is the most residues that are read at once.

    Passes, tokens and FLOPs are those of a language model: none where there is no model, or it or
    the method does not say. `pairs` are Σ L².
    """

    proteins: int
    longest: int
    pairs: int
    passes: int | None = None
    tokens: int | None = None
    flops: float | None = None

    @property
    def work(self) -> float:
        """What the time is taken to be proportional to: FLOPs, or pairs of residues."""
        return float(self.pairs) if self.flops is None else self.flops


def amount_of(
    method: ContactMethod, lengths: Sequence[int], shape: Shape | None, window: int | None
) -> Amount:
    """What proteins of these lengths come to, read in windows of so many residues (none: whole)."""
    read = [length if window is None else min(length, window) for length in lengths]
    amount = Amount(len(lengths), max(read, default=0), sum(length**2 for length in lengths))
    counts = [passes_of(method, length) for length in lengths]
    passes = [count for count in counts if count is not None]
    if len(passes) < len(counts) or shape is None:
        return amount
    pairs = list(zip(passes, read, strict=True))
    tokens = sum(n * (length + _ENDS) for n, length in pairs)
    flops = sum(n * shape.flops(length) for n, length in pairs)
    return Amount(amount.proteins, amount.longest, amount.pairs, sum(passes), tokens, flops)


@dataclass(frozen=True)
class Footprint:
    """What a job holds at its peak, on the device of its model.

    Numbers of the weights take `number_bytes`, those of the coupling tensor (20 L)² take
    `coupling_bytes` (0 without one); `maps` says whether attention maps are made.
    `tokens_per_batch` is none where it is chosen for the device. `process_bytes` is what the
    process holds on a CPU by itself.
    """

    shape: Shape | None
    device: str
    number_bytes: int
    coupling_bytes: int
    maps: bool
    tokens_per_batch: int | None
    process_bytes: float

    def peak(self, longest: int) -> int:
        """Bytes, for a protein of so many residues."""
        held = (20 * longest) ** 2 * self.coupling_bytes
        if self.shape is not None:
            held += self._weights(self.shape) + self._activations(self.shape)
            held += self._attention(self.shape, longest) if self.maps else 0
        return held + (int(self.process_bytes) if self.device == "cpu" else 0)

    def _weights(self, shape: Shape) -> int:
        size = shape.parameters * self.number_bytes
        packed = self.device == "cpu" and self.number_bytes == 4 and size <= _PACKED_BYTES
        return 2 * size if packed else size

    def _activations(self, shape: Shape) -> int:
        """Of a batch; those of the layers are in the precision of the weights."""
        if self.tokens_per_batch is None and self.device in _BATCH_BYTES:
            return _BATCH_BYTES[self.device] * _NUMBERS_PER_TOKEN // 4
        tokens = self.tokens_per_batch or _BATCH_TOKENS
        return tokens * shape.width * _NUMBERS_PER_TOKEN * self.number_bytes

    def _attention(self, shape: Shape, longest: int) -> int:
        return _MAPS * shape.layers * shape.heads * longest**2 * 4


@dataclass(frozen=True)
class Prediction:
    """What is expected of a job; `finished` proteins are in its folder already and cost nothing.

    None where it is not known. `seconds` are those of measuring, without the start of the program.
    `rate` says what the seconds rest on, or why there are none.
    """

    label: str
    proteins: int
    finished: int
    passes: int | None
    tokens: int | None
    flops: float | None
    seconds: float | None
    memory_bytes: int
    rate: str
