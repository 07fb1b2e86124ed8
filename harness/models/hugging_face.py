"""The layout of the Hugging Face hub: config.json beside the weights of an EsmForMaskedLM.

Weights are model.safetensors or pytorch_model.bin, or shards of either that an index names.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from harness.contact_regression import BIAS, WEIGHT
from harness.errors import InputError, PrerequisiteError
from harness.json_text import parse
from harness.models.network import Architecture, expected_shapes
from harness.models.rotary import frequencies
from harness.models.tensors import Content, check_extent, missing, unpickle, unreadable
from harness.models.vocabulary import VOCABULARY

WEIGHTS = (
    *("model.safetensors", "model.safetensors.index.json"),
    *("pytorch_model.bin", "pytorch_model.bin.index.json"),
)
"""What a folder may hold; of several the first is read, as transformers does."""

_NAMES = {
    "embed_tokens": "esm.embeddings.word_embeddings",
    "embed_positions": "esm.embeddings.position_embeddings",
    "emb_layer_norm_before": "esm.embeddings.layer_norm",
    "emb_layer_norm_after": "esm.encoder.emb_layer_norm_after",
    "contact_head": "esm.contact_head",
    "layers": "esm.encoder.layer",
    "self_attn.q_proj": "attention.self.query",
    "self_attn.k_proj": "attention.self.key",
    "self_attn.v_proj": "attention.self.value",
    "self_attn.out_proj": "attention.output.dense",
    "self_attn.rot_emb": "attention.self.rotary_embeddings",
    "self_attn_layer_norm": "attention.LayerNorm",
    "final_layer_norm": "LayerNorm",
    "fc1": "intermediate.dense",
    "fc2": "output.dense",
    "lm_head.weight": "lm_head.decoder.weight",
}
_OURS = re.compile("|".join(rf"(?<![^.]){re.escape(name)}(?![^.])" for name in _NAMES))
_OLD_NORMS = {".gamma": ".weight", ".beta": ".bias"}
_UNUSED = re.compile(
    r"esm\.embeddings\.(position_ids|position_embeddings\.weight)|lm_head\.decoder\.bias"
    r"|esm\.(encoder\.layer\.\*\.attention\.self\.)?rotary_embeddings\.inv_freq|esm\.pooler\..*"
)
"""Tensors of published files that a model without learned positions does not use, or has twice.
(The star is not ours: transformers 5 writes it.)"""


def read_hugging_face(path: Path) -> Content:
    """The content of a folder, or of the weights or the index that is named.

    Raises PrerequisiteError when something is not there, InputError when it is not of this layout.
    """
    folder, weights = (path, _weights_in(path)) if path.is_dir() else (path.parent, path)
    if not weights.exists():
        raise missing(weights)
    config = folder / "config.json"
    architecture = _architecture(config)
    files = _shards(weights) if weights.suffix == ".json" else (weights,)
    given: dict[str, Tensor] = {}
    for file in files:
        given |= {_modern(name): tensor for name, tensor in _tensors(file).items()}
    try:
        check_extent(architecture, given, files)
    except ValueError as error:
        raise InputError(f"{config} does not fit {weights.name}: {error}") from error
    tensors = _renamed(given, architecture)
    regression = folder / "model-contact-regression.pt"
    return Content(path, architecture, tensors, published_name, (config, *files), regression)


def weight_files(folder: Path) -> tuple[Path, ...]:
    """The files of a folder that hold weights: one, or the shards of an index.

    PrerequisiteError where there are none, or not all.
    """
    if not folder.is_dir():
        raise missing(folder)
    weights = _weights_in(folder)
    return _shards(weights) if weights.suffix == ".json" else (weights,)


def _weights_in(folder: Path) -> Path:
    found = [folder / name for name in WEIGHTS if (folder / name).exists()]
    if not found:
        raise PrerequisiteError(f"{folder} holds none of {', '.join(WEIGHTS)}")
    return found[0]


def shards_of(index: Path) -> tuple[str, ...]:
    """The files that an index names, each once, sorted; InputError when it is no index."""
    try:
        named = sorted(set(parse(index.read_text(encoding="utf-8"))["weight_map"].values()))
        plain = all(Path(name).name == name for name in named)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(f"{index}: not an index of shards ({error})") from error
    if not plain or not named:
        raise InputError(f"{index}: names files outside its folder, or none: {', '.join(named)}")
    return tuple(named)


def _shards(index: Path) -> tuple[Path, ...]:
    """Where these files are; PrerequisiteError when one is not beside the index."""
    named = shards_of(index)
    absent = [name for name in named if not (index.parent / name).exists()]
    if absent:
        raise PrerequisiteError(
            f"{index} names {', '.join(absent)}, which {'is' if len(absent) == 1 else 'are'} not "
            "beside it; put all shards into one folder"
        )
    return tuple(index.parent / name for name in named)


def _tensors(file: Path) -> dict[str, Tensor]:
    """Tensors of one file by their names in it, mapped from disk."""
    if file.suffix == ".bin":
        content = unpickle(file)
        if not isinstance(content, dict) or not all(map(_is_tensor, content.values())):
            raise InputError(f"{file}: holds no tensors by name")
        return content
    try:
        with safe_open(file, framework="pt") as opened:
            return {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise unreadable(file, error) from error


def _is_tensor(value: object) -> bool:
    return isinstance(value, Tensor)


def _architecture(config: Path) -> Architecture:
    """The architecture that config.json states; InputError for one that our forward is not."""
    try:
        settings = parse(config.read_text(encoding="utf-8"))
        heads, width = settings["num_attention_heads"], settings["hidden_size"]
        learned = settings.get("position_embedding_type", "absolute") == "absolute"
        architecture = Architecture(
            layers=settings["num_hidden_layers"],
            width=width,
            heads=heads,
            token_dropout=settings.get("token_dropout", False),
            learned_positions=settings["max_position_embeddings"] - 2 if learned else 0,
            normalize_embeddings=bool(settings.get("emb_layer_norm_before")),
        )
    except FileNotFoundError as error:
        raise PrerequisiteError(
            f"{config} is not there; put the published config.json beside the weights"
        ) from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(f"{config}: not the config.json of an ESM ({error!r})") from error
    _check(settings, config)
    return architecture


def _check(settings: Mapping[str, Any], config: Path) -> None:
    """Nothing; InputError for a setting that our forward does not follow."""
    followed = {
        "model_type": ("esm",),
        "vocab_size": (len(VOCABULARY),),
        "vocab_list": (None, VOCABULARY),
        "pad_token_id": (VOCABULARY.index("<pad>"),),
        "mask_token_id": (VOCABULARY.index("<mask>"),),
        "intermediate_size": (4 * settings["hidden_size"],),
        "position_embedding_type": ("absolute", "rotary"),
        "hidden_act": ("gelu",),
        "layer_norm_eps": (1e-5,),
        "rope_theta": (10000.0,),
        "is_folding_model": (False,),
    }
    others = [
        f"{key} is {settings[key]!r}, not {' or '.join(map(repr, allowed))}"
        for key, allowed in followed.items()
        if key in settings and settings[key] not in allowed
    ]
    if others:
        raise InputError(f"{config}: no ESM-2 or ESM-1b as published: {'; '.join(others)}")


def _renamed(given: dict[str, Tensor], architecture: Architecture) -> dict[str, Tensor]:
    """The tensors by our names; what has no such name keeps its own, to be refused by it.

    The matrix of the language model head is that of the embedding, frequencies follow from the
    width: files may leave both out.
    """
    tensors = {}
    for name in (*expected_shapes(architecture), WEIGHT, BIAS):
        if published_name(name) in given:
            tensors[name] = given.pop(published_name(name))
        elif name.endswith("inv_freq"):
            tensors[name] = frequencies(architecture.width // architecture.heads)
        elif name == "lm_head.weight" and "embed_tokens.weight" in tensors:
            tensors[name] = tensors["embed_tokens.weight"]
    return tensors | {name: value for name, value in given.items() if not _UNUSED.fullmatch(name)}


def published_name(name: str) -> str:
    """The name in these files of a tensor of ours."""
    return _OURS.sub(lambda found: _NAMES[found[0]], name)


def _modern(name: str) -> str:
    for old, new in _OLD_NORMS.items():
        name = name.removesuffix(old) + new if name.endswith(old) else name
    return name
