"""python -m harness.fetch: what a model or a data set is made of, fetched ahead or verified."""

import logging
import sys
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from harness.configuration import CONFIG_FOLDER, build, exit_on_user_error, uncut
from harness.errors import HarnessError, InputError
from harness.protocols import Fetched

VERIFY = "--verify"
GROUPS = ("model", "dataset")


def main() -> None:
    """Fetch what the command line names; with --verify look at what is there instead."""
    verifying = VERIFY in sys.argv
    arguments = [argument for argument in sys.argv if argument != VERIFY]
    quiet = ["hydra/job_logging=none", "hydra/hydra_logging=none"]
    sys.argv = [*arguments, "hydra.run.dir=.", *quiet]  # nothing is left behind
    logging.basicConfig(format="%(message)s")
    logging.getLogger("harness").setLevel(logging.INFO)

    def job(config: DictConfig) -> None:
        with exit_on_user_error():
            named = [group for group in GROUPS if group in _named()]
            if not named:
                raise InputError("name what to fetch: model=esm2_8m, dataset=zhang1431, or both")
            for group in named:
                _handle(group, uncut(config)[group], verifying)

    hydra.main(version_base="1.3", config_path=CONFIG_FOLDER, config_name="config")(job)()


def _named() -> list[str]:
    """Groups that the command line chooses from."""
    return [override.partition("=")[0] for override in HydraConfig.get().overrides.task]


def _handle(group: str, config: DictConfig, verifying: bool) -> None:
    chosen = HydraConfig.get().runtime.choices[group]
    whole = group == "dataset" or not OmegaConf.select(config, "source")
    found = build(config if whole else config.source)
    if not isinstance(found, Fetched):
        raise InputError(f"{group}={chosen} is made of nothing that could be fetched")
    if not verifying:
        path = found.fetch()
        print(f"{chosen}: {path} ({_size(path) / 1e6:.1f} MB)")
        return
    problems = found.verify()
    if problems:
        raise HarnessError(f"{chosen}: " + "; ".join(problems))
    print(f"{chosen}: every file is there and as recorded")


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


if __name__ == "__main__":
    main()
