"""Where the tokens of a sequence stand: one after the other, unless told otherwise."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Int
from torch import Tensor


class TokenPositions:
    """Positions of T tokens: 0…T-1, or those of the residues with a special token at each end."""

    def __init__(self) -> None:
        self._given: Tensor | None = None
        self._known = torch.empty(0, dtype=torch.long)

    def __call__(self, tokens: int, device: torch.device) -> Int[Tensor, " T"]:
        """The positions; the same object as long as nothing changes, so that tables can be kept.

        Raises ValueError when positions were given for another number of residues.
        """
        if self._given is not None and len(self._given) != tokens:
            raise ValueError(
                f"positions of {len(self._given) - 2} residues were given for {tokens - 2}"
            )
        if len(self._known) != tokens or self._known.device != device:
            with torch.inference_mode(False):
                given = torch.arange(tokens) if self._given is None else self._given
                self._known = given.to(device)
        return self._known

    @contextmanager
    def given(self, residues: Int[Tensor, " L"]) -> Iterator[None]:
        """While this lasts, residues stand at these positions, counted from 0.

        The special tokens stand one before the first and one behind the last. Raises ValueError
        unless the positions increase.
        """
        if len(residues) == 0 or (residues.diff() < 1).any() or residues[0] < 0:
            raise ValueError(f"positions {residues.tolist()} do not increase from 0 or more")
        before = self._given
        self._change(torch.cat((residues[:1], residues + 1, residues[-1:] + 2)))
        try:
            yield
        finally:
            self._change(before)

    def _change(self, given: Tensor | None) -> None:
        self._given, self._known = given, self._known[:0]
