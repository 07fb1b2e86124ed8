"""Which of the proteins of a data set are asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np

from harness.errors import InputError


@dataclass(frozen=True)
class Selection:
    """By name, by a draw, and as the first so many.

    `ids` are names (none: all); `subset` so many of them drawn by `seed` (none: all); `limit` keeps
    the first so many of these by name (none: all).
    """

    ids: Sequence[str | int] | None
    subset: int | None
    seed: int
    limit: int | None

    def of(self, names: Sequence[str]) -> list[str]:
        """The chosen names, sorted, before the limit; InputError for one that is not there."""
        chosen = sorted({str(name) for name in self.ids} if self.ids is not None else set(names))
        for name in chosen:
            if name not in names:
                near = get_close_matches(name, names) or list(names[:3])
                raise InputError(f"there is no {name!r}. Did you mean {' or '.join(near)}?")
        if self.limit is not None and self.limit < 1:
            raise InputError(f"dataset.limit is {self.limit}; allowed are 1 and more, or null")
        if self.subset is None:
            return chosen
        if not 0 < self.subset <= len(chosen):
            raise InputError(f"dataset.subset is {self.subset}; allowed are 1 to {len(chosen)}")
        drawn = np.random.default_rng(self.seed).permutation(len(chosen))[: self.subset]
        return sorted(chosen[n] for n in drawn)
