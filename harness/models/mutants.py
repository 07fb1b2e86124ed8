"""The first layer of many mutants of one sequence, sharing what is the same in all of them.

A substitution changes the input of the first layer at one token only. Queries, keys and values of
all other tokens are those of the sequence itself, and so is the attention among them: a mutant adds
one key and one value, a softmax of two terms (all the others, and the new one), and asks one query
of its own. Nothing is approximated; only the order of the sums differs.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from harness.models.network import Network
from harness.models.vocabulary import tokens_of


class _Heads(NamedTuple):
    """Rotated queries, rotated keys and values, each (…, H, D)."""

    queries: Tensor
    keys: Tensor
    values: Tensor


@dataclass(frozen=True, eq=False)
class Mutants:
    """Mutants of one sequence, each with one residue substituted by another, none by the mask.

    (A mask would change token dropout's factor, and with it every embedding.)
    """

    network: Network
    residues: Int[Tensor, " L"]

    def first_layer(
        self, sites: Int[Tensor, " M"], substitutes: Int[Tensor, " M"]
    ) -> Float[Tensor, "M T W"]:
        """The residual streams after the first layer."""
        mutant = torch.arange(len(sites), device=sites.device)
        place = sites + self.network.margin
        layer, wild_type = self.network.layers[0], self._wild_type
        own, turns = self._embed(substitutes, place), self.network.turns(wild_type)
        turns = None if turns is None else turns[place]
        normed = layer.self_attn_layer_norm(own)
        changed = _Heads(*layer.self_attn.heads_of(normed, turns))
        attended = _others(self._heads, changed, place)
        attended[mutant, place] = _itself(self._heads, changed, place)
        stream = layer.self_attn.out_proj(attended.flatten(2))
        at_place = stream[mutant, place] + own
        stream += wild_type
        stream[mutant, place] = at_place
        return layer.feed_forward(stream)

    @cached_property
    def _wild_type(self) -> Float[Tensor, "T W"]:
        """What the first layer gets of the sequence itself."""
        return self.network.embed(self.network.tokens(self.residues[None]))[0]

    @cached_property
    def _heads(self) -> _Heads:
        """And what it makes of that."""
        layer, turns = self.network.layers[0], self.network.turns(self._wild_type)
        return _Heads(*layer.self_attn.heads_of(layer.self_attn_layer_norm(self._wild_type), turns))

    def _embed(
        self, substitutes: Int[Tensor, " M"], place: Int[Tensor, " M"]
    ) -> Float[Tensor, "M W"]:
        """Embeddings of the substitutes at their places, scaled as those of the sequence are."""
        tokens = tokens_of(substitutes[:, None])[:, 1]
        scale = self.network.token_scale(self.network.tokens(self.residues[None]))[0]
        embedded = self.network.embed_tokens(tokens) * scale
        if self.network.architecture.learned_positions:
            length = len(self._wild_type)
            embedded = embedded + self.network.learned_positions(length, place.device)[place]
        return self.network.enter(embedded)


def _others(same: _Heads, changed: _Heads, place: Int[Tensor, " M"]) -> Float[Tensor, "M T H D"]:
    """What each token attends to in each mutant, the substitute's own token aside."""
    places, which = torch.unique(place, return_inverse=True)
    scores = _products("thd,uhd->htu", same.queries, same.keys).repeat(len(places), 1, 1, 1)
    scores[torch.arange(len(places)), :, :, places] = -torch.inf  # S H T T, that key left out
    weight_of_rest = scores.logsumexp(-1)
    rest = scores.softmax(-1).to(same.values.dtype) @ same.values.transpose(0, 1)  # S H T D
    to_substitute = _products("thd,mhd->mht", same.queries, changed.keys)
    share = torch.sigmoid(to_substitute - weight_of_rest[which]).to(rest.dtype)
    return torch.lerp(
        rest.transpose(1, 2)[which], changed.values[:, None], share.transpose(1, 2)[..., None]
    )


def _itself(same: _Heads, changed: _Heads, place: Int[Tensor, " M"]) -> Float[Tensor, "M H D"]:
    """What the substitute's own token attends to in each mutant."""
    mutant = torch.arange(len(place), device=place.device)
    scores = _products("mhd,uhd->mhu", changed.queries, same.keys)
    scores[mutant, :, place] = _products("mhd,mhd->mh", changed.queries, changed.keys)
    share = scores.softmax(-1).to(same.values.dtype)
    rest = torch.einsum("mhu,uhd->mhd", share, same.values)
    own = share[mutant, :, place][..., None]
    return rest + own * (changed.values - same.values[place])


def _products(equation: str, queries: Tensor, keys: Tensor) -> Tensor:
    """Scaled products of queries and keys, in float32 at least: their exponentials follow."""
    precise = torch.promote_types(queries.dtype, torch.float32)
    scaled = queries.to(precise) / math.sqrt(queries.shape[-1])
    return torch.einsum(equation, scaled, keys.to(precise))
