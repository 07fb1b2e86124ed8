"""The same random weights in every layout in which checkpoints are published."""

import argparse
import json

import esm
import torch

FOLDERS = ("safetensors", "sharded", "bin", "sharded_bin")
"""Layouts of the Hugging Face hub."""


def random_esm2(layers, width, heads):
    """fair-esm's ESM-2 with random weights everywhere, those of the contact head included."""
    torch.manual_seed(0)
    return _randomized(esm.ESM2(layers, width, heads, "ESM-1b", True))


def random_esm1b(layers, width, heads, positions):
    """fair-esm's ESM-1b with random weights, made as its loader makes it."""
    torch.manual_seed(0)
    settings = {"arch": "roberta_large", "max_positions": positions, "token_dropout": True}
    settings |= {"layers": layers, "embed_dim": width, "ffn_embed_dim": 4 * width}
    settings |= {"attention_heads": heads, "emb_layer_norm_before": True}
    alphabet = esm.Alphabet.from_architecture("roberta_large")
    network = _randomized(esm.ProteinBertModel(argparse.Namespace(**settings), alphabet))
    network.embed_tokens.weight[alphabet.mask_idx] = 0  # as its loader does
    network.alphabet = alphabet  # as ESM-2 has it
    return network


def _randomized(network):
    network = network.eval().requires_grad_(False)
    for name, weights in network.named_parameters():
        weights += (2.0 if name.endswith("regression.weight") else 0.05) * torch.randn_like(weights)
    network.embed_tokens.weight *= 2 / network.embed_tokens.embedding_dim**0.5
    return network  # it is the output matrix too: logits of order one


def write_fair_esm(network, path):
    """fair-esm's .pt file, and the contact regression beside it."""
    tensors = network.state_dict()
    weights = {k: v for k, v in tensors.items() if not k.startswith("contact_head")}
    model = {f"encoder.{_room(name)}{name}": value for name, value in weights.items()}
    if isinstance(network, esm.ESM2):
        settings = {"encoder_layers": network.num_layers, "encoder_embed_dim": network.embed_dim}
        settings |= {"encoder_attention_heads": network.attention_heads, "token_dropout": True}
        content = {"cfg": {"model": argparse.Namespace(**settings)}, "model": model}
    else:
        names = ("layers", "embed_dim", "ffn_embed_dim", "attention_heads")
        given = vars(network.args)
        settings = {f"encoder_{key}" if key in names else key: given[key] for key in given}
        del settings["emb_layer_norm_before"]  # its loader looks at the tensors
        content = {"args": argparse.Namespace(**settings), "model": model}
    torch.save(content, path)
    head = {name: value for name, value in tensors.items() if name.startswith("contact_head")}
    torch.save({"model": head}, path.with_name(f"{path.stem}-contact-regression.pt"))


def _room(name):
    return "" if name.startswith("lm_head") else "sentence_encoder."


def write_hugging_face(model, kind, folder):
    """A folder as transformers writes it, or as its older releases did (.bin)."""
    if kind in ("safetensors", "sharded"):
        size = {"sharded": sum(weights.numel() for weights in model.parameters()) * 4 // 3}
        model.save_pretrained(folder, max_shard_size=size.get(kind, "50GB"))
        return
    folder.mkdir()
    model.config.save_pretrained(folder)
    tensors = _as_before(model)
    if kind == "bin":
        torch.save(tensors, folder / "pytorch_model.bin")
        return
    parts = [dict(list(tensors.items())[n::2]) for n in range(2)]
    files = [f"pytorch_model-{n:05}-of-00002.bin" for n in (1, 2)]
    for part, file in zip(parts, files, strict=True):
        torch.save(part, folder / file)
    weight_map = {name: file for part, file in zip(parts, files, strict=True) for name in part}
    index = {"metadata": {}, "weight_map": weight_map}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index), encoding="utf-8")


def _as_before(model):
    """Tensors with what releases of 2022 wrote besides: frequencies per layer, unused positions."""
    tensors = dict(model.state_dict())
    frequencies = tensors.pop("esm.rotary_embeddings.inv_freq", None)
    tensors["esm.embeddings.position_ids"] = torch.arange(1026)[None]
    if frequencies is not None:
        for n in range(model.config.num_hidden_layers):
            name = f"esm.encoder.layer.{n}.attention.self.rotary_embeddings.inv_freq"
            tensors[name] = frequencies
        unused = torch.randn(1026, model.config.hidden_size)
        tensors["esm.embeddings.position_embeddings.weight"] = unused
    return tensors
