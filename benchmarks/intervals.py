"""How often intervals of a paired difference hold the true one: expanded and plain percentiles.

    python -m benchmarks.intervals

Two methods of equal quality are drawn many times on proteins of 100 residues: P@L of each is
binomial around a quality of its protein's own, so that differences vary from protein to protein.
"""

import argparse

import numpy as np

from harness.statistics import Bootstrap

GAIN = 0.02
"""What is added to one method: the true difference."""


def coverage(n_proteins: int, draws: int, bootstrap: Bootstrap) -> tuple[float, float]:
    """Shares of draws in which the expanded and the plain interval hold the true difference."""
    rng, held = np.random.default_rng(n_proteins), np.zeros(2)
    for _ in range(draws):
        quality = rng.beta(4, 4, n_proteins)
        ours, theirs = (rng.binomial(100, quality) / 100 for _ in range(2))
        expanded = bootstrap.difference(ours + GAIN, theirs)
        plain = bootstrap.mean(ours + GAIN - theirs)
        held += [one.low <= GAIN <= one.high for one in (expanded, plain)]
    expanded_share, plain_share = held / draws
    return float(expanded_share), float(plain_share)


def main() -> None:
    """Print a table of coverage by number of proteins."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--proteins", type=int, nargs="+", default=[6, 8, 10, 16, 32, 62])
    given = parser.parse_args()
    bootstrap = Bootstrap(resamples=10_000, level=0.95, seed=0)
    print(f"{'proteins':>8} {'expanded':>9} {'plain':>9}")
    for n in given.proteins:
        expanded, plain = coverage(n, given.draws, bootstrap)
        print(f"{n:8} {expanded:9.1%} {plain:9.1%}", flush=True)


if __name__ == "__main__":
    main()
