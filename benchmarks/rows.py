"""What is printed and written: one row for each side of a case."""

from dataclasses import asdict, dataclass
from math import nan
from statistics import median

from benchmarks.agreement import Agreement, agreement
from benchmarks.trials import Trial


@dataclass(frozen=True)
class Row:
    """Figures of one side: medians over its samples; `docs/results/speed.md` defines each."""

    size: str
    length: int
    side: str
    positions: int
    estimated: bool
    core_s: float
    core_s_low: float
    core_s_high: float
    wall_s: float
    after_s: float
    passes_per_s: float
    mutant_ratio: float
    mutant_ratio_low: float
    mutant_ratio_high: float
    protein_ratio: float
    mflop_per_mutant: float
    gflop_per_s: float
    share_of_peak: float
    peak_gflop_per_s: float
    gib: float
    max_relative: float
    spearman: float
    top_l: float


def rows_of(size: str, trials: list[Trial]) -> list[Row]:
    """One row for each trial of a case."""
    return [_row(size, trial, trials) for trial in trials]


def _row(size: str, trial: Trial, trials: list[Trial]) -> Row:
    protein = trial.per_protein()
    agreed = _agreement(trial, trials)
    return Row(
        size=size,
        length=len(trial.sequence),
        side=trial.side.name,
        positions=trial.positions,
        estimated=not trial.whole,
        core_s=median(protein),
        core_s_low=min(protein),
        core_s_high=max(protein),
        wall_s=trial.wall(),
        after_s=trial.after.core,
        passes_per_s=1 / median(trial.per_mutant()),
        **_ratios(trial, trials),
        mflop_per_mutant=trial.operations / 1e6,
        gflop_per_s=median(trial.rates()) / 1e9,
        share_of_peak=median(r / p for r, p in zip(trial.rates(), trial.peaks, strict=True)),
        peak_gflop_per_s=median(trial.peaks) / 1e9,
        gib=trial.held / 2**30,
        **asdict(agreed),
    )


def _ratios(trial: Trial, trials: list[Trial]) -> dict[str, float]:
    """How many times as long as the harness in the same precision, sample by sample."""
    ours = [
        t for t in trials if t.side.name.startswith("ours") and t.side.dtype == trial.side.dtype
    ]
    mutant = _quotients(trial.per_mutant(), ours[0].per_mutant()) if ours else [nan]
    protein = _quotients(trial.per_protein(), ours[0].per_protein()) if ours else [nan]
    return {
        "mutant_ratio": median(mutant),
        "mutant_ratio_low": min(mutant),
        "mutant_ratio_high": max(mutant),
        "protein_ratio": median(protein),
    }


def _quotients(over: list[float], under: list[float]) -> list[float]:
    return [a / b for a, b in zip(over, under, strict=True)]


def _agreement(trial: Trial, trials: list[Trial]) -> Agreement:
    """With the published map, or else ours in float32; NaN where only a sample was run."""
    maps = {t.side.name: t.contacts for t in trials}
    reference = maps.get("published", maps.get("ours"))
    if reference is None or trial.contacts is None:
        return Agreement(nan, nan, nan)
    return agreement(trial.contacts, reference)


_COLUMNS = {  # name, width and format of what is printed
    "size": (5, ""),
    "length": (6, ""),
    "side": (20, ""),
    "positions": (9, ""),
    "core_s": (9, ".3g"),
    "core_s_low": (10, ".3g"),
    "core_s_high": (11, ".3g"),
    "wall_s": (8, ".3g"),
    "after_s": (8, ".2g"),
    "passes_per_s": (12, ".4g"),
    "mutant_ratio": (12, ".2f"),
    "protein_ratio": (13, ".2f"),
    "gflop_per_s": (11, ".1f"),
    "share_of_peak": (13, ".0%"),
    "gib": (5, ".1f"),
    "max_relative": (12, ".1e"),
    "spearman": (9, ".6f"),
    "top_l": (6, ".0%"),
}


def header() -> str:
    """The names of the printed columns."""
    return " ".join(f"{name:>{width}}" for name, (width, _) in _COLUMNS.items())


def line(row: Row) -> str:
    """A row as it is printed; `~` marks seconds scaled up from a sample of the positions."""
    return " ".join(f"{_cell(row, name):>{width}}" for name, (width, _) in _COLUMNS.items())


def _cell(row: Row, name: str) -> str:
    value = asdict(row)[name]
    if value != value:  # not a number
        return "-"
    estimated = row.estimated and name in ("core_s", "wall_s")
    return "~" * estimated + format(value, _COLUMNS[name][1])
