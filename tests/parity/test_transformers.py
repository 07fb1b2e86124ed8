"""Attention maps and contacts against transformers' ESM, on the same random weights.

The weights are fair-esm's, renamed; transformers' explicit ("eager") attention is asked for,
because its fused path has no maps. Both compute in single precision: 1e-5, as for fair-esm.
"""

import re

import pytest
import torch

from tests.parity.test_attention import SEQUENCES, SHAPES, TOLERANCE, both, residues, their_tokens

transformers = pytest.importorskip("transformers")

RENAMES = [
    (r"^embed_positions", "esm.embeddings.position_embeddings"),
    (r"^emb_layer_norm_before", "esm.embeddings.layer_norm"),
    (r"^embed_tokens", "esm.embeddings.word_embeddings"),
    (r"^emb_layer_norm_after", "esm.encoder.emb_layer_norm_after"),
    (r"^contact_head", "esm.contact_head"),
    (r"^layers\.", "esm.encoder.layer."),
    (r"self_attn\.q_proj", "attention.self.query"),
    (r"self_attn\.k_proj", "attention.self.key"),
    (r"self_attn\.v_proj", "attention.self.value"),
    (r"self_attn\.out_proj", "attention.output.dense"),
    (r"self_attn\.rot_emb", "attention.self.rotary_embeddings"),
    (r"self_attn_layer_norm", "attention.LayerNorm"),
    (r"fc1", "intermediate.dense"),
    (r"fc2", "output.dense"),
    (r"final_layer_norm", "LayerNorm"),
    (r"^lm_head\.weight", "lm_head.decoder.weight"),
]


def renamed(name):
    for pattern, replacement in RENAMES:
        name = re.sub(pattern, replacement, name)
    return name


def their_model(network, shape, **extra):
    """Transformers' EsmForMaskedLM with the weights of a network of fair-esm."""
    layers, width, heads = shape
    settings = {
        "vocab_size": 33,
        "mask_token_id": 32,
        "pad_token_id": 1,
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": 4 * width,
        "layer_norm_eps": 1e-5,
        "position_embedding_type": "rotary",
        "token_dropout": True,
        "attn_implementation": "eager",
    }
    config = transformers.EsmConfig(**(settings | extra))
    model = transformers.EsmForMaskedLM(config).eval().requires_grad_(False)
    weights = {renamed(name): value for name, value in network.state_dict().items()}
    missing, _ = model.load_state_dict(weights, strict=False)
    assert [name for name in missing if "rotary" not in name] == []
    return model


@pytest.mark.parametrize("sequence", SEQUENCES.values(), ids=SEQUENCES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_attention_maps_agree(shape, sequence):
    theirs, ours, _ = both(shape)
    tokens = their_tokens(theirs, sequence)
    out = their_model(theirs, shape).esm(
        tokens, attention_mask=torch.ones_like(tokens), output_attentions=True
    )
    expected = torch.stack(out.attentions, dim=1)[..., 1:-1, 1:-1]
    found = ours.attention(residues(sequence))
    torch.testing.assert_close(found, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("sequence", SEQUENCES.values(), ids=SEQUENCES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_contacts_agree(shape, sequence):
    theirs, ours, regression = both(shape)
    tokens = their_tokens(theirs, sequence)
    model = their_model(theirs, shape)
    expected = model.predict_contacts(tokens, torch.ones_like(tokens))[0]
    found = regression(ours.attention(residues(sequence))[0])
    torch.testing.assert_close(found, expected, rtol=0, atol=TOLERANCE)


def test_logits_agree():
    theirs, ours, _ = both((2, 16, 2))
    tokens = their_tokens(theirs, SEQUENCES["some_masked"])
    expected = their_model(theirs, (2, 16, 2))(tokens, torch.ones_like(tokens)).logits
    torch.testing.assert_close(ours(tokens), expected, rtol=1e-5, atol=TOLERANCE)
