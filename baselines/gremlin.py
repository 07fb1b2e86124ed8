"""GREMLIN: couplings of a Potts model that maximizes the pseudolikelihood of an alignment."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from baselines.descent import HISTORY, Minimum, gremlin_adam, lbfgs
from baselines.family import Family, FamilyModel
from baselines.pseudolikelihood import PottsModel, Pseudolikelihood
from baselines.tiles import BLOCK, Tiles
from harness.alphabet import AMINO_ACIDS, N_STATES
from harness.couplings import center_
from harness.device import choose_device

OPTIMIZERS = ("lbfgs", "adam")


@dataclass(frozen=True)
class Gremlin(FamilyModel):
    """Pseudolikelihood of a Potts model (Balakrishnan et al., 2011; Kamisetty et al., PNAS 2013).

    L2 penalties are `field_penalty` · Σ v² + `coupling_penalty` · (K − 1) · 20 · Σ_{i<j} w², for K
    columns. With 21 `states` the gap is one of them; with 20 it is neither predicted nor does it
    predict. `optimizer` is `lbfgs`, which ends when the objective is estimated to be within the
    share `tolerance` of its minimum, or GREMLIN's own `adam` with its `adam_rate`; either makes
    at most `max_iterations`. Whether that was enough is in `facts`. Couplings are in the zero-sum
    gauge over all states.
    """

    states: int
    field_penalty: float
    coupling_penalty: float
    optimizer: str
    adam_rate: float
    tolerance: float
    max_iterations: int
    device: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.states not in (len(AMINO_ACIDS), N_STATES):
            raise ValueError(f"states is {self.states}; allowed are 20 (gaps ignored) and 21")
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(f"optimizer is {self.optimizer}; allowed are {', '.join(OPTIMIZERS)}")
        for name in ("field_penalty", "coupling_penalty", "adam_rate", "tolerance"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be positive")
        if self.max_iterations < 0:
            raise ValueError(f"max_iterations is {self.max_iterations}; it must not be negative")
        choose_device(self.device)

    @property
    def where(self) -> torch.device:
        """The chosen device."""
        return choose_device(self.device)

    def fit(self, family: Family) -> Float[Tensor, "K 20 K 20"]:
        """Couplings at the minimum, or where the iterations ended."""
        objective, minimum = self.solve(family)
        self.facts.update(
            objective=minimum.objective,
            gradient_norm=minimum.gradient_norm,
            gap=minimum.gap,
            iterations=minimum.iterations,
            evaluations=minimum.evaluations,
            converged=float(minimum.converged),
        )
        return _zero_sum(objective.tiles, minimum.point)

    def solve(self, family: Family) -> tuple[Pseudolikelihood, Minimum]:
        """The objective, and where it is least: fields and couplings of all states."""
        penalty = self.coupling_penalty * (family.states.shape[1] - 1) * (N_STATES - 1)
        model = PottsModel(self.states, self.field_penalty, penalty, centered=True)
        objective = Pseudolikelihood(family, model, self.where, torch.float32)
        point = objective.start()
        if self.optimizer == "lbfgs":
            return objective, lbfgs(objective, point, self.tolerance, self.max_iterations)
        plain = Pseudolikelihood(family, replace(model, centered=False), self.where, torch.float32)
        gremlin_adam(plain, point, plain.parts, self.adam_rate, self.max_iterations)
        reached = lbfgs(objective, objective.center_(point), self.tolerance, 0)
        spent = self.max_iterations + reached.evaluations
        reached = replace(reached, iterations=self.max_iterations, evaluations=spent)
        return objective, reached

    def memory(self, rows: int, columns: int) -> int:
        """Bytes at the peak: 4 · (2 · 3 + 4) vectors of half the squared K · states couplings.

        Beside them there are four blocks of a row for each sequence, and indices of 8 bytes for
        some six copies of the alignment.
        """
        tiles = Tiles(columns, self.states)
        block = 4 * tiles.width * (4 * rows + 3 * columns * self.states)
        return 4 * (2 * HISTORY + 4) * tiles.size + block + 48 * rows * columns


def _zero_sum(tiles: Tiles, point: Float[Tensor, " P"]) -> Float[Tensor, "K 20 K 20"]:
    """The couplings between amino acids, in the gauge of zero sums over all states."""
    length, states, residues = tiles.length, tiles.states, len(AMINO_ACIDS)
    couplings = point.new_empty(length, residues, length, residues)
    for block in range(tiles.blocks):
        column = tiles.column(tiles.couplings(point), block)
        column = column.view(-1, states, BLOCK, states)[:length]
        there = slice(block * BLOCK, min((block + 1) * BLOCK, length))
        centered = center_(column, "amino_acids")[:, :residues, : there.stop - there.start]
        couplings[:, :, there] = centered[..., :residues]
    return couplings
