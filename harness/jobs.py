"""One job of the command line, measured into its folder: what all entry points have in common."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from harness import planning, record, run_summary, sweep
from harness.claims import check_identity, exclusive, unfinished
from harness.configuration import (
    CONFIG_FOLDER,
    build,
    build_experiment,
    exit_on_user_error,
    run_names,
)
from harness.plan_files import planned_line
from harness.protocols import TrackedRun
from harness.results import RunFolder
from harness.runner import run
from harness.terminal import print_table, progress_bar


def start(config_name: str, measured: Callable[[DictConfig, Path], dict[str, Any]]) -> None:
    """Run what the command line asks for; the exit code is 1 when anything failed.

    `measured` makes a run folder of a configuration, and gives its summary; an empty one is not
    shown.
    """

    def job(config: DictConfig) -> None:
        _job(config, measured)

    compose = hydra.main(version_base="1.3", config_path=CONFIG_FOLDER, config_name=config_name)
    try:
        with exit_on_user_error(), sweep.concluded():
            compose(job)()
    except KeyboardInterrupt:
        print("interrupted: the same command with the same folder goes on", file=sys.stderr)
        sys.exit(130)


def _job(config: DictConfig, measured: Callable[[DictConfig, Path], dict[str, Any]]) -> None:
    """One run; in a sweep, one of its jobs."""
    setup = HydraConfig.get()
    folder = Path(setup.runtime.output_dir)
    if setup.mode == RunMode.MULTIRUN:
        with sweep.noting_failure(Path(setup.sweep.dir), setup.job.num, folder.name):
            measured(config, folder)
        return
    with exit_on_user_error():
        summary = measured(config, folder)
    if summary and config.quiet:
        print(folder)
    elif summary:
        print_table([summary])
        if line := planned_line([folder]):
            print(line)
        print(f"run:     {folder}\nbrowse:  make ui")


def measure(
    config: DictConfig, folder: Path, prepare: Callable[[TrackedRun], None]
) -> dict[str, Any]:
    """Build what the configuration names, measure what is missing, record it; the summary.

    `prepare` makes, inside the tracked run, what the configuration takes to be there.
    """
    names, chosen = run_names(config), planning.plain(config)
    parent = os.environ.get(sweep.PARENT_RUN, "")
    with exclusive(folder):
        known = {"method": names.method, "model": names.model} | record.settings(chosen)
        check_identity(folder, known, later=run_summary.INPUTS)
        with unfinished(folder), build(config.tracker).run(names.title, folder, parent) as tracked:
            record.describe(tracked, names, chosen)
            prepare(tracked)
            experiment = build_experiment(config)
            coordinates = experiment.evaluation.coordinates
            results = RunFolder(folder, names.method, names.model, coordinates)
            yaml = OmegaConf.to_yaml(OmegaConf.create(chosen))
            results.claim(record.identity(chosen, experiment), yaml)
            results.write_manifest(experiment.dataset.manifest)
            tracked.dataset(
                names.dataset, experiment.dataset.version, len(experiment.dataset.protein_ids)
            )
            keep = record.Keeper(results, names, chosen)
            with (
                planning.compared(config, experiment, results, tracked),
                progress_bar(names.label, quiet=chosen["quiet"]) as progress,
            ):
                run(experiment, results, keep, progress)
            summary = run_summary.summarize_run(experiment, results, names, chosen)
            summary |= {"settings": record.settings(chosen)}
            results.write_summary(summary)
            record.send(tracked, results, summary)
    return summary
