"""Where the tokens of a sequence stand: one after the other, unless told otherwise."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Int
from torch import Tensor

from harness.errors import InputError


class TokenPositions:
    """Positions of T tokens: 0…T-1, or those given for the residues and the tokens at the ends.

    `margin` is how many tokens there are at either end: 1 or 0.
    """

    def __init__(self, margin: int) -> None:
        self._margin = margin
        self._given: Tensor | None = None
        self._known = torch.empty(0, dtype=torch.long)

    def __call__(self, tokens: int, device: torch.device) -> Int[Tensor, " T"]:
        """The positions; the same object as long as nothing changes, so that tables can be kept.

        Raises ValueError when positions were given for another number of residues.
        """
        if self._given is not None and len(self._given) != tokens:
            known, wanted = (n - 2 * self._margin for n in (len(self._given), tokens))
            raise ValueError(f"positions of {known} residues were given for {wanted}")
        if len(self._known) != tokens or self._known.device != device:
            with torch.inference_mode(False):
                given = torch.arange(tokens) if self._given is None else self._given
                self._known = given.to(device)
        return self._known

    @contextmanager
    def given(self, residues: Int[Tensor, " L"], length: int | None) -> Iterator[None]:
        """While this lasts, residues stand at these positions, counted from 0.

        The tokens at the ends stand around 0…`length`-1; or, without a length, one before the first
        residue and one behind the last. Raises ValueError unless the positions increase, below
        `length`; InputError when others are given already.
        """
        first, last = (0, -1) if len(residues) == 0 else (int(residues[0]), int(residues[-1]))
        if last < 0 or (residues.diff() < 1).any() or first < 0 or last >= (length or last + 1):
            raise ValueError(
                f"positions {residues.tolist()} do not increase from 0 or more"
                + ("" if length is None else f" to {length - 1} or less")
            )
        if self._given is not None:
            raise InputError(
                "positions are given twice: a gap between chains and deleted residues cannot be "
                "combined; use joining.gap=0 or hiding=masked"
            )
        ends = residues.new_tensor([[first], [last + 2]] if length is None else [[0], [length + 1]])
        self._change(torch.cat((ends[0], residues + 1, ends[1])) if self._margin else residues)
        try:
            yield
        finally:
            self._change(None)

    def _change(self, given: Tensor | None) -> None:
        self._given, self._known = given, self._known[:0]
