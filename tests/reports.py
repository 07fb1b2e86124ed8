"""A sweep on disk that has just finished, as small or as large as a test of reports needs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from harness.metrics import CONTACTS
from harness.pairs import kept_pairs
from harness.protein import Protein
from harness.results import summarize
from harness.sample import Sample
from harness.statistics import Bootstrap

BOOTSTRAP = Bootstrap(100, 0.95, 0)
RANGES = ["min6", "long", "inter"]
METRICS = ("p_at_L", "ceiling_at_L", "average_precision")
LENGTH = 40


@dataclass(frozen=True)
class Written:
    """One run of a sweep: how it is called, how large its model is, and what it measures."""

    method: str
    model: str = ""
    parameters: int = 0
    seconds: float = 1.0
    values: dict[str, float] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return f"{self.method} {self.model}".strip()


def scores_of(seed: int, length: int = LENGTH) -> np.ndarray:
    """A symmetric map of random scores, zero on the diagonal."""
    upper = np.triu(np.random.default_rng(seed).normal(size=(length, length)), k=1)
    return upper + upper.T


def sample_of(identifier: str, length: int = LENGTH) -> Sample:
    """A hairpin: residues that face each other touch; the third one is not resolved.

    A protein whose name begins with `complex` is two chains, each a half of it.
    """
    breaks = (length // 2,) if identifier.startswith("complex") else ()
    places = np.arange(length)
    distances = np.abs(places[:, None] + places - (length - 1)) * 2.5 + 4.0
    distances[2, :] = distances[:, 2] = np.nan
    return Sample(Protein(identifier, "ACDEFGHIKL" * (length // 10), breaks=breaks), distances)


def write_run(folder: Path, run: Written) -> Path:
    """The folder, with all that a finished run without pictures leaves in it."""
    folder.mkdir(parents=True)
    rows = pd.DataFrame(
        [
            (protein, run.method, run.model, metric, name, value / (n + 1))
            for protein, value in run.values.items()
            for name in RANGES
            for n, metric in enumerate(METRICS)
        ],
        columns=["protein", "method", "model", "metric", "range", "value"],
    )
    rows.to_csv(folder / "rows.csv", index=False, na_rep="nan")
    entries = [{"protein": protein, "length": LENGTH} for protein in run.values]
    lines = "".join(json.dumps(entry) + "\n" for entry in entries)
    (folder / "proteins.jsonl").write_text(lines, encoding="utf-8")
    (folder / "config.yaml").write_text("contact: cb8\n", encoding="utf-8")
    metrics = [
        {key: None if value != value else value for key, value in item.items()}
        for item in summarize(rows, BOOTSTRAP)
    ]
    summary = {"run": _names(run), "metrics": metrics, "cost": _cost(run), "groups": {}}
    summary["provenance"] = {"commit": "abc", "weights_sha256": run.model}
    (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    return folder


def write_pairs(folder: Path, proteins: Sequence[str], seed: int) -> None:
    """Keep the best pairs of random maps of these proteins in a run folder."""
    for n, protein in enumerate(proteins):
        scores = scores_of(seed + n)
        kept = kept_pairs(sample_of(protein), scores, CONTACTS["cb8"], RANGES)
        kept.save(folder / "pairs" / f"{protein}.npz")


def _names(run: Written) -> dict[str, object]:
    names = {"method": run.method, "model": run.model, "settings": "", "label": run.label}
    return (
        names
        | {"dataset": "folder", "ranges": RANGES, "contact_atom": "CB"}
        | {"contact_cutoff": 8.0}
    )


def _cost(run: Written) -> dict[str, float]:
    n = len(run.values)
    cost = {"n_proteins": n, "seconds": run.seconds * n, "flops": run.parameters * 100 * n}
    return {**cost, "forward_passes": n, "n_parameters": run.parameters}
