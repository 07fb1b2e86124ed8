"""Tokens of ESM-2: the one place that knows their order, and the special ones at both ends.

Everywhere else a sequence is L indices of `harness.alphabet`.
"""

from typing import Literal

import torch.nn.functional as F
from jaxtyping import Int
from torch import Tensor

from harness.alphabet import AMINO_ACIDS

_BEFORE, _AFTER = ("<cls>", "<pad>", "<eos>", "<unk>"), ("<null_1>", "<mask>")
VOCABULARY = [*_BEFORE, *"LAGVSERTIDPKQNFYMHWCXBUZO.-", *_AFTER]
"""The 33 tokens of ESM-1b and ESM-2 (fair-esm, esm.data.Alphabet), in order."""

_TOKENS = {token: index for index, token in enumerate(VOCABULARY)}
AMINO_ACID_TOKENS = [_TOKENS[letter] for letter in AMINO_ACIDS]
MASK_TOKEN = _TOKENS["<mask>"]
_RESIDUE_TOKENS = [*AMINO_ACID_TOKENS, _TOKENS["X"], MASK_TOKEN]


Ends = Literal["kept", "masked", "absent"]
"""What stands before and after the residues: <cls> and <eos>, two masks, or nothing."""

_END_TOKENS = {"kept": (_TOKENS["<cls>"], _TOKENS["<eos>"]), "masked": (MASK_TOKEN, MASK_TOKEN)}


def tokens_of(residues: Int[Tensor, "B L"], ends: Ends = "kept") -> Int[Tensor, "B T"]:
    """Tokens of the published vocabulary, those at both ends included."""
    tokens = residues.new_tensor(_RESIDUE_TOKENS)[residues]
    if ends == "absent":
        return tokens
    tokens = F.pad(tokens, (1, 1))
    tokens[:, 0], tokens[:, -1] = _END_TOKENS[ends]
    return tokens
