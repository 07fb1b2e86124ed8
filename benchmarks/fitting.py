"""One method of the harness on one alignment, as a program of its own.

    python -m benchmarks.fitting gremlin FOLDER '{"tolerance": 1e-6}'

Reads input.a3m in the folder, prints `begun` and `done` around the call, and then writes map.npy,
facts.json and, where the method has them, fields.npy and couplings.npy.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf

from baselines.descent import Minimum
from baselines.family import Family, FamilyModel
from baselines.gremlin import Gremlin
from baselines.pseudolikelihood import Pseudolikelihood
from benchmarks.engine import settings
from harness.alignment import read_alignment
from harness.protein import Protein

CONFIGURATION = Path(__file__).parent.parent / "conf"
BEGINS, ENDS = "begun", "done"

_keep: list[tuple[Pseudolikelihood, torch.Tensor]] = []


class KeepingGremlin(Gremlin):
    """GREMLIN, leaving the parameters where this program finds them after the clock has stopped."""

    def solve(self, family: Family) -> tuple[Pseudolikelihood, Minimum]:
        """What the method finds."""
        objective, minimum = super().solve(family)
        _keep.append((objective, minimum.point))
        return objective, minimum


def main(name: str, folder: Path, changes: dict[str, Any]) -> None:
    """Fit, and write what was found."""
    keep = changes.pop("keep", False)
    method = build(name, changes, keep)
    alignment = read_alignment(folder / "input.a3m")
    protein = Protein("input", alignment.query, folder / "input.a3m")
    print(BEGINS, flush=True)
    scores = method(protein)
    print(ENDS, flush=True)
    np.save(folder / "map.npy", scores)
    facts = dict(getattr(method, "facts", {}))
    if isinstance(method, FamilyModel):
        facts["memory"] = method.memory(*alignment.states.shape)
    (folder / "facts.json").write_text(json.dumps(facts))
    for objective, point in _keep:
        write_parameters(objective, point, folder)


def build(name: str, changes: dict[str, Any], keep: bool) -> Any:
    """The method as its yaml states it, but for these changes."""
    path = CONFIGURATION / "method" / f"{name}.yaml"
    if keep:
        return KeepingGremlin(**(settings(f"method/{name}") | changes))
    return instantiate(OmegaConf.load(path), **changes, _convert_="all")


def write_parameters(objective: Pseudolikelihood, point: torch.Tensor, folder: Path) -> None:
    """Fields (L, 21) and couplings (L, 21, L, 21), as they are without centering."""
    tiles = objective.tiles
    length, states, width = tiles.length, tiles.states, tiles.width
    couplings = np.empty((length, states, length, states), dtype=np.float32)
    for block in range(tiles.blocks):
        column = tiles.column(tiles.couplings(point), block).flatten(0, 1)
        there = slice(block * width // states, min((block + 1) * width // states, length))
        size = there.stop - there.start
        column = column.view(-1, states, width // states, states)
        couplings[:, :, there] = column[:length, :, :size].cpu()
    np.save(folder / "fields.npy", objective.plain_fields(point).cpu())
    np.save(folder / "couplings.npy", couplings)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3]))
