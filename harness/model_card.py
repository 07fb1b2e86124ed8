"""The card of an embedded model: what it was trained on, how far it got, what it is good for."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from harness.alphabet import AMINO_ACIDS
from harness.lattice import LatticeFamily
from harness.results import find_metric


def reference_losses(
    families: Sequence[LatticeFamily],
    training: Int[ndarray, "F N L"],
    held_out: Int[ndarray, "F M L"],
) -> dict[str, float]:
    """Cross-entropies in nats of the held-out residues: by site frequencies, and exactly."""
    site, exact = [], []
    for family, seen, unseen in zip(families, training, held_out, strict=True):
        counts = np.stack([np.bincount(column, minlength=len(AMINO_ACIDS)) for column in seen.T])
        probabilities = (counts + 1) / (counts + 1).sum(axis=1, keepdims=True)
        site.append(-np.log(probabilities[np.arange(unseen.shape[1]), unseen]).mean())
        exact.append(family.conditional_cross_entropy(unseen))
    return {"site_independent": float(np.mean(site)), "exact": float(np.mean(exact))}


def model_card(facts: Mapping[str, Any], summary: Mapping[str, Any]) -> str:
    """The card as Markdown. `facts` holds name, config, curve and reference losses."""
    config, curve = facts["config"], facts["curve"]
    recipe, cost = config["trainer"]["recipe"], summary["cost"]
    lines = [
        f"# {facts['name']}",
        "",
        "An ESM-2 architecture trained on lattice protein families by `python -m harness.train`. "
        "It knows those families and nothing else: use it to try the harness, not on real "
        "proteins.",
        "",
        "| | |",
        "|---|---|",
        f"| layers × channels, heads | {_shape(config['architecture'])} |",
        f"| parameters | {cost['n_parameters']:,} |",
        f"| data | {summary['provenance']['dataset_version']}, "
        f"{config['training_sequences']:,} training sequences a family |",
        f"| steps × batch | {recipe['steps']:,} × {recipe['batch_size']} |",
        f"| masked | {recipe['masked_fraction']:.0%} |",
        f"| seed | {recipe['seed']} |",
        f"| weights, SHA-256 | `{summary['provenance']['weights_sha256']}` |",
        "",
        f"Cross-entropy of a masked residue given all others, {config['held_out_sequences']} "
        "held-out sequences a family (nats):",
        "",
        f"this model **{curve[-1]['held_out']:.3f}**, site frequencies "
        f"{facts['site_independent']:.3f}, exact {facts['exact']:.3f}",
        "",
        f"`{summary['run']['method']}`, {cost['n_proteins']} held-out sequences:",
        "",
        *_precision_table(summary, config["statistics"]["level"]),
        "",
        "| step | training loss | held-out cross-entropy |",
        "|---:|---:|---:|",
        *(f"| {p['step']} | {p['training_loss']:.3f} | {p['held_out']:.3f} |" for p in curve),
    ]
    return "\n".join(lines) + "\n"


def _precision_table(summary: Mapping[str, Any], level: float) -> list[str]:
    lines = [f"| range | P@L ({level:.0%} interval) | ceiling |", "|---|---|---|"]
    for name in summary["run"]["ranges"]:
        p, ceiling = (find_metric(summary, key, name) for key in ("p_at_L", "ceiling_at_L"))
        interval = f"{p['mean']:.2f} [{p['low']:.2f}, {p['high']:.2f}]"
        lines.append(f"| {name} | {interval} | {ceiling['mean']:.2f} |")
    return lines


def _shape(architecture: Mapping[str, Any]) -> str:
    return f"{architecture['layers']} × {architecture['width']}, {architecture['heads']}"
