"""From a composed configuration to objects and names: the door to Hydra that entry points share."""

import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

import hydra
from hydra.errors import InstantiationException
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from harness.errors import HarnessError, InputError, PreemptedError, disk_errors
from harness.preemption import EXIT_CODE
from harness.protocols import ContactMethod, Cost, Model
from harness.runner import Experiment
from harness.shards import Shard, cut

CONFIG_FOLDER = str(Path(__file__).resolve().parent.parent / "conf")


@contextmanager
def exit_on_user_error() -> Iterator[None]:
    """End the program with the message of a HarnessError, or of a disk, without a traceback."""
    try:
        with disk_errors(Path.cwd()):
            yield
    except PreemptedError as stopped:
        print(f"stopped: {stopped}", file=sys.stderr)
        sys.exit(EXIT_CODE)
    except HarnessError as error:
        sys.exit(f"error: {error}")


def run_here(config_name: str, job: Callable[[DictConfig], None]) -> None:
    """Do what the command line asks of a program that measures nothing: no folder, no log."""
    quiet = ["hydra/job_logging=none", "hydra/hydra_logging=none"]
    sys.argv += ["hydra.run.dir=.", *quiet]  # nothing is left behind

    def reporting_errors(config: DictConfig) -> None:
        with exit_on_user_error():
            job(config)

    compose = hydra.main(version_base="1.3", config_path=CONFIG_FOLDER, config_name=config_name)
    compose(reporting_errors)()


def build(node: Any, **arguments: Any) -> Any:
    """The object that a configuration node describes; InputError for a value it refuses."""
    try:
        _check_types(OmegaConf.to_container(node, resolve=True, throw_on_missing=True))
        return instantiate(node, _convert_="all", **arguments)
    except OmegaConfBaseException as error:
        raise _incomplete(error) from error
    except InstantiationException as error:
        cause = error.__cause__
        if isinstance(cause, HarnessError):
            raise cause from None
        if isinstance(cause, (ValueError, TypeError, ImportError)):
            raise InputError(f"{OmegaConf.select(node, '_target_')}: {cause}") from cause
        raise


def build_experiment(config: DictConfig, load: Callable[[Any], Any] = build) -> Experiment:
    """The parts of a run; the model is built only when the method has a field for it.

    `load` makes the model of its node.
    """
    shard, config = config.dataset.get("shard"), uncut(config)
    wanted = None if shard is None else Shard.parse(shard)
    statistics, evaluation = build(config.statistics), build(config.evaluation)
    dataset: Any = build(config.dataset)
    method, model = _method_and_model(config, load)
    if wanted is not None:
        dataset = cut(dataset, wanted, method)
    return Experiment(dataset, _adapted(method, model, config), model, evaluation, statistics)


def uncut(config: DictConfig) -> DictConfig:
    """The configuration of the whole data set, which does not know that it can be cut."""
    config = config.copy()
    with open_dict(config.dataset):
        config.dataset.pop("shard", None)
    return config


def _method_and_model(
    config: DictConfig, load: Callable[[Any], Any]
) -> tuple[ContactMethod, Model | None]:
    """The method as configured, and the model in it if it has one."""
    if "model" not in config.method:
        return build(config.method), None
    settings = resolved(config.method)  # plain: what it took from elsewhere comes along
    del settings["model"]
    unfinished = build(OmegaConf.create(settings), _partial_=True)
    model = load(config.model)  # last: loading takes longest
    _check_model(model, config)
    try:
        method = unfinished(model=model)
    except (ValueError, TypeError) as error:
        raise InputError(f"{config.method._target_}: {error}") from error
    return method, model


def _adapted(method: ContactMethod, model: Model | None, config: DictConfig) -> ContactMethod:
    """The method as it reads what is hidden, complexes and long chains."""
    for node in (config.hiding, config.joining, config.windows) if model else (config.windows,):
        unfinished = build(node, _partial_=True)  # Hydra would make a dictionary of the method
        try:
            method = unfinished(method=method, model=model)
        except (ValueError, TypeError) as error:
            raise InputError(f"{node._target_}: {error}") from error
    return method


