"""Which of the proteins of a data set are scored, and which are set aside."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np

from harness.errors import InputError


@dataclass(frozen=True)
class Selection:
    """By name, by a draw, and as the first so many.

    `ids` are names (none: all); `subset` so many of them drawn by `seed` (none: all); `limit` keeps
    the first so many of these by name (none: all). `labeled` are set aside, drawn by `seed` from
    those that neither `ids` nor `subset` chose; where these are none, from all, less what is drawn.
    """

    ids: Sequence[str | int] | None
    subset: int | None
    seed: int
    limit: int | None
    labeled: int

    def scored(self, names: Sequence[str]) -> list[str]:
        """The chosen names, sorted, before the limit; InputError for one that is not there."""
        if self.limit is not None and self.limit < 1:
            raise InputError(f"dataset.limit is {self.limit}; allowed are 1 and more, or null")
        chosen = self._named(names)
        if self.subset is not None:
            if not 0 < self.subset <= len(chosen):
                raise InputError(f"dataset.subset is {self.subset}; allowed are 1 to {len(chosen)}")
            chosen = sorted(self._shuffled(chosen)[: self.subset])
        aside = set(self.aside(names))
        return [name for name in chosen if name not in aside]

    def aside(self, names: Sequence[str]) -> list[str]:
        """The names set aside, in the order of their draw; more of them add to fewer."""
        pool = self._named(names)
        taken = self.subset or 0  # from the other end of the same draw
        if self.ids is not None:
            pool, taken = sorted(set(names) - set(pool)), 0
        if not 0 <= self.labeled <= max(0, len(pool) - taken):
            allowed = max(0, len(pool) - taken)
            raise InputError(f"dataset.labeled is {self.labeled}; allowed are 0 to {allowed}")
        return self._shuffled(pool)[::-1][: self.labeled]

    def _named(self, names: Sequence[str]) -> list[str]:
        """All names, or those of `ids`, sorted."""
        chosen = sorted({str(name) for name in self.ids} if self.ids is not None else set(names))
        for name in chosen:
            if name not in names:
                near = get_close_matches(name, names) or list(names[:3])
                raise InputError(f"there is no {name!r}. Did you mean {' or '.join(near)}?")
        return chosen

    def _shuffled(self, names: Sequence[str]) -> list[str]:
        order = np.random.default_rng(self.seed).permutation(len(names))
        return [names[n] for n in order]
