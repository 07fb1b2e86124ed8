"""Pictures of couplings: what ties two residues, by a method and by its reference."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy import ndarray

from harness.alphabet import AMINO_ACIDS
from harness.coupled_pairs import PairCouplings
from harness.pictures import save_png, styled


@styled
def couplings_plot(path: Path, shown: Sequence[PairCouplings], title: str) -> None:
    """Write a picture: the couplings of each pair of residues, the method's beside the reference's.

    Each of the two has its own scale, symmetric around zero.
    """
    figure = Figure(figsize=(9.2, 0.4 + 4.0 * len(shown)), layout="constrained")
    figure.suptitle(title, fontsize=9)
    rows = figure.subplots(len(shown), 2, squeeze=False)
    for pair, (left, right) in zip(shown, rows, strict=True):
        _couplings(figure, left, pair, pair.method)
        _couplings(figure, right, pair, pair.reference)
        where = f"residues {pair.i} and {pair.j} (0-based)"
        left.set_title(f"{where}\nmethod", fontsize=9)
        right.set_title(f"{where}\n{pair.against}", fontsize=9)
    save_png(figure, path)


def _couplings(
    figure: Figure, axes: Axes, pair: PairCouplings, values: Float[ndarray, "20 20"]
) -> None:
    """One block: residue i down, residue j across; red couples, blue repels."""
    reach = float(np.abs(values).max()) or 1.0
    picture = axes.imshow(values, cmap="RdBu_r", vmin=-reach, vmax=reach)
    bar = figure.colorbar(picture, ax=axes, shrink=0.85)
    bar.ax.tick_params(labelsize=7)
    bar.set_label("coupling", fontsize=8)
    letters = list(AMINO_ACIDS)
    axes.set_xticks(range(len(letters)), letters, fontsize=7)
    axes.set_yticks(range(len(letters)), letters, fontsize=7)
    axes.set_xlabel(f"amino acid at {pair.j}", fontsize=8)
    axes.set_ylabel(f"amino acid at {pair.i}", fontsize=8)
