"""Several implementations on one protein, in turn, so that a noisy machine is fair to all."""

from dataclasses import dataclass, field
from statistics import median

import torch
from numpy import ndarray

from benchmarks.clock import Clock, MatrixProduct, Spent
from benchmarks.sides import Implementation, Side


@dataclass(frozen=True)
class Plan:
    """How much of a protein is run, and how often."""

    seconds: float
    """Core seconds of one repetition on one side; a protein that takes longer is sampled."""
    positions: int | None
    """Positions of a repetition; none: as many as fit in `seconds`."""
    whole: int
    """Proteins up to this length always run whole."""
    repetitions: int

    def chosen(self, length: int, one: float) -> int:
        """How many positions a repetition runs when one of them takes so many seconds."""
        fitting = self.positions or int(self.seconds / one)
        return length if length <= self.whole else max(1, min(length, fitting))


_NOTHING = Spent(0.0, 0.0)


@dataclass
class Trial:
    """One side on one protein. A sample is a repetition."""

    side: Side
    implementation: Implementation
    sequence: str
    clock: Clock
    positions: int = 0
    operations: float = 0.0  # of one mutant
    contacts: ndarray | None = None  # where the whole protein was run
    after: Spent = _NOTHING  # post-processing, where that is not part of the samples
    samples: list[Spent] = field(default_factory=list)
    peaks: list[float] = field(default_factory=list)
    held: int = 0  # bytes on an accelerator besides what was there before

    @property
    def whole(self) -> bool:
        """Whether all positions were run."""
        return self.positions == len(self.sequence)

    def prepare(self, plan: Plan) -> None:
        """Warm up, count, and choose how many positions a repetition runs."""
        self.implementation.start(self.sequence)
        self.operations = self.implementation.operations()
        _, one = self.clock(lambda: self.implementation.fill([0]))
        self.positions = plan.chosen(len(self.sequence), one.core)
        if not self.whole:
            self.implementation.fill(range(self.positions))
            _, self.after = self.clock(self.implementation.contacts)
            self.implementation.start(self.sequence)

    def run(self, repetition: int, peak: MatrixProduct) -> None:
        """One more sample, and beside it what the device does at best."""
        held_before = _held(self.clock.device)
        if self.whole:
            self.contacts, spent = self.clock(lambda: self.implementation.whole(self.sequence))
        else:
            first = repetition * self.positions
            sites = [(first + n) % len(self.sequence) for n in range(self.positions)]
            _, spent = self.clock(lambda: self.implementation.fill(sites))
        self.held = max(self.held, _held_at_most(self.clock.device) - held_before)
        self.samples.append(spent)
        self.peaks.append(peak.rate())

    def per_mutant(self) -> list[float]:
        """Core seconds of a mutant, by sample."""
        return [s.core / self.positions / self.implementation.mutants for s in self.samples]

    def per_protein(self) -> list[float]:
        """Core seconds of the whole protein, by sample; scaled up where positions were sampled."""
        return [s.core * self._scale + self.after.core for s in self.samples]

    def wall(self) -> float:
        """Wall seconds of the whole protein, median."""
        return median(s.wall * self._scale + self.after.wall for s in self.samples)

    def rates(self) -> list[float]:
        """Operations a second and core, by sample."""
        return [self.operations / seconds / self.clock.cores for seconds in self.per_mutant()]

    @property
    def _scale(self) -> float:
        return len(self.sequence) / self.positions


def run(trials: list[Trial], plan: Plan, peaks: dict[torch.dtype, MatrixProduct]) -> None:
    """All samples of all trials, in turn."""
    for trial in trials:
        trial.prepare(plan)
    for repetition in range(plan.repetitions):
        for trial in trials:
            trial.run(repetition, peaks[trial.side.dtype])


def _held(device: torch.device) -> int:
    """Bytes held on an accelerator; the count of the most begins anew."""
    if device.type != "cuda":
        return 0
    torch.cuda.reset_peak_memory_stats(device)
    return torch.cuda.memory_allocated(device)


def _held_at_most(device: torch.device) -> int:
    """The most bytes held on an accelerator since then."""
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0
