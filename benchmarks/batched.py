"""The Jacobian by transformers' EsmForMaskedLM, batched across positions.

Its tensor stays on the device in float32 and goes through the harness's own, lean post-processing:
what is compared is the network.
"""

from collections.abc import Iterable
from pathlib import Path

import torch
from numpy import ndarray
from torch import Tensor

from benchmarks.checkpoints import read
from benchmarks.operations import operations
from benchmarks.published import AMINO_ACIDS, mutants_at, tokens_of
from harness.couplings import center_, contact_scores, symmetrize_

_NAMES = {
    "encoder.sentence_encoder.embed_tokens.": "esm.embeddings.word_embeddings.",
    "encoder.sentence_encoder.layers.": "esm.encoder.layer.",
    "encoder.sentence_encoder.": "esm.encoder.",
    "encoder.lm_head.weight": "lm_head.decoder.weight",
    "encoder.lm_head.": "lm_head.",
    ".self_attn.q_proj.": ".attention.self.query.",
    ".self_attn.k_proj.": ".attention.self.key.",
    ".self_attn.v_proj.": ".attention.self.value.",
    ".self_attn.out_proj.": ".attention.output.dense.",
    ".self_attn_layer_norm.": ".attention.LayerNorm.",
    ".final_layer_norm.": ".LayerNorm.",
    ".fc1.": ".intermediate.dense.",
    ".fc2.": ".output.dense.",
}


class Batched:
    """`start` with a protein, `fill` in all its positions, then ask for the `contacts`.

    A batch holds `sequences` mutants, or as many as fit in `tokens`.
    """

    mutants = 20

    def __init__(
        self,
        checkpoint: Path,
        device: torch.device,
        dtype: torch.dtype,
        tokens: int,
        sequences: int | None,
    ) -> None:
        self._network = load(checkpoint, device).to(dtype)
        self._device, self._batch_tokens, self._batch_sequences = device, tokens, sequences

    def start(self, sequence: str) -> None:
        """An empty tensor and the logits of the sequence as it is."""
        length = len(sequence)
        self._tokens = tokens_of(sequence).to(self._device)
        self._size = self._batch_sequences or max(1, self._batch_tokens // (length + 2))
        self._baseline = self._logits(self._tokens)
        self._jacobian = torch.zeros(length, 20, length, 20, device=self._device)

    def fill(self, sites: Iterable[int]) -> None:
        """Compute these positions."""
        chosen = list(sites)
        batches = mutants_at(chosen, self._tokens).split(self._size)
        rows = torch.cat([self._logits(batch) - self._baseline for batch in batches])
        self._jacobian[chosen] = rows.unflatten(0, (-1, 20))

    def contacts(self) -> ndarray:
        """The contact map; uses up the tensor."""
        return contact_scores(symmetrize_(center_(self._jacobian, "all"))).cpu().numpy()

    def whole(self, sequence: str) -> ndarray:
        """The contact map of a protein."""
        self.start(sequence)
        self.fill(range(len(sequence)))
        return self.contacts()

    def operations(self) -> float:
        """Floating-point operations of one mutant."""
        return operations(lambda: self.fill([0])) / self.mutants

    def _logits(self, tokens: Tensor) -> Tensor:
        with torch.inference_mode():
            return self._network(input_ids=tokens).logits[:, 1:-1, AMINO_ACIDS].float()


def load(checkpoint: Path, device: torch.device) -> torch.nn.Module:
    """A checkpoint of fair-esm's layout as EsmForMaskedLM with scaled-dot-product attention."""
    from transformers import EsmConfig, EsmForMaskedLM

    content = read(checkpoint)
    shape = content["cfg"]["model"]
    config = EsmConfig(
        vocab_size=33,
        hidden_size=shape.encoder_embed_dim,
        num_hidden_layers=shape.encoder_layers,
        num_attention_heads=shape.encoder_attention_heads,
        intermediate_size=4 * shape.encoder_embed_dim,
        position_embedding_type="rotary",
        token_dropout=shape.token_dropout,
        layer_norm_eps=1e-5,
        pad_token_id=1,
        mask_token_id=32,
        attn_implementation="sdpa",
    )
    with torch.device(device):
        network = EsmForMaskedLM(config)
    network.load_state_dict(_renamed(content["model"]), strict=False)  # no contact head
    return network.eval().requires_grad_(False)


def _renamed(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under the names of transformers; frequencies are not weights there."""
    renamed = {}
    for name, value in tensors.items():
        for theirs, ours in _NAMES.items():
            name = name.replace(theirs, ours)
        if not name.endswith("inv_freq"):
            renamed[name] = value
    return renamed
