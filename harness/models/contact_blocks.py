"""A block of the contact map, without the rest of it.

The contact head adds up corrected attention maps. A block of one needs the attention between its
own residues, and, for the correction, how much attention each of them gives and receives. Given
the logarithm of each softmax's denominator, which fused attention knows, these are a few columns of
the map; no map is ever formed. Nothing is approximated.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from harness.blocks import Block
from harness.contact_regression import ContactRegression
from harness.models.network import Network


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
    for n, (layer, weight) in enumerate(zip(network.layers, weights, strict=True)):
        heads = layer.self_attn.heads_of(layer.self_attn_layer_norm(x), turns)
        q, k, v = (part.transpose(1, 2) for part in heads)
        values, denominators = attend(q, k, v)
        attention = _Attention(q, k, denominators, network.margin)
        logits = logits + torch.einsum("bhrc,h->brc", attention.within(block), weight)
        if n < last:  # what follows the last attention is not looked at
            attended = layer.self_attn.out_proj(values.transpose(1, 2).flatten(2))
            x = layer.feed_forward(attended.add_(x))
    return torch.sigmoid(logits)


def attend(
    q: Float[Tensor, "B H T D"], k: Float[Tensor, "B H T D"], v: Float[Tensor, "B H T D"]
) -> tuple[Float[Tensor, "B H T D"], Float[Tensor, "B H T"]]:
    """Attended values, and the logarithm of the denominator of each token's softmax (float32)."""
    if q.device.type == "cpu" and q.dtype == torch.float32:
        values, denominators = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(q, k, v)
        return values, denominators
    scores = (q @ k.mT).float() / math.sqrt(q.shape[-1])
    denominators = scores.logsumexp(-1)
    return (scores - denominators[..., None]).exp_().to(v.dtype) @ v, denominators


@dataclass(frozen=True, eq=False)
class _Attention:
    """Attention of one layer: queries and keys (B, H, T, D), and each query's denominator."""

    q: Tensor
    k: Tensor
    denominators: Tensor
    margin: int

    def within(self, block: Block) -> Float[Tensor, "B H R C"]:
        """The block of A + Aᵀ, corrected as a whole, where A is the map between residues."""
        seen = torch.tensor(block.residues, device=self.q.device)
        up, across = slice(0, len(block.rows)), slice(len(seen) - len(block.columns), None)
        weights, given = self._to(seen)
        sums = given[..., seen] + weights.sum(-2)  # of the rows of A + Aᵀ
        total = 2 * given.sum(-1)[..., None, None]
        background = sums[..., up, None] * sums[..., None, across]
        own = weights[:, :, seen]
        both = own[:, :, up, across] + own[:, :, across, up].mT
        return both - torch.where(total == 0, 0, background / total)

    def _to(
        self, seen: Int[Tensor, " S"]
    ) -> tuple[Float[Tensor, "B H L S"], Float[Tensor, "B H L"]]:
        """What each residue attends to these residues, and to all residues together."""
        tokens, margin = self.q.shape[2], self.margin
        ends = seen.new_tensor([0, tokens - 1] if margin else [])
        keys = self.k[:, :, torch.cat((ends, seen + margin))]
        queries = self.q[:, :, margin : tokens - margin]
        denominators = self.denominators[:, :, margin : tokens - margin, None]
        scores = (queries @ keys.mT).float() / math.sqrt(keys.shape[-1])
        weights = (scores - denominators).exp_()
        return weights[..., 2 * margin :], 1 - weights[..., : 2 * margin].sum(-1)
