"""The referee: a Potts model as any side found it, its objective, and its contact map.

Everything is in float64 and as plain as can be; it shares no code with `baselines`.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int8
from numpy import ndarray
from torch.nn.functional import log_softmax, one_hot

from harness.alphabet import AMINO_ACIDS, N_STATES
from harness.couplings import contact_scores

FIELD_PENALTY = 0.01
COUPLING_PENALTY = 0.01
"""Times (L − 1)(21 − 1) = 0.2 (L − 1), in GREMLIN (Kamisetty et al., PNAS 2013) and CCMpred."""

_ROWS = 512


@dataclass(frozen=True, eq=False)
class Potts:
    """Fields and couplings of 21 states in the house's order, the gap last.

    Couplings are symmetric, and zero within a position.
    """

    fields: Float[ndarray, "L 21"]
    couplings: Float[ndarray, "L 21 L 21"]


def from_pairs(fields: Float[ndarray, "L 21"], blocks: Float[ndarray, "P 21 21"]) -> Potts:
    """A Potts model from one block for each pair i < j, in the order (0, 1), (0, 2), …"""
    length = len(fields)
    couplings = np.zeros((length, N_STATES, length, N_STATES))
    i, j = np.triu_indices(length, 1)
    couplings[i, :, j] = blocks
    couplings[j, :, i] = blocks.transpose(0, 2, 1)
    return Potts(fields.astype(np.float64), couplings)


def coupling_penalty(length: int) -> float:
    """What multiplies the sum of squares of all couplings i < j."""
    return COUPLING_PENALTY * (length - 1) * (N_STATES - 1)


def objective(potts: Potts, states: Int8[ndarray, "N L"], weights: Float[ndarray, " N"]) -> float:
    """Σ_n weight_n Σ_i −log p(x_ni | the rest) + 0.01 Σ h² + 0.2 (L − 1) Σ_{i<j} J².

    Fields are shifted to a mean of zero at each position first: no probability changes, and the
    penalty is the least there is. CCMpred holds the field of the gap at zero instead, and would
    pay for that.
    """
    length = len(potts.fields)
    fields = torch.from_numpy(potts.fields - potts.fields.mean(axis=1, keepdims=True))
    couplings = torch.from_numpy(potts.couplings).reshape(length * N_STATES, -1)
    rows = torch.from_numpy(states).long().split(_ROWS)
    counts = torch.from_numpy(weights).split(_ROWS)
    loss = sum(_loss(x, w, fields, couplings) for x, w in zip(rows, counts, strict=True))
    squares = float((potts.couplings**2).sum()) / 2  # each pair stands there twice
    return loss + FIELD_PENALTY * float((fields**2).sum()) + coupling_penalty(length) * squares


def _loss(
    states: torch.Tensor, weights: torch.Tensor, fields: torch.Tensor, couplings: torch.Tensor
) -> float:
    one = one_hot(states, N_STATES).double()
    logits = (one.flatten(1) @ couplings).view_as(one) + fields
    return -float((weights[:, None, None] * one * log_softmax(logits, dim=-1)).sum())


def contact_map(potts: Potts) -> Float[ndarray, "L L"]:
    """Zero-sum over 21 states, norm over the twenty amino acids, APC: the same for every side."""
    couplings = potts.couplings - potts.couplings.mean(axis=1, keepdims=True)
    couplings -= couplings.mean(axis=3, keepdims=True)
    kept = couplings[:, : len(AMINO_ACIDS), :, : len(AMINO_ACIDS)]
    return contact_scores(torch.from_numpy(np.ascontiguousarray(kept))).numpy()
