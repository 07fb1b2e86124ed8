"""python -m harness.estimate: the literature's estimate of what a model has to store.

With --measured capacity.csv (of python -m harness.train experiment=capacity) also how many
parameters that would take at the measured bits a parameter.
"""

import argparse
import sys
from pathlib import Path

import pandas as pd

from harness.stored import estimate_of_literature, estimated_bits, independent_values


def main() -> None:
    """Print the estimate."""
    parser = argparse.ArgumentParser(prog="python -m harness.estimate", description=__doc__)
    parser.add_argument("--families", type=int, default=20_000)
    parser.add_argument("--length", type=int, default=256, help="residues of each")
    parser.add_argument("--contacts", type=int, help="at most so many a residue; else all pairs")
    parser.add_argument("--share", type=float, default=0.5, help="of their variance to be known")
    parser.add_argument("--measured", type=Path, help="capacity.csv of a sweep")
    given = parser.parse_args()
    asked = (given.families, given.length, given.contacts)
    try:
        values, free = estimate_of_literature(*asked), independent_values(*asked)
        bits = estimated_bits(free, given.share)
        best = None if given.measured is None else _most_bits(given.measured)
    except (ValueError, OSError, KeyError) as error:
        sys.exit(f"error: {error}")
    print(f"coupling values, families × pairs × 400:  {values:,}")
    print(f"of them independent, × 361:               {free:,}")
    print(f"bits to know {given.share:.0%} of their variance:     {bits:,.0f}")
    if best is not None:
        print(f"parameters at {best:.3g} bits each:         {bits / best:,.0f}")
    print(
        "An upper bound: real families share energies, and then far fewer parameters do "
        "(docs/results/capacity.md)."
    )


def _most_bits(path: Path) -> float:
    """The most bits a parameter that a sweep has reached."""
    best = float(pd.read_csv(path)["bits_per_parameter"].max())
    if not best > 0:
        raise ValueError(f"{path}: no run has stored anything")
    return best


if __name__ == "__main__":
    main()
