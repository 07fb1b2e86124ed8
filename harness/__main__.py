"""python -m harness: compose the configuration, build, run, record; or plan."""

import sys
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from harness.dry_run import DRY_RUN, show_plan
from harness.jobs import measure, start


def main() -> None:
    """Run what the command line asks for, or say what it would cost."""
    if DRY_RUN in sys.argv:
        show_plan("config", [argument for argument in sys.argv[1:] if argument != DRY_RUN])
    else:
        start("config", measured)


def measured(config: DictConfig, folder: Path) -> dict[str, Any]:
    """The summary of one run."""
    return measure(config, folder, lambda tracked: None)


if __name__ == "__main__":
    main()
