"""Published checkpoints: one network, whatever the layout of the files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import torch
from torch import Tensor, nn

from harness.contact_regression import ContactRegression, read_regression, regression_in
from harness.digests import digest
from harness.errors import InputError, PrerequisiteError
from harness.models.fair_esm import read_fair_esm
from harness.models.hugging_face import read_hugging_face
from harness.models.network import Architecture, Network, in_layers
from harness.models.tensors import Content

_CONTACT_HEAD, _LM_HEAD = "contact_head.", "lm_head."


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A network, the contact regression that came with it, and the SHA-256 of their files.

    `regression_file` is where the regression may lie by itself.
    """

    network: Network
    regression: ContactRegression | None
    regression_file: Path
    fingerprint: str


def load_checkpoint(
    path: Path,
    before: Callable[[Architecture], None] = lambda _: None,
    dtype: torch.dtype = torch.float32,
) -> Checkpoint:
    """The network of a checkpoint on the CPU, in float32, or its layers in another precision.

    A folder, or a file named .safetensors, .bin or .json, is in the layout of the Hugging Face
    hub, any other file in fair-esm's. The contact regression is that of the file beside it
    (NAME-contact-regression.pt; in a folder model-contact-regression.pt), else the one inside it;
    digests of several files are joined by a plus. Without a language model head the network has no
    logits. `before` hears of the architecture when no weights are in memory yet. Raises
    PrerequisiteError when something is not there, InputError when it is not of its layout.
    """
    hub = path.is_dir() or path.suffix in (".safetensors", ".bin", ".json")
    content = read_hugging_face(path) if hub else read_fair_esm(path)
    before(content.architecture)
    with torch.device("meta"):  # shapes alone: no weights are drawn only to be replaced
        network = Network(content.architecture)
    _assign(network, content, dtype)
    network.eval().requires_grad_(False)
    files = [file for file in (*content.files, content.regression_file) if file.exists()]
    digests = "+".join(digest(file) for file in files)
    return Checkpoint(network, _regression(content), content.regression_file, digests)


def _assign(network: Network, content: Content, dtype: torch.dtype) -> None:
    """Make the tensors the network's own, refusing absent, unknown or misshapen ones.

    Never is more than this network in memory: the files are mapped from disk.
    """
    given = {k: v for k, v in content.tensors.items() if not k.startswith(_CONTACT_HEAD)}
    has_head = any(name.startswith(_LM_HEAD) for name in given)
    if not has_head:
        network.register_module("lm_head", _AbsentHead(content.path))
    problems = _problems(given, network.state_dict(), content.published)
    if problems:
        listed = "; ".join(sorted(problems)[:5])
        raise InputError(f"{content.path}: {len(problems)} tensors do not fit an ESM-2: {listed}")
    owned = {  # the files may change, or go, from now on
        name: tensor.to(dtype if in_layers(name) else torch.float32, copy=True)
        for name, tensor in given.items()
    }
    network.load_state_dict(owned, assign=True)
    if has_head:
        network.lm_head.weight = network.embed_tokens.weight  # one matrix, as before


def _problems(
    given: Mapping[str, Tensor], expected: Mapping[str, Tensor], name_of: Callable[[str], str]
) -> list[str]:
    """What is wrong with these tensors, a line for each."""
    problems = [f"{name_of(name)} is missing" for name in expected.keys() - given.keys()]
    problems += [f"{name_of(name)} is unknown" for name in given.keys() - expected.keys()]
    shapes = {name: (given[name].shape, expected[name].shape) for name in expected if name in given}
    problems += [
        f"{name_of(name)} has shape {tuple(found)}, expected {tuple(right)}"
        for name, (found, right) in shapes.items()
        if found != right
    ]
    kinds = {name: (given[name].dtype, given[name].layout, given[name].device) for name in shapes}
    return problems + [
        f"{name_of(name)} is {kind} in {layout} on {place}, expected dense floating-point numbers"
        for name, (kind, layout, place) in kinds.items()
        if not kind.is_floating_point or layout != torch.strided or place.type != "cpu"
    ]


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


def _regression(content: Content) -> ContactRegression | None:
    """The contact regression beside the checkpoint, else that inside it, if there is one."""
    source, architecture = content.regression_file, content.architecture
    if source.exists():
        regression = read_regression(source)
    elif any(name.startswith(_CONTACT_HEAD) for name in content.tensors):
        source, regression = content.path, regression_in(content.tensors, content.path)
    else:
        return None
    channels = architecture.layers * architecture.heads
    if len(regression.weight) != channels:
        raise InputError(
            f"{source}: a contact regression on {len(regression.weight)} attention maps, but "
            f"{content.path.name} has {architecture.layers} × {architecture.heads} = {channels}"
        )
    return regression
