"""python -m harness: compose the configuration, build, run, record."""

import logging
import os
import sys
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from harness import record, sweep
from harness.configuration import CONFIG_FOLDER, build, build_experiment, resolved, run_names
from harness.errors import HarnessError
from harness.results import RunFolder, exclusive
from harness.runner import run
from harness.terminal import print_table, progress_bar

log = logging.getLogger("harness")


def main() -> None:
    """Run what the command line asks for; the exit code is 1 when anything failed."""
    start = hydra.main(version_base="1.3", config_path=CONFIG_FOLDER, config_name="config")(job)
    failed = 0
    try:
        start()
    finally:
        failed = sweep.finish()
    sys.exit(1 if failed else 0)


def job(config: DictConfig) -> None:
    """One run. In a sweep a failed run lets the others go on; the sweep reports it at its end."""
    alone = HydraConfig.get().mode == RunMode.RUN
    try:
        summary = measure(config, Path(HydraConfig.get().runtime.output_dir))
    except HarnessError as error:
        if alone:
            sys.exit(f"error: {error}")
        log.error("%s", error)
        return
    if alone:
        print_table([summary])
        print(f"run:     {HydraConfig.get().runtime.output_dir}\nbrowse:  make ui")


def measure(config: DictConfig, folder: Path) -> dict[str, Any]:
    """Build what the configuration names, measure what is missing, record it; the summary."""
    names, chosen = run_names(config), resolved(config)
    tracker, parent = build(config.tracker), os.environ.get(sweep.PARENT_RUN, "")
    with exclusive(folder), tracker.run(names.label, folder, parent) as tracked:
        experiment = build_experiment(config)
        coordinates = experiment.evaluation.coordinates
        results = RunFolder(folder, names.method, names.model, coordinates)
        results.claim(record.identity(chosen, experiment), OmegaConf.to_yaml(config, resolve=True))
        with progress_bar(names.label) as progress:
            run(experiment, results, record.Keeper(results, names, chosen), progress)
        summary = record.summarize_run(experiment, results, names, chosen)
        results.write_summary(summary)
        record.send(tracked, results, summary, chosen)
    return summary


if __name__ == "__main__":
    main()
