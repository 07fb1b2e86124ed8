"""python -m harness: compose the configuration, build, run, record."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from harness.jobs import measure, start


def main() -> None:
    """Run what the command line asks for."""
    start("config", measured)


def measured(config: DictConfig, folder: Path) -> dict[str, Any]:
    """The summary of one run."""
    return measure(config, folder, lambda tracked: None)


if __name__ == "__main__":
    main()
