"""How many coupling values models hold: tables of a sweep over sizes and numbers of families."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from harness.capacity_plots import capacity_plot
from harness.comparison import ComparedRun
from harness.results import read_rows
from harness.statistics import Bootstrap
from harness.stored import estimate_of_literature, estimated_bits

SHARE = "squared_correlation"
"""The metric that makes a run part of this: see `harness.evaluations.stored_couplings`."""

_HALF = 0.5


def write_capacity(sweep: Path, runs: Sequence[ComparedRun], bootstrap: Bootstrap) -> list[Path]:
    """Write capacity.csv, half_capacity.csv, capacity.md and the picture capacity; their paths.

    None where no two runs know exact couplings and differ in their model or number of families.
    """
    table = capacity_table(runs, bootstrap)
    if len(table.drop_duplicates(["n_parameters", "families"])) < 2:
        return []
    halves = half_capacity(table)
    points, crossings, text = (
        sweep / name for name in ("capacity.csv", "half_capacity.csv", "capacity.md")
    )
    table.to_csv(points, index=False)
    halves.to_csv(crossings, index=False)
    text.write_text(_report(table, halves, bootstrap.level), encoding="utf-8")
    pictures = capacity_plot(sweep / "capacity.png", table, bootstrap.level)
    return [points, crossings, text, *pictures]


def capacity_table(runs: Sequence[ComparedRun], bootstrap: Bootstrap) -> pd.DataFrame:
    """A row a run, by parameters and families.

    `values` are the independent true coupling values of all families (contacts × 19 × 19 each),
    `bits_per_parameter` the bits that the measured proteins have of theirs, extrapolated to all
    families, by parameters. Intervals are over proteins.
    """
    rows = [line for run in runs if (line := _line(run, bootstrap)) is not None]
    table = pd.DataFrame(rows)
    return table if table.empty else table.sort_values(["n_parameters", "families"])


def half_capacity(table: pd.DataFrame) -> pd.DataFrame:
    """A row a size: how many families it takes until the share has fallen to one half, and why not.

    Linear in the share over the logarithm of the families. `relative` asks the same of half the
    share at the fewest families, which tells of any model that has learned something.
    """
    rows = []
    for size in sorted(set(table["n_parameters"])):
        own = table[table["n_parameters"] == size]
        families, shares = own["families"].to_numpy(float), own["share"].to_numpy(float)
        per_family = float(own["values"].iloc[0] / own["families"].iloc[0])
        for name, level in (("absolute", _HALF), ("relative", _HALF * shares[0])):
            crossing, reason = _crossing(families, shares, level)
            values = {"families": crossing, "values": crossing * per_family}
            values["values_per_parameter"] = crossing * per_family / size
            head = {"n_parameters": size, "half": name, "share": level}
            rows.append(head | values | {"why_not": reason})
    return pd.DataFrame(rows)


def _line(run: ComparedRun, bootstrap: Bootstrap) -> dict[str, Any] | None:
    rows = read_rows(run.folder)
    if SHARE not in set(rows["metric"]):
        return None
    wide = rows.pivot(index="protein", columns=["metric", "range"], values="value")
    stored = rows[rows["metric"] == SHARE]
    families, per_family = float(stored["families"].iloc[0]), float(stored["stored"].mean())
    size = float(run.summary["cost"]["n_parameters"])
    share = bootstrap.mean(wide[(SHARE, "all")].to_numpy(float))
    bits = bootstrap.mean(wide[("bits_per_coupling", "all")].to_numpy(float))
    scale = families * per_family / size if size else float("nan")
    line = {"run": run.label, "model": run.summary["run"]["model"], "n_parameters": size}
    line |= {"families": families, "values": families * per_family, "values_per_parameter": scale}
    line |= {"share": share.mean, "share_low": share.low, "share_high": share.high, "n": share.n}
    line |= {"explained_variance": float(wide[("explained_variance", "all")].mean())}
    line |= {"bits_per_coupling": bits.mean, "bits_per_parameter": scale * bits.mean}
    line |= {"bits_low": scale * bits.low, "bits_high": scale * bits.high}
    for name in dict.fromkeys(rows.loc[rows["metric"] == "p_at_L", "range"]):
        line[f"p_at_L/{name}"] = float(wide[("p_at_L", name)].mean())
    return line


def _crossing(families: np.ndarray, shares: np.ndarray, level: float) -> tuple[float, str]:
    """Where the share first falls to the level; NaN and the reason where it does not."""
    if len(families) < 2:
        return float("nan"), "one number of families"
    if np.isnan(shares).any():
        return float("nan"), "a share could not be measured"
    if not shares[0] > level:
        return float("nan"), "below at the fewest families"
    below = np.flatnonzero(shares <= level)
    if not len(below):
        return float("nan"), "above at the most families"
    at = int(below[0])
    part = (shares[at - 1] - level) / (shares[at - 1] - shares[at])
    first, second = np.log(families[at - 1 : at + 1])
    return float(np.exp(first + part * (second - first))), ""


def _report(table: pd.DataFrame, halves: pd.DataFrame, level: float) -> str:
    """The tables in words and Markdown."""
    lines = [
        "| model | parameters | families | values / parameter | ρ² | bits / parameter | P@L |",
        "|---|---:|---:|---:|---|---|---:|",
    ]
    main = next(name for name in table.columns if name.startswith("p_at_L"))
    lines += [_table_line(row, main) for row in table.to_dict("records")]
    lines += ["", f"Intervals: {level:.0%}, over proteins. Families at which ρ² has halved:", ""]
    for row in halves.to_dict("records"):
        reached = f"{row['families']:.3g}, {row['values_per_parameter']:.2g} values a parameter"
        half = f"- {row['n_parameters']:,.0f} parameters, {row['half']} ({row['share']:.3f}): "
        lines.append(half + (row["why_not"] or reached))
    published = estimate_of_literature(20_000, 256, None), estimate_of_literature(20_000, 256, 4)
    best = float(table["bits_per_parameter"].max())
    return "\n".join([*lines, "", *_caveats(published, best)]) + "\n"


def _table_line(row: Mapping[Any, Any], main: str) -> str:
    share = f"{row['share']:.3f} [{row['share_low']:.3f}, {row['share_high']:.3f}]"
    bits = f"{row['bits_per_parameter']:.3f} [{row['bits_low']:.3f}, {row['bits_high']:.3f}]"
    head = f"| {row['model']} | {row['n_parameters']:,.0f} | {row['families']:.0f} "
    return f"{head}| {row['values_per_parameter']:.2f} | {share} | {bits} | {row[main]:.2f} |"


def _caveats(published: tuple[int, int], best: float) -> list[str]:
    whole, sparse = published
    needed = [estimated_bits(values, _HALF) / best for values in published]
    return [
        f"The literature's estimate for 20,000 families of 256 residues: {whole:,} coupling "
        f"values, {sparse:,} with at most four contacts a residue. At the {best:.2g} bits a "
        "parameter reached here, couplings known to ρ² = 0.5 (half a bit each) would need "
        f"{needed[0]:.2g} and {needed[1]:.2g} parameters, were every value independent.",
        "",
        "Real couplings are not: they share energies, so that far fewer parameters do. Families of "
        "random couplings are the clean test of storage, and no more than that. Families that were "
        "not seen are not covered. Couplings of amino acids that a site hardly ever has cannot be "
        "learned from any sequences, and count here all the same. A model that has not finished "
        "learning shows less than it could hold: what is measured is a lower bound, at one "
        "training budget.",
    ]
