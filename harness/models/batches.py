"""Batches as large as the memory takes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torch import Tensor

from harness.device import free_memory
from harness.errors import PrerequisiteError
from harness.models.network import Network

_OUT_OF_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED")
"""Parts of what PyTorch says on Linux, Windows and CUDA, and of what CUDA's libraries say."""


@dataclass
class TokenBudget:
    """How many tokens go through the network at once; halved for good when memory runs out."""

    tokens: int

    def __post_init__(self) -> None:
        if self.tokens < 1:
            raise ValueError(f"tokens_per_batch is {self.tokens}; it must be positive")

    def split(
        self, n: int, length: int, run: Callable[[slice], Tensor]
    ) -> Iterator[tuple[slice, Tensor]]:
        """Results of `run` for slices of 0…n-1, each of as many sequences as the budget takes.

        `length` is the number of tokens of a sequence. A slice holds one sequence at least; when
        there is no memory for one, that is a PrerequisiteError.
        """
        start = 0
        while start < n:
            rows = slice(start, min(n, start + max(1, self.tokens // length)))
            try:
                result = run(rows)
            except RuntimeError as error:  # what CUDA raises derives from it, a CPU raises itself
                self._halve(rows.stop - start, length, error)
            else:
                yield rows, result
                start = rows.stop

    def _halve(self, size: int, length: int, error: RuntimeError) -> None:
        """Half as many tokens as just ran out of memory; raises what that cannot mend."""
        if not is_out_of_memory(error):
            raise error
        if size == 1:
            raise PrerequisiteError(
                f"out of memory for a single sequence of {length} tokens ({error}); use a "
                "smaller model, model.dtype=bfloat16, a shorter protein or a larger device"
            ) from error
        self.tokens = length * (size // 2)


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether that is what PyTorch complains of."""
    return any(text in str(error) for text in _OUT_OF_MEMORY)


def automatic_tokens(network: Network) -> int:
    """Tokens of a batch that suit the device of the network.

    On a CPU the widest activations, 4 W numbers a token, fill 12 MiB: larger buffers leave the
    caches and are given back to the system after every use. On a GPU they fill an eighth of the
    free memory, up to the size beyond which nothing gets faster.
    """
    weights = network.embed_tokens.weight
    bytes_per_token = 4 * network.architecture.width * 4
    if weights.device.type == "cpu":
        return max(1, 12 * 2**20 // bytes_per_token)
    return max(1, min(2**17, free_memory(weights.device) // 8 // bytes_per_token))
