"""Checkpoints in the layout that fair-esm publishes, read and written.

{"cfg": {"model": Namespace(encoder_layers, encoder_embed_dim, encoder_attention_heads,
token_dropout)}, "model": tensors named encoder.sentence_encoder.* and encoder.lm_head.*}
"""

import argparse
import hashlib
import pickle
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from harness.contact_regression import (
    ContactRegression,
    read_regression,
    regression_in,
    regression_path,
)
from harness.errors import InputError, PrerequisiteError
from harness.models.network import Architecture, Network

_PREFIX = re.compile(r"^encoder\.(sentence_encoder\.)?")
_CONTACT_HEAD, _LM_HEAD = "contact_head.", "lm_head."


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A network, the contact regression that came with it, and the SHA-256 of their files."""

    network: Network
    regression: ContactRegression | None
    fingerprint: str


def load_checkpoint(path: Path) -> Checkpoint:
    """The content of a checkpoint, in float32.

    The contact regression is that of the file beside it (`regression_path`), else the one inside
    it; the digest of a file beside it is joined to the checkpoint's by a plus. Without a language
    model head the network has no logits. Only tensors and plain values are unpickled: code in a
    file is never run. Raises PrerequisiteError when there is no such file, InputError when it is
    not of this layout.
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
    with torch.device("meta"):  # shapes alone: no weights are drawn only to be replaced
        network = Network(architecture)
    _assign(network, tensors, path)
    network.float().eval().requires_grad_(False)
    files = [file for file in (path, regression_path(path)) if file.exists()]
    fingerprint = "+".join(sha256(file) for file in files)
    return Checkpoint(network, _regression(tensors, path, architecture), fingerprint)


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
    """Make the tensors the network's own, refusing absent, unknown or misshapen ones."""
    given = {k: v for k, v in tensors.items() if not k.startswith(_CONTACT_HEAD)}
    has_head = any(name.startswith(_LM_HEAD) for name in given)
    if not has_head:
        network.register_module("lm_head", _AbsentHead(path))
    expected = network.state_dict()
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
    network.load_state_dict(given, assign=True)
    if has_head:
        network.lm_head.weight = network.embed_tokens.weight  # one matrix, as before


class _AbsentHead(nn.Module):
    """Stands where a checkpoint has no language model head."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def forward(self, *_: object) -> NoReturn:
        """Nothing; PrerequisiteError."""
        raise PrerequisiteError(
            f"{self._path} has no language model head (lm_head.*), so no logits; use a checkpoint "
            "that has one, or a method that reads attention or hidden states"
        )


def _regression(
    tensors: Mapping[str, Tensor], path: Path, architecture: Architecture
) -> ContactRegression | None:
    """The contact regression beside the checkpoint, else that inside it, if there is one."""
    source = regression_path(path)
    if source.exists():
        regression = read_regression(source)
    elif any(name.startswith(_CONTACT_HEAD) for name in tensors):
        source, regression = path, regression_in(tensors, path)
    else:
        return None
    channels = architecture.layers * architecture.heads
    if len(regression.weight) != channels:
        raise InputError(
            f"{source}: a contact regression on {len(regression.weight)} attention maps, but "
            f"{path.name} has {architecture.layers} × {architecture.heads} = {channels}"
        )
    return regression


def _published_name(name: str) -> str:
    within = "encoder." if name.startswith("lm_head.") else "encoder.sentence_encoder."
    return within + name
