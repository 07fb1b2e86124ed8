"""The ESM-2 network (Lin et al., Science 2023).

Parameter names are those of the published checkpoints, so a state dict loads without renaming.
Special tokens, vocabulary order and offsets stay inside this file: outside it, a sequence is
L indices of `harness.alphabet`.
"""

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

    def forward(self, x: Float[Tensor, "B H T D"]) -> Float[Tensor, "B H T D"]:
        """The vectors at positions 0…T-1, rotated."""
        positions = torch.arange(x.shape[-2], device=x.device).type_as(self.inv_freq)
        angles = torch.outer(positions, self.inv_freq).repeat(1, 2)  # T D
        first, second = x.chunk(2, dim=-1)
        return x * angles.cos() + torch.cat((-second, first), dim=-1) * angles.sin()


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
        """The attended values."""
        q, k, v = (
            projection(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)  # B H T D
            for projection in (self.q_proj, self.k_proj, self.v_proj)
        )
        attended = F.scaled_dot_product_attention(self.rot_emb(q), self.rot_emb(k), v)
        return self.out_proj(attended.transpose(1, 2).flatten(2))


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

    def forward(self, x: Float[Tensor, "B T W"]) -> Float[Tensor, "B T V"]:
        """Logits of all 33 tokens."""
        return F.linear(self.layer_norm(F.gelu(self.dense(x))), self.weight, self.bias)


class Network(nn.Module):
    """The network: tokens of the published vocabulary in, logits out."""

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
        x = self._embed(tokens)
        for layer in self.layers:
            x = layer(x)
        return self.lm_head(self.emb_layer_norm_after(x))

    def residue_logits(self, residues: Int[Tensor, "B L"]) -> Float[Tensor, "B L 20"]:
        """Logits of the twenty amino acids for sequences of `harness.alphabet` indices."""
        vocabulary = residues.new_tensor(_RESIDUE_TOKENS)
        tokens = F.pad(vocabulary[residues], (1, 1))
        tokens[:, 0], tokens[:, -1] = _TOKENS["<cls>"], _TOKENS["<eos>"]
        return self(tokens)[:, 1:-1, _AMINO_ACID_TOKENS]

    def _embed(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T W"]:
        """Embeddings; with token dropout the masked ones are zero and the rest rescaled.

        The rescaling divides by the share of visible tokens, at inference too: with 22 of 300
        residues visible that is a factor of 11. The model was trained so.
        """
        x = self.embed_tokens(tokens)
        if not self.architecture.token_dropout:
            return x
        masked = tokens == _TOKENS["<mask>"]
        scale = (1 - _TRAINED_MASK_RATIO) / (1 - masked.float().mean(1))
        return x.masked_fill(masked[..., None], 0.0) * scale.to(x.dtype)[:, None, None]
