"""The card of an embedded model: what it was trained on, how far it got, what it is good for."""

from collections.abc import Mapping
from typing import Any

from harness.results import find_metric


def model_card(facts: Mapping[str, Any], summary: Mapping[str, Any]) -> str:
    """The card as Markdown. `facts` holds name, config, curve and bounds."""
    config, curve = facts["config"], facts["curve"]
    recipe, cost = config["trainer"]["recipe"], summary["cost"]
    lines = [
        f"# {facts['name']}",
        "",
        f"An ESM-2 architecture trained on {summary['run']['dataset']} families by "
        "`python -m harness.train`. It knows those families and nothing else: use it to try the "
        "harness, not on other proteins.",
        "",
        "| | |",
        "|---|---|",
        f"| layers × channels, heads | {_shape(config['architecture'])} |",
        f"| parameters | {cost['n_parameters']:,} |",
        f"| data | {summary['provenance']['dataset_version']}, "
        f"at most {config['corpus']['training']:,} training sequences a family |",
        f"| steps × batch | {recipe['steps']:,} × {recipe['batch_size']} |",
        f"| masked | {recipe['masked_fraction']:.0%} |",
        f"| seed | {recipe['seed']} |",
        f"| weights, SHA-256 | `{summary['provenance']['weights_sha256']}` |",
        "",
        f"Cross-entropy of a masked residue given all others, "
        f"at most {config['corpus']['held_out']} held-out sequences a family (nats):",
        "",
        ", ".join([f"this model **{curve[-1]['held_out']:.3f}**", *_bounds(facts["bounds"])]),
        "",
        f"`{summary['run']['method']}`, {cost['n_proteins']} proteins:",
        "",
        *_precision_table(summary, config["statistics"]["level"]),
        "",
        "| step | training loss | held-out cross-entropy |",
        "|---:|---:|---:|",
        *(f"| {p['step']} | {p['training_loss']:.3f} | {p['held_out']:.3f} |" for p in curve),
    ]
    return "\n".join(lines) + "\n"


def _bounds(bounds: Mapping[str, float]) -> list[str]:
    names = {"site_independent": "site frequencies"}
    return [f"{names.get(name, name)} {value:.3f}" for name, value in bounds.items()]


def _precision_table(summary: Mapping[str, Any], level: float) -> list[str]:
    lines = [f"| range | P@L ({level:.0%} interval) | ceiling |", "|---|---|---|"]
    for name in summary["run"]["ranges"]:
        p, ceiling = (find_metric(summary, key, name) for key in ("p_at_L", "ceiling_at_L"))
        interval = f"{p['mean']:.2f} [{p['low']:.2f}, {p['high']:.2f}]"
        lines.append(f"| {name} | {interval} | {ceiling['mean']:.2f} |")
    return lines


def _shape(architecture: Mapping[str, Any]) -> str:
    return f"{architecture['layers']} × {architecture['width']}, {architecture['heads']}"
