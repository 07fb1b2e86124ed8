"""The picture of a capacity sweep: what is given back, and how many bits that is, by families."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, ScalarFormatter
from pandas import DataFrame

from harness.pictures import GREY, looks, save, styled

_SHARE = "ρ² of Jacobian and true couplings"
_BITS = "bits of the couplings by parameter"


@styled
def capacity_plot(path: Path, table: DataFrame, level: float) -> list[Path]:
    """Write a picture in each form: share by families and by values a parameter; bits a parameter.

    `table` is that of `harness.capacity.capacity_table`; lines are model sizes.
    """
    figure = Figure(figsize=(13.2, 4.4), layout="constrained")
    shares, collapsed, bits = figure.subplots(1, 3)
    share, bound = (
        ("share", "share_low", "share_high"),
        ("bits_per_parameter", "bits_low", "bits_high"),
    )
    _lines(shares, table, "families", share)
    _lines(collapsed, table, "values_per_parameter", share)
    _lines(bits, table, "families", bound)
    for axes, label in ((shares, "families"), (collapsed, "true coupling values by parameter")):
        axes.axhline(0.5, color=GREY, lw=0.8, ls=":")
        axes.set(xlabel=label, ylabel=_SHARE, ylim=(min(0, axes.get_ylim()[0]), 1.02))
    bits.axhline(2, color=GREY, lw=0.8, ls=":")
    bits.annotate(
        "2 bits: facts in language models (Allen-Zhu & Li, 2024)",
        (0.02, 2.02),
        xycoords=("axes fraction", "data"),
        fontsize=7,
        color=GREY,
        va="bottom",
    )
    bits.set(xlabel="families", ylabel=_BITS, yscale="log", ylim=(None, 4))
    lines, texts = shares.get_legend_handles_labels()
    figure.legend(lines, texts, loc="outside lower center", fontsize=8, ncols=4)
    figure.suptitle(f"mean over proteins, {level:.0%} interval", fontsize=9)
    return save(figure, path)


def _lines(axes: Axes, table: DataFrame, along: str, names: tuple[str, str, str]) -> None:
    """One line a model size."""
    mean, low, high = names
    for (size, own), look in zip(table.groupby("n_parameters"), looks(), strict=False):
        x, y = own[along].to_numpy(float), own[mean].to_numpy(float)
        below, above = y - own[low].to_numpy(float), own[high].to_numpy(float) - y
        label = f"{float(size):,.0f} parameters"  # type: ignore[arg-type]
        errors = [below.clip(0), above.clip(0)]
        axes.errorbar(x, y, yerr=errors, label=label, **look)
    axes.set_xscale("log")
    if along == "families":
        axes.set_xticks(sorted(set(table[along])))
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.xaxis.set_minor_formatter(NullFormatter())
