"""How the error of the randomized Jacobian falls with its projections, beside the derived law.

    python -m benchmarks.projections --model lattice_4x128

Relative error of the squared block norms over all pairs, proteins and seeds. Its table is in
docs/results/readouts.md.
"""

import argparse

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from scipy.stats import spearmanr

from benchmarks.engine import settings
from harness.couplings import corrected_scores
from harness.lattice import family_sequences, generate_family
from harness.methods.gradient_jacobian import GradientJacobian
from harness.methods.randomized_jacobian import RandomizedJacobian
from harness.models.esm2 import ESM2, shipped
from harness.protein import Protein

CONTRASTS = 19
COLUMNS = ("k", "root_mean_square", "law", "mean_absolute", "spearman")


def main() -> None:
    """Print a line for each number of projections."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="lattice_4x128")
    parser.add_argument("--projections", nargs="+", type=int, default=[1, 2, 4, 8, 16, CONTRASTS])
    parser.add_argument("--proteins", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=20)
    options = parser.parse_args()
    model = shipped(options.model, **settings("esm2"))
    family = generate_family(0, 0)
    sequences = family_sequences(family, 0, "held_out", options.proteins)
    proteins = [Protein(f"p{n}", sequence) for n, sequence in enumerate(sequences)]
    exact = [blocks_of(model, protein) for protein in proteins]
    print(*(f"{name:>18}" for name in COLUMNS))
    for k in options.projections:
        errors = [
            error(model, protein, blocks, k, seed)
            for protein, blocks in zip(proteins, exact, strict=True)
            for seed in range(options.seeds)
        ]
        relative, rho = (np.array(part) for part in zip(*errors, strict=True))
        law = np.sqrt(np.mean([variance(blocks, k) for blocks in exact]))
        row = (np.sqrt(np.mean(relative**2)), law, np.abs(relative).mean(), rho.mean())
        print(f"{k:>18}", *(f"{value:>18.3f}" for value in row), flush=True)


def blocks_of(model: ESM2, protein: Protein) -> Float[ndarray, "L L 20 20"]:
    """The centered gradient Jacobian, inputs at i (axes 0, 2) and outputs at j (axes 1, 3)."""
    method = GradientJacobian(model, "reverse", "all", "scores", apc=True)
    return method.jacobian(protein).astype(float).transpose(0, 2, 1, 3)


def error(
    model: ESM2, protein: Protein, blocks: Float[ndarray, "L L 20 20"], k: int, seed: int
) -> tuple[Float[ndarray, " P"], float]:
    """Relative errors of all pairs, and the rank correlation of the map with the exact one."""
    norms = (blocks**2).sum((2, 3))
    found = RandomizedJacobian(model, k, seed, "all", apc=True).squared_norms(protein)
    pairs = ~np.eye(len(norms), dtype=bool)
    maps = [corrected_scores(torch.from_numpy(squares).sqrt(), True) for squares in (found, norms)]
    rho = spearmanr(*(scores.numpy()[np.triu_indices(len(norms), 3)] for scores in maps))[0]
    return ((found - norms) / norms)[pairs], float(rho)


def variance(blocks: Float[ndarray, "L L 20 20"], k: int) -> float:
    """Mean relative variance that the law gives (the docstring of `randomized_jacobian`)."""
    d, norms = CONTRASTS, (blocks**2).sum((2, 3))
    products = np.einsum("ijab,ijac->ijbc", blocks, blocks)
    spread = (products**2).sum((2, 3)) - norms**2 / d
    factor = 2 * d * (d - k) / (k * (d - 1) * (d + 2))
    return float((factor * spread / norms**2)[~np.eye(len(norms), dtype=bool)].mean())


if __name__ == "__main__":
    main()