def unloaded(node: Any) -> Any:
    """A model of the class that the node makes, without weights: it can only be planned with.

    InputError for a value that is missing, or that the real one's annotations rule out.
    """
    try:
        settings: Any = OmegaConf.to_container(node, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise _incomplete(error) from error
    _check_types(settings)
    made = _target(settings["_target_"])
    kind = (
        made if isinstance(made, type) else inspect.signature(made, eval_str=True).return_annotation
    )
    model = object.__new__(kind)
    vars(model).update(n_parameters=0, n_layers=sys.maxsize, fingerprint="", cost=Cost())
    return model


def needs_of(config: DictConfig) -> Any:
    """The annotation of the method's field for a model: what it asks of one."""
    signature = inspect.signature(_target(config.method._target_), eval_str=True)
    return signature.parameters["model"].annotation


def _check_model(model: Any, config: DictConfig) -> None:
    """Nothing; raises InputError for a model without what the method's field type asks for."""
    needed = needs_of(config)
    if isinstance(needed, type) and not isinstance(model, needed):
        raise InputError(
            f"{config.method._target_} needs a model that {needed.__name__} "
            f"(harness/protocols.py), and {config.model._target_} does not; choose another model"
        )


def resolved(config: DictConfig) -> dict[str, Any]:
    """The configuration as plain values, every interpolation filled in; `???` where one is missing.

    Whether a missing value is needed shows when the object that takes it is built.
    """
    try:
        values: Any = OmegaConf.to_container(config, resolve=True)
    except OmegaConfBaseException as error:
        raise _incomplete(error) from error
    return {str(key): value for key, value in values.items()}


def as_typed(value: Any) -> str:
    """A value as it is typed on the command line."""
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(value).replace(" ", "")


def _incomplete(error: OmegaConfBaseException) -> InputError:
    if isinstance(error, MissingMandatoryValue):
        return InputError(f"{error.full_key} is not set: add {error.full_key}=VALUE")
    reason = str(error).partition("\n")[0]
    return InputError(f"{error.full_key}: {reason}")


def _check_types(node: Any) -> None:
    """Nothing; raises InputError for a value that its parameter's annotation rules out."""
    for value in node.values():
        if isinstance(value, dict) and "_target_" in value:
            _check_types(value)
    if not isinstance(node.get("_target_"), str):
        raise InputError(f"_target_ is not set beside {', '.join(map(str, node)) or 'nothing'}")
    signature = inspect.signature(_target(node["_target_"]), eval_str=True)
    for name, parameter in signature.parameters.items():
        if name in node and not _fits(node[name], parameter.annotation):
            allowed = inspect.formatannotation(parameter.annotation).replace("None", "null")
            given = f"{name} is {as_typed(node[name])}"
            raise InputError(f"{node['_target_']}: {given}; it must be {allowed}")


def _target(path: str) -> Any:
    """The class or function of that dotted path."""
    try:
        found = get_object(path)
    except (ImportError, ValueError) as error:  # ValueError: no path at all
        raise InputError(
            f"_target_: {path} cannot be imported; mend the yaml, or put the folder of that Python "
            "file on PYTHONPATH"
        ) from error
    if not callable(found):
        raise InputError(f"_target_: {path} is no class and no function; name one in it")
    return found


def _fits(value: Any, kind: Any) -> bool:
    """Whether a plain value can stand for this annotation; anything beyond plain ones can."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return any(_fits(value, part) for part in parts)
    if origin in (list, Sequence) or kind in (list, Sequence):
        return isinstance(value, list) and all(_fits(item, parts[0]) for item in value)
    plain = {bool: bool, int: int, float: int | float, str: str | int, NoneType: NoneType}
    if kind not in plain:
        return True
    return isinstance(value, plain[kind]) and (kind is bool or not isinstance(value, bool))
