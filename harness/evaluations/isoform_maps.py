"""What an isoform's contact map keeps of that of its full length, and what is right in both."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from harness.isoform_pair import IsoformPair
from harness.metrics import RANGES, precision_at, rank_pairs
from harness.recovery import recovery
from harness.statistics import correlation

Measured = tuple[str, str, float, int]
"""Metric, range or scope, value, and on how many pairs or residues it stands."""


def map_measures(pair: IsoformPair) -> Iterator[Measured]:
    """Contacts kept, recovery and correlation, of each scope.

    Those that end in `_masked` are of the full length with what is lost hidden, not of the isoform.
    """
    full, own = pair.maps
    contacts, kept = pair.contacts
    for name, among in pair.scopes.items():
        there, n = contacts & among, int(among.sum())
        yield "contacts_kept", name, _share(kept[there]), int(there.sum())
        for ending, other in (("", own), ("_masked", pair.hidden_map)):
            if other is not None:
                yield f"recovery{ending}", name, recovery(full[among], other[among]), n
                yield f"correlation{ending}", name, correlation(full[among], other[among]), n


def precision_measures(pair: IsoformPair, ranges: Sequence[str]) -> Iterator[Measured]:
    """P@L of both maps among pairs of kept residues, and how it changes, by the true distances.

    Separation and L are those of the full length, and a pair that is nearer than the pair's least
    separation in the isoform is invalid. NaN where the full length has no structure.
    """
    truth = np.full((pair.kept.length,) * 2, np.nan)
    places = np.ix_(pair.kept.full, pair.kept.full)
    truth[places] = np.where(pair.far, pair.full_sample.distances[places], np.nan)
    isoform = pair.in_full_numbers(pair.maps[1])
    for name in ranges:
        sides = [
            rank_pairs(scores, truth, RANGES[name], pair.settings.contact.cutoff)
            for scores in (pair.full.scores, isoform)
        ]
        before, after = (precision_at(pairs, 1) for pairs in sides)
        n = min(sides[0].top(1), sides[0].n_valid)
        yield "p_at_L_full", name, before, n
        yield "p_at_L_isoform", name, after, n
        yield "p_at_L_change", name, after - before, n


def _share(kept: Bool[ndarray, " n"]) -> float:
    return float(kept.mean()) if len(kept) else float("nan")
