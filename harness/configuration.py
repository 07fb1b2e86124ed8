"""From a composed configuration to objects and names: the door to Hydra that entry points share."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue

from harness.errors import HarnessError, InputError
from harness.runner import Experiment, RunNames

CONFIG_FOLDER = str(Path(__file__).resolve().parent.parent / "conf")

SWEPT_KEYS = "HARNESS_SWEPT_KEYS"
"""Environment variable through which a sweep tells its jobs what varies."""


@contextmanager
def exit_on_user_error() -> Iterator[None]:
    """End the program with the message of a HarnessError, without a traceback."""
    try:
        yield
    except HarnessError as error:
        sys.exit(f"error: {error}")


def build(node: Any, **arguments: Any) -> Any:
    """The object that a configuration node describes; InputError for a value it refuses."""
    try:
        return instantiate(node, _convert_="all", **arguments)
    except MissingMandatoryValue as error:
        raise InputError(f"a value is missing: {error}") from error
    except InstantiationException as error:
        cause = error.__cause__
        if isinstance(cause, HarnessError):
            raise cause from None
        if isinstance(cause, (ValueError, TypeError)):
            raise InputError(f"{OmegaConf.select(node, '_target_')}: {cause}") from cause
        raise


def build_experiment(config: DictConfig) -> Experiment:
    """The parts of a run; the model is built only when the method has a field for it."""
    if "model" not in config.method:
        model, method = None, build(config.method)
    else:
        model = build(config.model)
        settings = {key: value for key, value in config.method.items() if key != "model"}
        method = build(OmegaConf.create(settings), _partial_=True)(model=model)
    return Experiment(build(config.dataset), method, model, build(config.evaluation))


def resolved(config: DictConfig) -> dict[str, Any]:
    """The configuration as plain values, every interpolation filled in."""
    try:
        values = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except MissingMandatoryValue as error:
        raise InputError(f"a value is missing: {error}") from error
    assert isinstance(values, dict)
    return {str(key): value for key, value in values.items()}


def run_names(config: DictConfig) -> RunNames:
    """How rows, tables and the tracker call this run: by its method, model and what varies."""
    choices = HydraConfig.get().runtime.choices
    model = choices["model"] if "model" in config.method else ""
    shown = [
        f"{key.rpartition('.')[2]}={OmegaConf.select(config, key)}"
        for key in _setting_keys()
        if key not in ("model", "method")
    ]
    return RunNames(choices["method"], model, " ".join(shown), choices["dataset"])


def swept_keys(config: DictConfig) -> list[str]:
    """Keys that take several values in this sweep, on the command line or in an experiment."""
    given = [*config.hydra.overrides.task]
    given += [f"{key}={value}" for key, value in (config.hydra.sweeper.params or {}).items()]
    parsed = OverridesParser.create().parse_overrides(given)
    return list(dict.fromkeys(item.key_or_group for item in parsed if item.is_sweep_override()))


def _setting_keys() -> list[str]:
    """In a sweep, what varies; else the method's, the model's and the masking's own parameters."""
    if SWEPT_KEYS in os.environ:
        keys: list[str] = json.loads(os.environ[SWEPT_KEYS])
        return keys
    parsed = OverridesParser.create().parse_overrides([*HydraConfig.get().overrides.task])
    keys = [item.key_or_group for item in parsed]
    return [key for key in keys if key.startswith(("method.", "model.", "masking."))]
