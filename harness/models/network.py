"""The ESM-2 network (Lin et al., Science 2023).

Parameter names are those of the published checkpoints, so a state dict loads without renaming.
Special tokens, vocabulary order and offsets stay inside this file: outside it, a sequence is
L indices of `harness.alphabet`.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from harness.alphabet import AMINO_ACIDS

VOCABULARY = (
    "<cls> <pad> <eos> <unk> L A G V S E R T I D P K Q N F Y M H W C X B U Z O . - <null_1> <mask>"
)
"""The 33 tokens of ESM-1b and ESM-2 (fair-esm, esm.data.Alphabet), in order."""

_TOKENS = {token: index for index, token in enumerate(VOCABULARY.split())}
_AMINO_ACID_TOKENS = [_TOKENS[letter] for letter in AMINO_ACIDS]
_RESIDUE_TOKENS = [*_AMINO_ACID_TOKENS, _TOKENS["X"], _TOKENS["<mask>"]]

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


class RotaryEmbedding(nn.Module):
    """Rotation of queries and keys by their positions (Su et al., 2021)."""

    inv_freq: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("inv_freq", 10000 ** -(torch.arange(0, dim, 2).float() / dim))
        self._turns = torch.empty(0)

    def turns(self, x: Float[Tensor, "B T ..."]) -> Tensor:
        """exp(i · position · frequency) of positions 0…T-1, (T, 1, D/2); kept for the next call."""
        if len(self._turns) != x.shape[1] or self._turns.device != x.device:
            with torch.inference_mode(False), torch.no_grad():
                positions = torch.arange(x.shape[1], device=x.device)
                angles = torch.outer(positions, self.inv_freq.float())
                self._turns = torch.polar(torch.ones_like(angles), angles)[:, None]
        return self._turns


def rotate(x: Float[Tensor, "... H D"], turns: Tensor) -> Float[Tensor, "... H D"]:
    """The vectors turned; channels j and j + D/2, a pair, come back side by side.

    Queries and keys are reordered alike, which no product of the two can see. The complex product
    is several times as fast as products of halves, but there is none in half precision.
    """
    first, second = x.chunk(2, dim=-1)
    if x.dtype in (torch.float32, torch.float64):
        return torch.view_as_real(torch.complex(first, second) * turns).flatten(-2)
    cos, sin = turns.real.to(x.dtype), turns.imag.to(x.dtype)
    return torch.stack((first * cos - second * sin, second * cos + first * sin), -1).flatten(-2)


class SelfAttention(nn.Module):
    """Multi-head self-attention with rotary positions."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (
            nn.Linear(width, width) for _ in range(4)
        )
        self.rot_emb = RotaryEmbedding(width // heads)

    def forward(self, x: Float[Tensor, "B T W"]) -> Float[Tensor, "B T W"]:
        """The attended values, by fused attention."""
        q, k, v = (part.transpose(1, 2) for part in self.heads_of(x))  # B H T D
        attended = F.scaled_dot_product_attention(q, k, v)
        return self.out_proj(attended.transpose(1, 2).flatten(2))

    def weights(self, x: Float[Tensor, "B T W"]) -> Float[Tensor, "B H T T"]:
        """How much each token (third axis) attends to each (last axis), computed explicitly."""
        q, k, _ = (part.transpose(1, 2) for part in self.heads_of(x))
        return (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1)

    def heads_of(self, x: Float[Tensor, "B T W"]) -> tuple[Tensor, Tensor, Tensor]:
        """Rotated queries, rotated keys and values, each (B, T, H, D)."""
        q, k, v = self.projections(x)
        turns = self.rot_emb.turns(x)
        return rotate(q, turns), rotate(k, turns), v

    def projections(self, x: Float[Tensor, "... W"]) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values before rotation, each (…, H, D)."""
        q, k, v = (
            projection(x).unflatten(-1, (self.heads, -1))
            for projection in (self.q_proj, self.k_proj, self.v_proj)
        )
        return q, k, v


class Layer(nn.Module):
    """A pre-norm transformer layer."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.self_attn = SelfAttention(width, heads)
        self.self_attn_layer_norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)
        self.final_layer_norm = nn.LayerNorm(width)

    def forward(self, x: Float[Tensor, "B T W"]) -> Float[Tensor, "B T W"]:
        """The residual stream after this layer."""
        x = x + self.self_attn(self.self_attn_layer_norm(x))
        return self.feed_forward(x)

    def feed_forward(self, x: Float[Tensor, "B T W"]) -> Float[Tensor, "B T W"]:
        """The residual stream after the second half of this layer."""
        return x + self.fc2(F.gelu(self.fc1(self.final_layer_norm(x))))


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
    """The network. Inside it a sequence has special tokens at both ends, outside it has not."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.embed_tokens = nn.Embedding(len(_TOKENS), architecture.width)
        self.layers = nn.ModuleList(
            Layer(architecture.width, architecture.heads) for _ in range(architecture.layers)
        )
        self.emb_layer_norm_after = nn.LayerNorm(architecture.width)
        self.lm_head = LanguageModelHead(self.embed_tokens.weight)

    def forward(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
        """Logits of all 33 tokens at all positions, special ones included."""
        x = self.after(self.embed(tokens), 0)
        return self.lm_head(self.emb_layer_norm_after(x), list(range(len(_TOKENS))))

    def residue_logits(self, residues: Int[Tensor, "B L"]) -> Float[Tensor, "B L 20"]:
        """Logits of the twenty amino acids for sequences of `harness.alphabet` indices."""
        return self.amino_acid_logits(self.after(self.embed(tokens_of(residues)), 0))

    def relaxed_logits(
        self, residues: Int[Tensor, " L"], x: Float[Tensor, "L 20"]
    ) -> Float[Tensor, "L 20"]:
        """Logits of one sequence with x[i, a] of amino acid a's embedding added at residue i."""
        tokens = tokens_of(residues[None])
        added = x @ self.embed_tokens.weight[_AMINO_ACID_TOKENS]
        if self.architecture.token_dropout:
            added = added * self.token_scale(tokens)[0]
        embedded = self.embed(tokens) + F.pad(added, (0, 0, 1, 1))
        return self.amino_acid_logits(self.after(embedded, 0))[0]

    def hidden(self, residues: Int[Tensor, "B L"], layer: int) -> Float[Tensor, "B L W"]:
        """The residual stream at the residues after `layer` layers, after all of them normalized.

        Layer 0 is the embedding; numbering and final norm are those of fair-esm's representations.
        """
        x = self.after(self.embed(tokens_of(residues)), 0, layer)[:, 1:-1]
        return self.emb_layer_norm_after(x) if layer == len(self.layers) else x

    def amino_acid_logits(self, x: Float[Tensor, "B T W"]) -> Float[Tensor, "B L 20"]:
        """Logits of the twenty amino acids at the residues, from the last residual stream."""
        return self.lm_head(self.emb_layer_norm_after(x[:, 1:-1]), _AMINO_ACID_TOKENS)

    def after(
        self, x: Float[Tensor, "B T W"], done: int, until: int | None = None
    ) -> Float[Tensor, "B T W"]:
        """The residual stream after `until` layers (all of them), given the one after `done`."""
        for layer in self.layers[done:until]:
            x = layer(x)
        return x

    def attention(self, residues: Int[Tensor, "B L"]) -> Float[Tensor, "B N H L L"]:
        """Attention weights between residues, of N layers and H heads.

        What goes to the special tokens is left out, so rows add up to less than one.
        """
        x, maps = self.embed(tokens_of(residues)), []
        for layer in self.layers:
            maps.append(layer.self_attn.weights(layer.self_attn_layer_norm(x))[..., 1:-1, 1:-1])
            x = layer(x)
        return torch.stack(maps, dim=1)

    def embed(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T W"]:
        """Embeddings; with token dropout the masked ones are zero and the rest rescaled.

        The rescaling divides by the share of visible tokens, at inference too: with 22 of 300
        residues visible that is a factor of 11. The model was trained so.
        """
        x = self.embed_tokens(tokens)
        if not self.architecture.token_dropout:
            return x
        masked = (tokens == _TOKENS["<mask>"])[..., None]
        return x.masked_fill(masked, 0.0) * self.token_scale(tokens).to(x.dtype)

    def token_scale(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B 1 1"]:
        """What token dropout multiplies the embeddings of each sequence with."""
        masked = (tokens == _TOKENS["<mask>"]).float().mean(1)
        return ((1 - _TRAINED_MASK_RATIO) / (1 - masked))[:, None, None]


def tokens_of(residues: Int[Tensor, "B L"]) -> Int[Tensor, "B T"]:
    """Tokens of the published vocabulary, special ones included."""
    tokens = F.pad(residues.new_tensor(_RESIDUE_TOKENS)[residues], (1, 1))
    tokens[:, 0], tokens[:, -1] = _TOKENS["<cls>"], _TOKENS["<eos>"]
    return tokens
