"""How a run is called: by its choices, and by what varies or was given on the command line."""

import json
import os
from collections.abc import Sequence
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, ListConfig, OmegaConf

from harness.configuration import as_typed
from harness.runner import RunNames
from harness.shards import SHARD

SWEPT_KEYS = "HARNESS_SWEPT_KEYS"
"""Environment variable through which a sweep tells its jobs what varies."""

_SETTINGS = (
    *("method.", "model.", "masking", "hiding", "windows", "joining."),
    *("evaluation/", "evaluation."),
)
"""Beginnings of keys that say how a method reads a protein."""


def run_names(config: DictConfig) -> RunNames:
    """How rows, tables and the tracker call this run: by its choices and what varies."""
    choices = HydraConfig.get().runtime.choices
    model = choices.get("model") or config.name if "model" in config.method else ""
    keys = [key for key in _setting_keys() if model or not key.startswith("model.")]
    shard = OmegaConf.select(config, SHARD)
    values = {key: choices.get(key) or OmegaConf.select(config, key) for key in keys}
    settings = [
        f"{_short(key, keys)}={as_typed(value)}"
        for key, value in values.items()
        if key not in ("model", "method", "architecture")  # of a trained model: in its name
    ]
    chosen = {group: choices[group] for group in ("dataset", "masking", "evaluation")}
    chosen |= {"shard": "" if shard is None else str(shard)}
    return RunNames(choices["method"], model, " ".join(settings), **chosen)


def swept_keys(config: DictConfig) -> list[str]:
    """Keys that take several values in this sweep, on the command line or in an experiment."""
    given = _plain(config.hydra.overrides.task)
    swept: Any = OmegaConf.to_container(config.hydra.sweeper, resolve=False)
    given += [f"{key}={value}" for key, value in (swept.get("params") or {}).items()]
    parsed = OverridesParser.create().parse_overrides(given)
    return list(dict.fromkeys(item.key_or_group for item in parsed if item.is_sweep_override()))


def _setting_keys() -> list[str]:
    """In a sweep, what varies; else what was given for the method, the model and the masking.

    Shards are parts of one run: they do not count.
    """
    swept: list[str] | None = json.loads(os.environ.get(SWEPT_KEYS, "null"))
    if swept is not None and swept != [SHARD]:
        return [key for key in swept if key != SHARD]
    overrides: Any = HydraConfig.get().overrides.task
    parsed = OverridesParser.create().parse_overrides(_plain(overrides))
    given = dict.fromkeys(item.key_or_group for item in parsed)
    return [key for key in given if key.startswith(_SETTINGS)]


def _plain(overrides: ListConfig) -> list[str]:
    """The overrides as they were typed: `key=${other}` is not looked up."""
    typed: Any = OmegaConf.to_container(overrides, resolve=False)
    return [str(text) for text in typed]


def _short(key: str, keys: Sequence[str]) -> str:
    """The last part of a key, or all of it when another key ends in the same."""
    last = key.rpartition(".")[2]
    return key if sum(other.rpartition(".")[2] == last for other in keys) > 1 else last
