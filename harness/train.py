"""python -m harness.train: train a model on a data set, measure it as any other, write its card.

Several GPUs: torchrun --nproc-per-node=N -m harness.train … Each process computes a share of every
batch; the first one alone writes, measures and records.
"""

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from pandas import DataFrame

from harness.configuration import build, resolved
from harness.corpus import Corpus
from harness.curves import loss_plot
from harness.errors import InputError
from harness.jobs import measure, start
from harness.model_card import model_card
from harness.protocols import TrackedRun, TrainingData
from harness.results import replacing
from harness.terminal import Progress, progress_bar

RANK = int(os.environ.get("RANK", "0"))


def main() -> None:
    """Train what the command line asks for."""
    if RANK > 0:  # everything is recorded once, by the first process
        sys.argv += ["tracker=none", "~hydra.callbacks.sweep"]
    start("train", trained if RANK == 0 else helping)


def trained(config: DictConfig, folder: Path) -> dict[str, Any]:
    """Train unless the checkpoint is there, then measure and describe it."""
    summary = measure(config, folder, lambda tracked: _train(config, folder, tracked))
    facts = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    card = model_card(facts, summary)
    (folder / f"{config.name}.md").write_text(card, encoding="utf-8")
    return summary


def helping(config: DictConfig, folder: Path) -> dict[str, Any]:
    """Compute a share of the training."""
    if not (folder / "training.json").exists():
        build(config.trainer)(_corpus(config), folder / f"{config.name}.pt", lambda *_: None)
    return {}


def _train(config: DictConfig, folder: Path, tracked: TrackedRun) -> None:
    """Write the checkpoint, and training.json: configuration, curve, bounds and cost."""
    facts = folder / "training.json"
    if not facts.exists():
        corpus = _corpus(config)
        with progress_bar(config.name, unit="steps", quiet=config.quiet) as progress:
            watch = _watch(progress, tracked, corpus)
            found = build(config.trainer)(corpus, folder / f"{config.name}.pt", watch)
        found |= {"name": config.name, "config": resolved(config), "bounds": dict(corpus.bounds)}
        with replacing(facts) as partial:
            partial.write_text(json.dumps(found, indent=1), encoding="utf-8")
    found = json.loads(facts.read_text(encoding="utf-8"))
    table = folder / "training.csv"
    DataFrame(found["curve"]).assign(**found["bounds"]).to_csv(table, index=False)
    pictures = loss_plot(folder / "training.png", found["curve"], found["bounds"], config.name)
    tracked.record({}, {f"training/{key}": value for key, value in found["cost"].items()}, {})
    tracked.files([facts, table, *pictures], "")


def _corpus(config: DictConfig) -> Corpus:
    """The sequences to train on; InputError for a data set that has none."""
    dataset, engine = build(config.dataset), build(config.trainer.engine)
    if not isinstance(dataset, TrainingData):
        raise InputError(
            f"{config.dataset._target_} has no sequences to train on; use dataset=lattice, potts "
            "or folder (alignments of your own)"
        )
    return dataset.corpus(build(config.corpus), str(engine.place))


def _watch(
    progress: Progress, tracked: TrackedRun, corpus: Corpus
) -> Callable[[int, int, Sequence[dict[str, float]]], None]:
    """Shows how far the training is; every new point of the curve goes to the tracker."""
    sent = 0

    def watch(step: int, steps: int, curve: Sequence[dict[str, float]]) -> None:
        nonlocal sent
        progress(step, steps)
        if len(curve) > sent:
            new, sent = curve[sent:], len(curve)
            for name in ("training_loss", "held_out"):
                points = {int(point["step"]): point[name] for point in new}
                tracked.curve(f"training/{name}", points)
            for name, value in corpus.bounds.items():
                tracked.curve(f"training/{name}", {int(point["step"]): value for point in new})

    return watch


if __name__ == "__main__":
    main()
