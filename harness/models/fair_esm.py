"""The layout that fair-esm publishes.

ESM-2: {"cfg": {"model": Namespace(encoder_layers, encoder_embed_dim, encoder_attention_heads,
token_dropout)}, "model": tensors named encoder.sentence_encoder.* and encoder.lm_head.*}. ESM-1b
has its settings under "args" (arch roberta_large), those above and max_positions among them.
"""

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from harness.contact_regression import regression_path
from harness.errors import InputError
from harness.models.network import Architecture, Network
from harness.models.tensors import Content, check_extent, unpickle

_PREFIX = re.compile(r"^encoder\.(sentence_encoder\.)?")


def read_fair_esm(path: Path) -> Content:
    """The content of a .pt file; InputError when it is not of this layout."""
    content = unpickle(path)
    try:
        tensors = {_PREFIX.sub("", name): value for name, value in content["model"].items()}
        architecture = _architecture(content, tensors)
        check_extent(architecture, tensors, [path])
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise InputError(
            f"{path}: not a fair-esm checkpoint of ESM-2 or ESM-1b ({type(error).__name__}: "
            f"{error}); expected cfg.model.encoder_layers, … and model.encoder.*"
        ) from error
    return Content(path, architecture, tensors, str, (path,), regression_path(path))


def save_fair_esm(network: Network, path: Path) -> None:
    """Write a network of ESM-2 in this layout, its weights in half precision."""
    architecture = network.architecture
    settings = argparse.Namespace(
        encoder_layers=architecture.layers,
        encoder_embed_dim=architecture.width,
        encoder_attention_heads=architecture.heads,
        token_dropout=architecture.token_dropout,
    )
    tensors = {
        _published_name(name): value if name.endswith("inv_freq") else value.half()
        for name, value in network.state_dict().items()
    }
    torch.save({"cfg": {"model": settings}, "model": tensors}, path)


def _architecture(content: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Architecture:
    """ESM-2's by its settings; ESM-1b's by them and by the tensors that are there."""
    if "args" not in content:
        settings = content["cfg"]["model"]
        return Architecture(
            layers=settings.encoder_layers,
            width=settings.encoder_embed_dim,
            heads=settings.encoder_attention_heads,
            token_dropout=settings.token_dropout,
        )
    given = {key.removeprefix("encoder_"): value for key, value in vars(content["args"]).items()}
    if given["arch"] != "roberta_large":
        raise ValueError(f"arch is {given['arch']!r}, of these files only ESM-1b's can be read")
    return Architecture(
        layers=given["layers"],
        width=given["embed_dim"],
        heads=given["attention_heads"],
        token_dropout=given.get("token_dropout", False),
        learned_positions=given["max_positions"],
        normalize_embeddings=any(name.startswith("emb_layer_norm_before") for name in tensors),
    )


def _published_name(name: str) -> str:
    within = "encoder." if name.startswith("lm_head.") else "encoder.sentence_encoder."
    return within + name
