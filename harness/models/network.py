"""The ESM-2 network (Lin et al., Science 2023).

Parameter names are those of the published checkpoints, so a state dict loads without renaming.
Inside, sequences are T tokens with special ones at both ends; at the doors they are L residues.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from harness.models.rotary import RotaryEmbedding, rotate
from harness.models.vocabulary import AMINO_ACID_TOKENS, MASK_TOKEN, VOCABULARY, tokens_of

_TRAINED_MASK_RATIO = 0.15 * 0.8
"""Share of tokens replaced by <mask> when ESM-2 was trained, the constant of token dropout."""


@dataclass(frozen=True)
class Architecture:
    """The four numbers that a published checkpoint states about its model."""

    layers: int
    width: int
    heads: int
    token_dropout: bool

    def __post_init__(self) -> None:
        if min(self.layers, self.width, self.heads) < 1 or self.width % (2 * self.heads):
            raise ValueError(
                f"{self}: layers, width and heads must be positive and width a multiple of "
                "twice the number of heads"
            )


class SelfAttention(nn.Module):
    """Multi-head self-attention with rotary positions."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (
            nn.Linear(width, width) for _ in range(4)
        )
        self.rot_emb = RotaryEmbedding(width // heads)
        self.fused: nn.Module | None = None

    def fuse(self) -> None:
        """Make one layer of the three projections; for inference, it cannot be undone."""
        parts = (self.q_proj, self.k_proj, self.v_proj)
        width = self.q_proj.in_features
        self.fused = nn.Linear(width, 3 * width, device="meta")
        self.fused.weight = nn.Parameter(torch.cat([part.weight for part in parts]), False)
        self.fused.bias = nn.Parameter(torch.cat([part.bias for part in parts]), False)
        del self.q_proj, self.k_proj, self.v_proj

    def forward(self, x: Float[Tensor, "B T W"], turns: Tensor) -> Float[Tensor, "B T W"]:
        """The attended values, by fused attention."""
        q, k, v = (part.transpose(1, 2) for part in self.heads_of(x, turns))  # B H T D
        attended = F.scaled_dot_product_attention(q, k, v)
        return self.out_proj(attended.transpose(1, 2).flatten(2))

    def explained(
        self, x: Float[Tensor, "B T W"], turns: Tensor
    ) -> tuple[Float[Tensor, "B T W"], Float[Tensor, "B H T T"]]:
        """The same values, and how much each token (axis 2) attends to each (axis 3)."""
        q, k, v = (part.transpose(1, 2) for part in self.heads_of(x, turns))
        weights = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1, dtype=torch.float32)
        attended = weights.to(v.dtype) @ v
        return self.out_proj(attended.transpose(1, 2).flatten(2)), weights

    def heads_of(self, x: Float[Tensor, "... W"], turns: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Rotated queries, rotated keys and values, each (…, H, D)."""
        if self.fused is None:
            parts = [self.q_proj(x), self.k_proj(x), self.v_proj(x)]
        else:
            parts = self.fused(x).chunk(3, dim=-1)
        q, k, v = (part.unflatten(-1, (self.heads, -1)) for part in parts)
        return rotate(q, turns), rotate(k, turns), v


class Layer(nn.Module):
    """A pre-norm transformer layer."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.self_attn = SelfAttention(width, heads)
        self.self_attn_layer_norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)
        self.final_layer_norm = nn.LayerNorm(width)

    def forward(self, x: Float[Tensor, "B T W"], turns: Tensor) -> Float[Tensor, "B T W"]:
        """The residual stream after this layer."""
        return self.feed_forward(self.self_attn(self.self_attn_layer_norm(x), turns).add_(x))

    def feed_forward(self, x: Float[Tensor, "B T W"]) -> Float[Tensor, "B T W"]:
        """The residual stream after the second half of this layer."""
        return self.fc2(F.gelu(self.fc1(self.final_layer_norm(x)))).add_(x)


class LanguageModelHead(nn.Module):
    """Logits over the vocabulary; the output matrix is the embedding (tied)."""

    def __init__(self, embedding: Tensor) -> None:
        super().__init__()
        tokens, width = embedding.shape
        self.dense = nn.Linear(width, width)
        self.layer_norm = nn.LayerNorm(width)
        self.weight = embedding
        self.bias = nn.Parameter(torch.zeros(tokens))

    def forward(self, x: Float[Tensor, "B T W"], tokens: list[int]) -> Float[Tensor, "B T V"]:
        """Logits of the given tokens."""
        x = self.layer_norm(F.gelu(self.dense(x)))
        return F.linear(x, self.weight[tokens], self.bias[tokens])


