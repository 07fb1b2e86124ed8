"""The weights of an ESMFold, read by transformers; none of them is left to chance."""

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError

from harness.device import require_memory
from harness.errors import InputError, PrerequisiteError

if TYPE_CHECKING:
    from transformers import EsmForProteinFolding

_UNREADABLE = (
    *(RuntimeError, ValueError, OSError, TypeError, LookupError, AttributeError, EOFError),
    *(pickle.UnpicklingError, SafetensorError),
)
"""What transformers lets through for files that are none of its own."""

_UNUSED = "esm.contact_head."
"""Weights that folding does not use, and that the published file lacks."""


def load_esmfold(folder: Path, dtype: torch.dtype, device: torch.device) -> "EsmForProteinFolding":
    """The network of a folder on its device, its language model in that precision.

    PrerequisiteError without transformers or memory; InputError where a weight is missing.
    """
    try:
        from transformers import EsmConfig, EsmForProteinFolding
    except ImportError as error:
        raise PrerequisiteError(
            "ESMFold needs transformers: pip install --constraint constraints.txt '.[esmfold]'"
        ) from error
    config = _config(folder, EsmConfig)
    config.esmfold_config.fp16_esm = dtype == torch.float16  # else it would load in halves
    _require_room(config, EsmForProteinFolding, dtype, device)
    with _quiet():
        try:
            loaded: Any = EsmForProteinFolding.from_pretrained(
                folder,
                config=config,
                dtype=torch.float32,  # else the trunk is in what config.json states
                local_files_only=True,
                output_loading_info=True,
            )
        except _UNREADABLE as error:
            reason = str(error).partition("\n")[0]
            raise InputError(f"{folder}: not readable as ESMFold ({reason})") from error
    network, report = loaded
    _check(report, {name for name, _ in network.named_parameters()}, folder)
    network.esm.to(dtype)
    return network.eval().requires_grad_(False).to(device)


def _config(folder: Path, kind: Any) -> Any:
    try:
        config = kind.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"{folder / 'config.json'}: not readable ({reason})") from error
    if getattr(config, "esmfold_config", None) is None:
        raise InputError(
            f"{folder}: a language model without a folding trunk (no esmfold_config in "
            "config.json); read it with model=esm2_local, or name a folder of esmfold_v1"
        )
    return config


def _require_room(config: Any, kind: Any, dtype: torch.dtype, device: torch.device) -> None:
    """Nothing; PrerequisiteError where the weights do not fit, before any is read."""
    with torch.device("meta"):
        shapes = kind(config)
    weights = dict(shapes.named_parameters())
    stem = sum(each.numel() for name, each in weights.items() if name.startswith("esm."))
    rest = sum(each.numel() for each in weights.values()) - stem
    read = 2 if dtype == torch.float16 else 4  # bfloat16 is made of single precision
    instead = "use model.dtype=float16, or a larger machine"
    for place, size in {torch.device("cpu"): read, device: dtype.itemsize}.items():
        require_memory(size * stem + 4 * rest, place, "ESMFold", instead)


def _check(report: Any, parameters: set[str], folder: Path) -> None:
    """Nothing; InputError where weights are missing or misshapen: they would be random."""
    missing = {name for name in report["missing_keys"] if not name.startswith(_UNUSED)}
    wrong = [f"{name} is missing" for name in sorted(missing & parameters)]
    wrong += [f"{entry[0]} has another shape" for entry in sorted(report["mismatched_keys"])]
    wrong += [str(message).partition("\n")[0] for message in report["error_msgs"]]
    if wrong:
        listed = "; ".join(wrong[:5])
        raise InputError(f"{folder}: {len(wrong)} weights do not fit ESMFold: {listed}")


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars and no warnings of transformers; what it warns of is an error here."""
    from transformers.utils import logging

    level, shown = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if shown:
            logging.enable_progress_bar()
