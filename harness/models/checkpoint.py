"""Checkpoints in the layout that fair-esm publishes, read and written.

{"cfg": {"model": Namespace(encoder_layers, encoder_embed_dim, encoder_attention_heads,
token_dropout)}, "model": tensors named encoder.sentence_encoder.* and encoder.lm_head.*}
"""

import argparse
import hashlib
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from harness.errors import InputError, PrerequisiteError
from harness.models.network import Architecture, Network

_PREFIX = re.compile(r"^encoder\.(sentence_encoder\.)?")
_CONTACT_HEAD = "contact_head."


def load_checkpoint(path: Path) -> Network:
    """The network of a checkpoint, in float32.

    Only tensors and plain values are unpickled: code in the file is never run. Raises
    PrerequisiteError when there is no such file, InputError when it is not a checkpoint of this
    layout.
    """
    content = _unpickle(path)
    try:
        settings = content["cfg"]["model"]
        architecture = Architecture(
            layers=settings.encoder_layers,
            width=settings.encoder_embed_dim,
            heads=settings.encoder_attention_heads,
            token_dropout=settings.token_dropout,
        )
        tensors = {_PREFIX.sub("", name): value for name, value in content["model"].items()}
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise InputError(
            f"{path}: not a fair-esm ESM-2 checkpoint ({type(error).__name__}: {error}); expected "
            "cfg.model.encoder_layers, … and model.encoder.*"
        ) from error
    network = Network(architecture)
    _assign(network, tensors, path)
    return network.float().eval().requires_grad_(False)


def save_checkpoint(network: Network, path: Path) -> None:
    """Write a network in this layout, its weights in half precision."""
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


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _unpickle(path: Path) -> Any:
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):
            return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise PrerequisiteError(
            f"{path}: no such checkpoint; give the path of a fair-esm ESM-2 .pt file with "
            "model.path=FILE"
        ) from error
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path}: refused, because it holds more than tensors and plain settings "
            "(unpickling it could run code). Use a checkpoint as published"
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{path}: cannot be read as a checkpoint ({error}); it may be truncated: compare its "
            "size or SHA-256 with the source and fetch it again"
        ) from error


def _assign(network: Network, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Copy the tensors into the network, refusing absent, unknown or misshapen ones."""
    expected = network.state_dict()
    given = {k: v for k, v in tensors.items() if not k.startswith(_CONTACT_HEAD)}
    problems = [f"{name} is missing" for name in expected.keys() - given.keys()]
    problems += [f"{name} is unknown" for name in given.keys() - expected.keys()]
    problems += [
        f"{name} has shape {tuple(given[name].shape)}, expected {tuple(expected[name].shape)}"
        for name in expected.keys() & given.keys()
        if given[name].shape != expected[name].shape
    ]
    if problems:
        listed = "; ".join(sorted(problems)[:5])
        raise InputError(f"{path}: {len(problems)} tensors do not fit an ESM-2: {listed}")
    network.load_state_dict(given)


def _published_name(name: str) -> str:
    within = "encoder." if name.startswith("lm_head.") else "encoder.sentence_encoder."
    return within + name