class Network(nn.Module):
    """The network: residues or tokens in; logits, states and attention maps out."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.embed_tokens = nn.Embedding(len(VOCABULARY), architecture.width)
        self.layers: Sequence[Layer] = nn.ModuleList(  # type: ignore[assignment]
            Layer(architecture.width, architecture.heads) for _ in range(architecture.layers)
        )
        self.emb_layer_norm_after = nn.LayerNorm(architecture.width)
        self.lm_head = LanguageModelHead(self.embed_tokens.weight)

    def forward(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
        """Logits of all 33 tokens at all positions, special ones included."""
        x = self.after(self.embed(tokens), 0)
        return self.lm_head(self.emb_layer_norm_after(x), list(range(len(VOCABULARY))))

    def residue_logits(self, residues: Int[Tensor, "B L"]) -> Float[Tensor, "B L 20"]:
        """Logits of the twenty amino acids for sequences of `harness.alphabet` indices."""
        return self.logits_after(self.embed(tokens_of(residues)), 0)

    def logits_after(self, x: Float[Tensor, "B T W"], done: int) -> Float[Tensor, "B L 20"]:
        """Logits of the twenty amino acids, given the residual stream after `done` layers."""
        x = self.after(x, done)[:, 1:-1]
        return self.lm_head(self.emb_layer_norm_after(x), AMINO_ACID_TOKENS)

    def relaxed_logits(
        self, residues: Int[Tensor, " L"], x: Float[Tensor, "L 20"]
    ) -> Float[Tensor, "L 20"]:
        """Logits of one sequence with x[i, a] of amino acid a's embedding added at residue i."""
        tokens = tokens_of(residues[None])
        added = x @ self.embed_tokens.weight[AMINO_ACID_TOKENS] * self.token_scale(tokens)[0]
        embedded = self.embed(tokens) + self.enter(F.pad(added, (0, 0, 1, 1)))
        return self.logits_after(embedded, 0)[0]

    def hidden(self, residues: Int[Tensor, "B L"], layer: int) -> Float[Tensor, "B L W"]:
        """The residual stream at the residues after `layer` layers; 0 for the embeddings."""
        return self.hidden_after(self.embed(tokens_of(residues)), 0, layer)

    def hidden_after(
        self, x: Float[Tensor, "B T W"], done: int, layer: int
    ) -> Float[Tensor, "B L W"]:
        """The same, given the residual stream after `done` layers.

        After the last layer it is normalized, as among fair-esm's representations.
        """
        x = self.after(x, done, layer)[:, 1:-1]
        return self.emb_layer_norm_after(x) if layer == len(self.layers) else x

    def after(
        self, x: Float[Tensor, "B T W"], done: int, until: int | None = None
    ) -> Float[Tensor, "B T W"]:
        """The residual stream after `until` layers (all of them), given the one after `done`.

        The layers may compute in half precision; what comes back is single precision.
        """
        turns = self.turns(x)
        for layer in self.layers[done:until]:
            x = layer(x, turns)
        return x.to(self.embed_tokens.weight.dtype)

    def turns(self, x: Float[Tensor, "B T W"]) -> Tensor:
        """What positions turn queries and keys by; all layers of a checkpoint do the same."""
        return self.layers[0].self_attn.rot_emb(x)

    def attention(self, residues: Int[Tensor, "B L"]) -> Float[Tensor, "B N H L L"]:
        """Attention weights between residues, of N layers and H heads, computed explicitly.

        What goes to the special tokens is left out, so rows add up to less than one.
        """
        x, (batch, length) = self.embed(tokens_of(residues)), residues.shape
        shape = (batch, len(self.layers), self.architecture.heads, length, length)
        maps, turns = x.new_empty(shape, dtype=torch.float32), self.turns(x)
        for n, layer in enumerate(self.layers):
            attended, weights = layer.self_attn.explained(layer.self_attn_layer_norm(x), turns)
            maps[:, n] = weights[..., 1:-1, 1:-1]
            x = layer.feed_forward(attended.add_(x))
        return maps

    def embed(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T W"]:
        """Embeddings; with token dropout the masked ones are zero and the rest rescaled.

        The rescaling divides by the share of visible tokens, at inference too: with 22 of 300
        residues visible that is a factor of 11. The model was trained so.
        """
        x = self.embed_tokens(tokens)
        if self.architecture.token_dropout:
            x = x.masked_fill((tokens == MASK_TOKEN)[..., None], 0.0)
        return self.enter(x * self.token_scale(tokens))

    def enter(self, x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """The same numbers in the precision of the layers."""
        return x.to(self.layers[0].final_layer_norm.weight.dtype)

    def token_scale(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B 1 1"]:
        """What the embeddings of each sequence are multiplied with: 1 without token dropout."""
        weights = self.embed_tokens.weight
        if not self.architecture.token_dropout:
            return weights.new_ones(len(tokens), 1, 1)
        masked = (tokens == MASK_TOKEN).float().mean(1)
        return ((1 - _TRAINED_MASK_RATIO) / (1 - masked)).to(weights.dtype)[:, None, None]
