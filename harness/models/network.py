"""The networks of ESM-2 (Lin et al., Science 2023) and ESM-1b (Rives et al., PNAS 2021).

Parameter names are those of the published checkpoints, so a state dict loads without renaming.
Inside, sequences are T tokens, with special ones at both ends; at the doors they are L residues.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from harness.errors import InputError
from harness.models.layers import LanguageModelHead, Layer
from harness.models.positions import TokenPositions
from harness.models.vocabulary import AMINO_ACID_TOKENS, MASK_TOKEN, VOCABULARY, Ends, tokens_of

_TRAINED_MASK_RATIO = 0.15 * 0.8
"""Share of tokens replaced by <mask> when ESM-2 was trained, the constant of token dropout."""

_POSITION_OFFSET = 2
"""Rows of a table of positions that stand for padding (fair-esm, LearnedPositionalEmbedding)."""


@dataclass(frozen=True)
class Architecture:
    """What a published checkpoint states about its model.

    ESM-2 turns queries and keys by position; ESM-1b instead adds one of `learned_positions` vectors
    to each token's embedding, and with `normalize_embeddings` a norm follows.
    """

    layers: int
    width: int
    heads: int
    token_dropout: bool
    learned_positions: int = 0
    normalize_embeddings: bool = False

    def __post_init__(self) -> None:
        counts = (self.layers, self.width, self.heads, self.learned_positions)
        if not all(type(count) is int for count in counts) or self.learned_positions < 0:
            raise ValueError(f"{self}: layers, width, heads and positions must be whole numbers")
        if min(self.layers, self.width, self.heads) < 1 or self.width % (2 * self.heads):
            raise ValueError(
                f"{self}: layers, width and heads must be positive and width a multiple of "
                "twice the number of heads"
            )


class Network(nn.Module):
    """The network: residues or tokens in; logits, states and attention maps out."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.stand_between("kept")
        width, learned = architecture.width, architecture.learned_positions
        self.embed_tokens = nn.Embedding(len(VOCABULARY), width)
        if learned:
            self.embed_positions = nn.Embedding(learned + _POSITION_OFFSET, width)
        if architecture.normalize_embeddings:
            self.emb_layer_norm_before = nn.LayerNorm(width)
        self.layers: Sequence[Layer] = nn.ModuleList(  # type: ignore[assignment]
            Layer(width, architecture.heads, not learned) for _ in range(architecture.layers)
        )
        self.emb_layer_norm_after = nn.LayerNorm(architecture.width)
        self.lm_head = LanguageModelHead(self.embed_tokens.weight)

    def forward(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
        """Logits of all 33 tokens at all positions, special ones included."""
        x = self.after(self.embed(tokens), 0)
        return self.lm_head(self.emb_layer_norm_after(x), list(range(len(VOCABULARY))))

    def residue_logits(self, residues: Int[Tensor, "B L"]) -> Float[Tensor, "B L 20"]:
        """Logits of the twenty amino acids for sequences of `harness.alphabet` indices."""
        return self.logits_after(self.embed(self.tokens(residues)), 0)

    def logits_after(self, x: Float[Tensor, "B T W"], done: int) -> Float[Tensor, "B L 20"]:
        """Logits of the twenty amino acids, given the residual stream after `done` layers."""
        x = self.inner(self.after(x, done), 1)
        return self.lm_head(self.emb_layer_norm_after(x), AMINO_ACID_TOKENS)

    def relaxed_logits(
        self, residues: Int[Tensor, " L"], x: Float[Tensor, "L 20"]
    ) -> Float[Tensor, "L 20"]:
        """Logits of one sequence with x[i, a] of amino acid a's embedding added at residue i."""
        tokens = self.tokens(residues[None])
        added = x @ self.embed_tokens.weight[AMINO_ACID_TOKENS] * self.token_scale(tokens)[0]
        embedded = self.scaled(tokens)[0] + F.pad(added, (0, 0, self.margin, self.margin))
        return self.logits_after(self.place(embedded)[None], 0)[0]

    def hidden(self, residues: Int[Tensor, "B L"], layer: int) -> Float[Tensor, "B L W"]:
        """The residual stream at the residues after `layer` layers; 0 for the embeddings."""
        return self.hidden_after(self.embed(self.tokens(residues)), 0, layer)

    def hidden_after(
        self, x: Float[Tensor, "B T W"], done: int, layer: int
    ) -> Float[Tensor, "B L W"]:
        """The same, given the residual stream after `done` layers.

        After the last layer it is normalized, as among fair-esm's representations.
        """
        x = self.inner(self.after(x, done, layer), 1)
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

    def turns(self, x: Float[Tensor, "... T W"]) -> Tensor | None:
        """What positions turn queries and keys by; all layers of a checkpoint do the same."""
        rotary = self.layers[0].self_attn.rot_emb
        return None if rotary is None else rotary(self.positions(x.shape[-2], x.device))

    def attention(self, residues: Int[Tensor, "B L"]) -> Float[Tensor, "B N H L L"]:
        """Attention weights between residues, of N layers and H heads, computed explicitly.

        What goes to the special tokens is left out, so rows add up to less than one.
        """
        x, (batch, length) = self.embed(self.tokens(residues)), residues.shape
        shape = (batch, len(self.layers), self.architecture.heads, length, length)
        maps, turns = x.new_empty(shape, dtype=torch.float32), self.turns(x)
        for n, layer in enumerate(self.layers):
            attended, weights = layer.self_attn.explained(layer.self_attn_layer_norm(x), turns)
            maps[:, n] = self.inner(self.inner(weights, -1), -2)
            x = layer.feed_forward(attended.add_(x))
        return maps

    def stand_between(self, ends: Ends) -> None:
        """From now on residues stand between these tokens."""
        self.ends, self.margin = ends, 0 if ends == "absent" else 1
        self.positions = TokenPositions(self.margin)

    def tokens(self, residues: Int[Tensor, "B L"]) -> Int[Tensor, "B T"]:
        """The tokens of sequences, those at both ends included."""
        return tokens_of(residues, self.ends)

    def inner(self, x: Tensor, axis: int) -> Tensor:
        """What belongs to the residues along an axis of tokens."""
        return x.narrow(axis, self.margin, x.shape[axis] - 2 * self.margin)

    def embed(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T W"]:
        """What the first layer gets."""
        return self.place(self.scaled(tokens))

    def scaled(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T W"]:
        """Embeddings; with token dropout the masked ones are zero and the rest rescaled.

        The rescaling divides by the share of visible tokens, at inference too: with 22 of 300
        residues visible that is a factor of 11. The model was trained so.
        """
        x = self.embed_tokens(tokens)
        if self.architecture.token_dropout:
            x = x.masked_fill((tokens == MASK_TOKEN)[..., None], 0.0)
        return x * self.token_scale(tokens)

    def place(self, x: Float[Tensor, "... T W"]) -> Float[Tensor, "... T W"]:
        """Embeddings of all tokens where they stand, in the precision of the layers."""
        if self.architecture.learned_positions:
            x = x + self.learned_positions(x.shape[-2], x.device)
        return self.enter(x)

    def enter(self, x: Float[Tensor, "... W"]) -> Float[Tensor, "... W"]:
        """The same, normalized where the model does so, in the precision of the layers."""
        if self.architecture.normalize_embeddings:
            x = self.emb_layer_norm_before(x)
        return x.to(self.layers[0].final_layer_norm.weight.dtype)

    def learned_positions(self, tokens: int, device: torch.device) -> Float[Tensor, "T W"]:
        """The vectors of the positions; InputError beyond the last that the model has learned."""
        positions, known = self.positions(tokens, device), self.architecture.learned_positions
        if positions.device.type != "meta" and int(positions[-1]) >= known:
            raise InputError(
                f"a token stands at {int(positions[-1])}, and this model has learned {known} "
                "positions, special tokens among them; use windows=overlapping"
            )
        return self.embed_positions(positions + _POSITION_OFFSET)

    def token_scale(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B 1 1"]:
        """What the embeddings of each sequence are multiplied with: 1 without token dropout.

        And 1 where every token is masked: then all are zero, and there is nothing to rescale.
        """
        weights = self.embed_tokens.weight
        if not self.architecture.token_dropout:
            return weights.new_ones(len(tokens), 1, 1)
        visible = 1 - (tokens == MASK_TOKEN).float().mean(1)
        scale = torch.where(visible > 0, (1 - _TRAINED_MASK_RATIO) / visible, 1)
        return scale.to(weights.dtype)[:, None, None]


def in_layers(name: str) -> bool:
    """Whether a tensor may be in half precision: weights of the layers, not their frequencies."""
    return name.startswith("layers.") and not name.endswith("inv_freq")


def expected_shapes(architecture: Architecture) -> dict[str, torch.Size]:
    """Names and shapes of the tensors of a network."""
    with torch.device("meta"):
        tensors = Network(architecture).state_dict()
    return {name: tensor.shape for name, tensor in tensors.items()}
