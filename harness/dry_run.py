"""`--dry-run`: what the command would run and what that would cost; nothing is written or fetched.

The jobs are composed as Hydra composes them, whatever launcher would start them.
"""

import argparse
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra import initialize_config_dir
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict

from harness import record, run_summary
from harness.claims import check_identity
from harness.configuration import (
    CONFIG_FOLDER,
    SWEPT_KEYS,
    build_experiment,
    exit_on_user_error,
    run_names,
    swept_keys,
    unloaded,
)
from harness.errors import HarnessError, InputError, PrerequisiteError
from harness.plan import Prediction
from harness.planning import Job, plain
from harness.results import read_journal
from harness.terminal import print_plan

DRY_RUN = "--dry-run"

_SWEEPER = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"


def show_plan(config_name: str, arguments: Sequence[str]) -> None:
    """Print a line a job of the command with these arguments; exit code 1 where one would fail."""
    with exit_on_user_error():
        plans, failures = plans_of(config_name, arguments)
        if plans:
            print_plan(plans)
        if failures and len(plans) + len(failures) == 1:
            raise HarnessError(failures[0])
        if failures:
            listed = "".join(f"\n  {failure}" for failure in failures)
            raise HarnessError(f"{len(failures)} of the jobs cannot be planned{listed}")


def plans_of(config_name: str, arguments: Sequence[str]) -> tuple[list[Prediction], list[str]]:
    """What is expected of each job of the command, and why some cannot be planned.

    Raises InputError where there are no jobs: Hydra refuses what is asked for.
    """
    plans, failures = [], []
    with _offline():
        for config, folder in _jobs(config_name, arguments):
            try:
                plans.append(_plan(config, folder))
            except PrerequisiteError as error:
                failures.append(f"{error} (a dry run fetches nothing)")
            except HarnessError as error:
                failures.append(str(error))
    return plans, failures


def _plan(config: DictConfig, folder: Path) -> Prediction:
    """What is left of one job; InputError also where its folder holds another run."""
    names, settings = run_names(config), record.settings(plain(config))
    known = {"method": names.method, "model": names.model} | settings
    check_identity(folder, known, later=run_summary.INPUTS)
    experiment = build_experiment(config, unloaded)
    done = read_journal(folder)
    wanted = list(dict.fromkeys(experiment.dataset.protein_ids))
    if not wanted:
        raise InputError("the data set holds no protein")
    left = [identifier for identifier in wanted if identifier not in done]
    return Job(config, experiment).predict(left, len(wanted) - len(left))


def _jobs(config_name: str, arguments: Sequence[str]) -> Iterator[tuple[DictConfig, Path]]:
    """Configuration and folder of each job; while one is looked at, Hydra knows it as its own.

    Raises InputError where Hydra refuses what is asked for.
    """
    command = _Command.of(arguments)
    with initialize_config_dir(version_base="1.3", config_dir=CONFIG_FOLDER), _hydra_errors():
        loader = GlobalHydra.instance().config_loader()
        whole = command.composed(loader, config_name)
        if whole.hydra.mode != RunMode.MULTIRUN:
            yield _current(whole), Path(whole.hydra.run.dir)
            return
        HydraConfig.instance().set_config(whole)
        os.environ[SWEPT_KEYS] = json.dumps(swept_keys(whole))
        place = Path(whole.hydra.sweep.dir)
        for number, overrides in enumerate(_split(whole, loader)):
            job = loader.load_sweep_config(whole, list(overrides))
            with open_dict(job):
                job.hydra.job.id = job.hydra.job.num = number
            config = _current(job)
            yield config, place / str(job.hydra.sweep.subdir)


@contextmanager
def _hydra_errors() -> Iterator[None]:
    """What Hydra refuses becomes an InputError."""
    try:
        yield
    except HydraException as error:
        raise InputError(str(error)) from error


def _split(whole: DictConfig, loader: ConfigLoader) -> list[list[str]]:
    """The overrides of each job of a sweep."""
    sweeper = whole.hydra.sweeper
    if sweeper._target_ != _SWEEPER:
        raise InputError(
            f"{DRY_RUN} knows the jobs of Hydra's basic sweeper, not {sweeper._target_}"
        )
    given = [f"{key}={value}" for key, value in (sweeper.params or {}).items()]
    typed: Any = OmegaConf.to_container(whole.hydra.overrides.task, resolve=False)
    parsed = OverridesParser.create(config_loader=loader).parse_overrides([*given, *typed])
    return BasicSweeper.split_arguments(parsed, None)[0]


def _current(job: DictConfig) -> DictConfig:
    """The job's own configuration, after Hydra was told that this is the job it runs."""
    HydraConfig.instance().set_config(job)
    own = OmegaConf.masked_copy(job, [str(key) for key in job if key != "hydra"])
    OmegaConf.set_struct(own, True)
    return own


@dataclass(frozen=True)
class _Command:
    """What stands on the command line: whether it is a sweep, and what is chosen."""

    multirun: bool
    overrides: Sequence[str]

    @classmethod
    def of(cls, arguments: Sequence[str]) -> "_Command":
        """The parsed arguments; other options of Hydra than these are refused."""
        parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
        parser.add_argument("-m", "--multirun", action="store_true")
        parser.add_argument("-cd", "--config-dir")
        given, overrides = parser.parse_known_args(arguments)
        options = [text for text in overrides if text.startswith("-")]
        if options:
            raise InputError(f"{DRY_RUN} goes with -m and --config-dir DIR, not with {options[0]}")
        if given.config_dir:
            place = Path(given.config_dir).resolve()
            overrides = [f"hydra.searchpath=['file://{place}']", *overrides]
        return cls(given.multirun, overrides)

    def composed(self, loader: ConfigLoader, config_name: str) -> DictConfig:
        """The configuration of the whole command, that of Hydra included; its mode is set."""
        given, mode = list(self.overrides), RunMode.MULTIRUN if self.multirun else RunMode.RUN
        chosen = loader.load_configuration(config_name, given, mode, True, False).hydra.mode
        mode = chosen or mode
        return loader.load_configuration(config_name, [*given, f"hydra.mode={mode.name}"], mode)


@contextmanager
def _offline() -> Iterator[None]:
    """While this lasts nothing is downloaded; afterwards the environment is what it was."""
    before: Mapping[str, str] = dict(os.environ)
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
