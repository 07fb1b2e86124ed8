"""The layers of ESM-2 and ESM-1b; parameter names are those of the published checkpoints."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from harness.models.rotary import RotaryEmbedding, rotate


class SelfAttention(nn.Module):
    """Multi-head self-attention, with rotary positions or none of its own."""

    def __init__(self, width: int, heads: int, rotary: bool) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (
            nn.Linear(width, width) for _ in range(4)
        )
        self.rot_emb = RotaryEmbedding(width // heads) if rotary else None
        self.fused: nn.Module | None = None

    def fuse(self) -> None:
        """Make one layer of the three projections; for inference, it cannot be undone."""
        parts = (self.q_proj, self.k_proj, self.v_proj)
        width = self.q_proj.in_features
        self.fused = nn.Linear(width, 3 * width, device="meta")
        self.fused.weight = nn.Parameter(torch.cat([part.weight for part in parts]), False)
        self.fused.bias = nn.Parameter(torch.cat([part.bias for part in parts]), False)
        del self.q_proj, self.k_proj, self.v_proj

    def forward(self, x: Float[Tensor, "B T W"], turns: Tensor | None) -> Float[Tensor, "B T W"]:
        """The attended values, by fused attention."""
        q, k, v = (part.transpose(1, 2) for part in self.heads_of(x, turns))  # B H T D
        attended = F.scaled_dot_product_attention(q, k, v)
        return self.out_proj(attended.transpose(1, 2).flatten(2))

    def explained(
        self, x: Float[Tensor, "B T W"], turns: Tensor | None
    ) -> tuple[Float[Tensor, "B T W"], Float[Tensor, "B H T T"]]:
        """The same values, and how much each token (axis 2) attends to each (axis 3)."""
        q, k, v = (part.transpose(1, 2) for part in self.heads_of(x, turns))
        weights = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1, dtype=torch.float32)
        attended = weights.to(v.dtype) @ v
        return self.out_proj(attended.transpose(1, 2).flatten(2)), weights

    def heads_of(
        self, x: Float[Tensor, "... W"], turns: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Queries and keys, rotated where there are turns, and values, each (…, H, D)."""
        if self.fused is None:
            parts = [self.q_proj(x), self.k_proj(x), self.v_proj(x)]
        else:
            parts = self.fused(x).chunk(3, dim=-1)
        q, k, v = (part.unflatten(-1, (self.heads, -1)) for part in parts)
        return (q, k, v) if turns is None else (rotate(q, turns), rotate(k, turns), v)


class Layer(nn.Module):
    """A pre-norm transformer layer."""

    def __init__(self, width: int, heads: int, rotary: bool) -> None:
        super().__init__()
        self.self_attn = SelfAttention(width, heads, rotary)
        self.self_attn_layer_norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)
        self.final_layer_norm = nn.LayerNorm(width)

    def forward(self, x: Float[Tensor, "B T W"], turns: Tensor | None) -> Float[Tensor, "B T W"]:
        """The residual stream after this layer."""
        return self.feed_forward(added(x, self.self_attn(self.self_attn_layer_norm(x), turns)))

    def feed_forward(self, x: Float[Tensor, "B T W"]) -> Float[Tensor, "B T W"]:
        """The residual stream after the second half of this layer."""
        return added(x, self.fc2(F.gelu(self.fc1(self.final_layer_norm(x)))))


def added(x: Float[Tensor, "B T W"], change: Float[Tensor, "B T W"]) -> Float[Tensor, "B T W"]:
    """The residual stream after a change, which is used up; never less precise than the stream."""
    return change.add_(x) if change.dtype == x.dtype else x + change


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
