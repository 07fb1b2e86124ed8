"""A block of the contact map, without the rest of it.

The contact head adds up corrected attention maps. A block of one needs the attention between its
own residues, and, for the correction, how much attention each of them gives and receives: a few
columns of the map. Nothing is approximated; only the order of the sums differs.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from harness.blocks import Block
from harness.contact_regression import ContactRegression
from harness.models.network import Network

_SAFE = 1e-30, 1e30
"""Sums of exponentials between these have neither overflowed nor lost a digit."""

_HEADS_AT_ONCE = 4
"""Maps that are made at a time on a CPU: more leave its caches."""


def block_probabilities(
    network: Network,
    regression: ContactRegression,
    residues: Int[Tensor, "B L"],
    block: Block,
) -> Float[Tensor, "B R C"]:
    """Probabilities of contact in one block of the map of each sequence."""
    weights = regression.weight.view(len(network.layers), -1).to(residues.device)
    logits = regression.bias.to(residues.device)
    x = network.embed(network.tokens(residues))
    turns, last = network.turns(x), len(network.layers) - 1
    tokens = _tokens(block, x.shape[1], network.margin)
    for n, (layer, weight) in enumerate(zip(network.layers, weights, strict=True)):
        q, k, v = layer.self_attn.heads_of(layer.self_attn_layer_norm(x), turns)
        q, k, v = (part.transpose(1, 2) for part in (q, k, v))
        values, columns = attend(q, k, v, tokens)
        corrected = _Columns(columns, network.margin).within(block)
        logits = logits + torch.einsum("bhrc,h->brc", corrected, weight)
        if n < last:  # what follows the last attention is not looked at
            attended = layer.self_attn.out_proj(values.transpose(1, 2).flatten(2))
            x = layer.feed_forward(attended.add_(x))
    return torch.sigmoid(logits)


def attend(
    q: Float[Tensor, "B H T D"],
    k: Float[Tensor, "B H T D"],
    v: Float[Tensor, "B H T D"],
    tokens: list[slice],
) -> tuple[Float[Tensor, "B H T D"], Float[Tensor, "B H T K"]]:
    """Attended values, and how much each token attends to some of them (float32)."""
    q = q / math.sqrt(q.shape[-1])
    if q.device.type == "cpu" and q.dtype == torch.float32:
        values, columns, sums = _attend_unshifted(q, k, v, tokens)
        lowest, highest = torch.aminmax(sums)
        if _SAFE[0] < lowest and highest < _SAFE[1]:
            return values, columns
    weights = (q @ k.mT).softmax(-1, dtype=torch.float32)
    return weights.to(v.dtype) @ v, _taken(weights, tokens)


def _attend_unshifted(
    q: Float[Tensor, "B H T D"],
    k: Float[Tensor, "B H T D"],
    v: Float[Tensor, "B H T D"],
    tokens: list[slice],
) -> tuple[Float[Tensor, "B H T D"], Float[Tensor, "B H T K"], Float[Tensor, "B H T 1"]]:
    """The same and the sums of exponentials, a few maps at a time, half of the usual time.

    Scores are not made safe by subtracting the largest: whether they were shows in the sums.
    """
    sums = torch.empty_like(F.pad(v, (0, 1)))
    columns = q.new_empty(*q.shape[:3], sum(part.stop - part.start for part in tokens))
    summands = F.pad(v, (0, 1), value=1.0)
    for n in range(len(q)):
        for start in range(0, q.shape[1], _HEADS_AT_ONCE):
            at = n, slice(start, start + _HEADS_AT_ONCE)
            exponentials = torch.bmm(q[at], k[at].mT).exp_()
            sums[at] = torch.bmm(exponentials, summands[at])
            columns[at] = _taken(exponentials, tokens)
    return sums[..., :-1] / sums[..., -1:], columns.div_(sums[..., -1:]), sums[..., -1:]


def _taken(weights: Float[Tensor, "... T T"], tokens: list[slice]) -> Float[Tensor, "... T K"]:
    """Some columns of the maps."""
    return torch.cat([weights[..., part] for part in tokens], dim=-1)


def _tokens(block: Block, length: int, margin: int) -> list[slice]:
    """The tokens at both ends, then those of the block's residues."""
    ends = [slice(0, 1), slice(length - 1, length)] if margin else []
    return ends + [slice(part.start + margin, part.end + margin) for part in block.segments]


@dataclass(frozen=True, eq=False)
class _Columns:
    """Columns of attention maps (B, H, T, K): those of `_tokens`."""

    weights: Tensor
    margin: int

    def within(self, block: Block) -> Float[Tensor, "B H R C"]:
        """The block of A + Aᵀ, corrected as a whole, where A is the map between residues."""
        margin, tokens = self.margin, self.weights.shape[2]
        inner = self.weights[:, :, margin : tokens - margin]
        given = 1 - inner[..., : 2 * margin].sum(-1)  # to all residues, by each
        columns = inner[..., 2 * margin :]
        seen, n = block.residues, len(block.residues)
        up, across = slice(0, len(block.rows)), slice(n - len(block.columns), n)
        sums = given[..., seen] + columns.sum(-2)  # of the rows of A + Aᵀ
        total = 2 * given.sum(-1)[..., None, None]
        background = sums[..., up, None] * sums[..., None, across]
        own = columns[:, :, seen]
        both = own[:, :, up, across] + own[:, :, across, up].mT
        return both - torch.where(total == 0, 0, background / total)
