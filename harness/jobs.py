"""One job of the command line, measured into its folder: what all entry points have in common."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from harness import planning, record, run_summary, shard_folders, sweep
from harness.claims import check_identity, exclusive, unfinished
from harness.configuration import (
    CONFIG_FOLDER,
    build,
    build_experiment,
    exit_on_user_error,
    run_names,
)
from harness.plan_files import planned_line
from harness.preemption import heeding_sigterm, stop_asked
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
        with exit_on_user_error(), heeding_sigterm(), sweep.concluded():
            compose(job)()
    except KeyboardInterrupt:
        print("interrupted: the same command with the same folder goes on", file=sys.stderr)
        sys.exit(130)


def _job(config: DictConfig, measured: Callable[[DictConfig, Path], dict[str, Any]]) -> None:
    """One run; in a sweep, one of its jobs."""
    setup = HydraConfig.get()
    folder, whole = Path(setup.runtime.output_dir), _sweep_folder()
    if whole:
        with sweep.noting_failure(whole, setup.job.num, folder.name), heeding_sigterm():
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


def _sweep_folder() -> Path | None:
    """The folder of the sweep that this job belongs to."""
    setup = HydraConfig.get()
    return Path(setup.sweep.dir).absolute() if setup.mode == RunMode.MULTIRUN else None


def measure(
    config: DictConfig, folder: Path, prepare: Callable[[TrackedRun], None]
) -> dict[str, Any]:
    """Build what the configuration names, measure what is missing, record it; the summary.

    `prepare` makes, inside the tracked run, what the configuration takes to be there.
    """
    names, chosen = run_names(config), planning.plain(config)
    tracker, parent = build(config.tracker), _sweep_folder()
    with exclusive(folder):
        known = {"method": names.method, "model": names.model} | record.settings(chosen)
        check_identity(folder, known, later=run_summary.INPUTS)
        with unfinished(folder), tracker.run(names.title, folder, parent) as tracked:
            record.describe(tracked, names, chosen)
            prepare(tracked)
            experiment = build_experiment(config)
            coordinates = experiment.evaluation.coordinates
            results = RunFolder(folder, names.method, names.model, coordinates)
            yaml = OmegaConf.to_yaml(OmegaConf.create(chosen))
            results.claim(record.identity(chosen, experiment), yaml)
            shard_folders.mark(folder, experiment.dataset, names)
            results.write_manifest(experiment.dataset.manifest)
            tracked.dataset(
                names.dataset, experiment.dataset.version, len(experiment.dataset.protein_ids)
            )
            keep = record.Keeper(results, names, chosen)
            with (
                planning.compared(config, experiment, results, tracked),
                progress_bar(names.label, quiet=chosen["quiet"]) as progress,
            ):
                run(experiment, results, keep, progress, stop_asked)
            basis = run_summary.Basis.of(experiment)
            summary = run_summary.summarize_run(basis, results, names, chosen)
            summary |= {"settings": record.settings(chosen)}
            results.write_summary(summary)
            record.send(tracked, results, summary)
    return summary
