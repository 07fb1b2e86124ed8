"""python -m harness.train: train an embedded model, measure it, write its card."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import hydra
import numpy as np
from hydra.core.hydra_config import HydraConfig
from jaxtyping import Int
from numpy import ndarray
from omegaconf import DictConfig, OmegaConf

from harness import record
from harness.alphabet import encode
from harness.claims import exclusive
from harness.configuration import CONFIG_FOLDER, build, build_experiment, resolved
from harness.errors import HarnessError
from harness.lattice import LatticeFamily, family_sequences, generate_family
from harness.model_card import model_card, reference_losses
from harness.results import RunFolder
from harness.runner import RunNames, run
from harness.terminal import print_table, progress_bar


@hydra.main(version_base="1.3", config_path=CONFIG_FOLDER, config_name="train")
def main(config: DictConfig) -> None:
    """Train unless the checkpoint is there, then measure and describe it."""
    folder = Path(HydraConfig.get().runtime.output_dir)
    try:
        with exclusive(folder):
            facts = _train(config, folder)
            summary = _measure(config, folder)
    except HarnessError as error:
        sys.exit(f"error: {error}")
    (folder / f"{config.name}.md").write_text(model_card(facts, summary), encoding="utf-8")
    print_table([summary])


def _train(config: DictConfig, folder: Path) -> dict[str, Any]:
    """Write the checkpoint; the training facts of the card, kept in training.json."""
    kept = folder / "training.json"
    if kept.exists() and (folder / f"{config.name}.pt").exists():
        facts: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        return facts
    families = [generate_family(config.dataset.seed, i) for i in range(config.dataset.families)]
    seed = config.dataset.seed
    training = _sequences(families, seed, "train", config.training_sequences)
    held_out = _sequences(families, seed, "held_out", config.held_out_sequences)
    trainer = build(config.trainer)
    with progress_bar(config.name, unit="steps") as progress:
        flat = (part.reshape(-1, part.shape[-1]) for part in (training, held_out))
        curve = trainer(*flat, folder / f"{config.name}.pt", progress)
    losses = reference_losses(families, training, held_out)
    facts = {"name": config.name, "config": resolved(config), "curve": curve, **losses}
    kept.write_text(json.dumps(facts, indent=1), encoding="utf-8")
    return facts


def _measure(config: DictConfig, folder: Path) -> dict[str, Any]:
    """The summary of the trained model, measured as any other run."""
    experiment, chosen = build_experiment(config), resolved(config)
    choices = HydraConfig.get().runtime.choices
    rest = (choices[group] for group in ("dataset", "masking", "evaluation"))
    names = RunNames(choices["method"], config.name, "", *rest)
    results = RunFolder(folder, names.method, names.model, experiment.evaluation.coordinates)
    results.claim(record.identity(chosen, experiment), OmegaConf.to_yaml(config, resolve=True))
    with progress_bar(f"measuring {config.name}") as progress:
        run(experiment, results, lambda *_: None, progress)
    summary = run_summary.summarize_run(experiment, results, names, chosen)
    results.write_summary(summary)
    return summary


def _sequences(
    families: Sequence[LatticeFamily], seed: int, part: str, n: int
) -> Int[ndarray, "F N L"]:
    """Encoded sequences of every family."""
    return np.array([[encode(s) for s in family_sequences(f, seed, part, n)] for f in families])


if __name__ == "__main__":
    main()
