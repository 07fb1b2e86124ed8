"""python -m harness.sync folder=DIR: send to MLflow what waits in run folders, each thing once.

It waits because the server was away, or because of tracker.defer=true.
"""

import sys
from pathlib import Path

from omegaconf import DictConfig

from harness.configuration import build, run_here
from harness.errors import HarnessError, InputError, UnreachableError
from harness.outbox import waiting


def main() -> None:
    """Send what the command line asks for."""
    run_here("sync", _sync)


def _sync(config: DictConfig) -> None:
    folder, tracker = Path(config.folder), build(config.tracker)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    folders, failed = waiting(folder), 0
    for each in folders:
        try:
            print(f"{each}: {tracker.sync(each)} sent")
        except UnreachableError:
            raise
        except HarnessError as error:  # of this run alone
            failed += 1
            print(f"error: {error}", file=sys.stderr)
    if not folders:
        print(f"{folder}: nothing waits to be sent")
    if failed:
        raise HarnessError(f"{failed} of {len(folders)} runs could not be sent")


if __name__ == "__main__":
    main()
