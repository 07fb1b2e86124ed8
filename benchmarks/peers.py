"""Other programs that maximize the pseudolikelihood of a Potts model, made to solve one problem.

What is the same for all sides: the rows and columns, 21 states with the gap last, weights (a row
counts 1 / number of rows equal to it in at least 80 % of the columns), no filter for gaps, and the
objective: the weighted negative log-pseudolikelihood with one coupling for both conditionals of a
pair, + 0.01 Σ h² + 0.2 (L − 1) Σ_{i<j} J². How each comes to that:

- CCMpred counts rows equal in more than ⌈t L⌉ columns; t is chosen for that. Its penalties are
  these. It stops when five iterations lower the objective by less than 1 % (`ccmpred`), or by less
  than 1e-5 of it (`ccmpred_tight`). With two threads its weights are counted in a data race.
- GREMLIN_CPP counts rows equal in more than ⌊t L⌋ columns; its penalties are these; `-gap_cutoff 1`
  leaves out nothing but columns of gaps. It makes 100 iterations for fields alone, then 100 for
  everything, and has no other end.
- plmc takes our weights from a file. `-lh` and `-le` multiply the sums of squares as they are.
  Gaps are a state without `-g`. 100 iterations at most; else it ends at |gradient| < 1e-3 |x|.
- pydca counts rows equal in a share above `seqid`; it leaves repeated rows out, so nobody has any.
  Penalties as in plmc, float32, the same end. 100 iterations, its default.

What differs, and stays as it is:

- CCMpred holds the field of the gap at zero. `benchmarks.potts.objective` shifts the fields of all
  sides to the gauge with the least penalty, so this costs it next to nothing.
- Maps: CCMpred takes the mean of a block away before the norm, GREMLIN_CPP nothing, pydca the means
  of rows and columns over twenty states; plmc takes the norm over 21 states. APC differs by the
  mean over L or L − 1. So maps are compared as each program writes them, and once more from its
  parameters with one post-processing for all (`benchmarks.potts.contact_map`).
"""

import re
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from benchmarks.families import Case
from benchmarks.potts import FIELD_PENALTY, Potts, coupling_penalty, from_pairs
from benchmarks.programs import Program
from harness.alphabet import AMINO_ACIDS, N_STATES


@dataclass(frozen=True, eq=False)
class Answer:
    """What a program found: its own contact map, and the parameters where it writes them."""

    scores: Float[ndarray, "L L"]
    potts: Potts | None
    facts: dict[str, float] = field(default_factory=dict)
    """What it says of itself: the effective number of sequences, iterations, …"""


class Side(Protocol):
    """A program that fits a Potts model."""

    name: str
    executable: str
    home: str
    """Where it comes from."""

    def prepare(self, case: Case, folder: Path, threads: int) -> Program:
        """Write its input; the command that fits it."""
        ...

    def answer(self, case: Case, folder: Path, output: str) -> Answer:
        """Read what it wrote, and what it printed."""
        ...


@dataclass(frozen=True)
class CCMpred:
    """Seemann, Gruber & Söding (Bioinformatics 2014), conjugate gradients, float32."""

    name: str
    options: tuple[str, ...]
    executable: ClassVar[str] = "ccmpred"
    home: ClassVar[str] = "https://github.com/soedinglab/CCMpred"

    def prepare(self, case: Case, folder: Path, threads: int) -> Program:
        """The clock stops at `Final fx`, before parameters are written as text."""
        case.write_lines(folder / "input.aln")
        threshold = (case.neighbor_columns - 1.5) / case.length
        options = (*self.options, "-t", str(threads), "-w", f"{threshold:.9f}", "-r", "raw")
        return Program((self.executable, *options, "input.aln", "map"), folder, ends="Final fx")

    def answer(self, case: Case, folder: Path, output: str) -> Answer:
        """Fields of twenty amino acids, then a block for each pair, a line for each state of i."""
        with (folder / "raw").open() as lines:
            written = [line.split() for line in islice(lines, case.length)]
            blocks = np.loadtxt(lines, comments="#")
        fields = np.pad(np.array(written, dtype=float), ((0, 0), (0, 1)))
        potts = from_pairs(fields, blocks.reshape(-1, N_STATES, N_STATES))
        facts = printed(output, r"^\d+\s+\d+\s+[\d.e+]+\s", r"Beff=(\S+)")
        return Answer(np.loadtxt(folder / "map"), potts, facts)


@dataclass(frozen=True)
class GremlinCpp:
    """Ovchinnikov's GREMLIN_CPP: L-BFGS with memory 5, float64."""

    name: str = "gremlin_cpp"
    executable: ClassVar[str] = "gremlin_cpp"
    home: ClassVar[str] = "https://github.com/sokrypton/GREMLIN_CPP"

    def prepare(self, case: Case, folder: Path, threads: int) -> Program:
        """The clock stops when the map is written and the parameters are not."""
        case.write_lines(folder / "input.aln")
        threshold = (case.neighbor_columns - 0.5) / case.length
        files = ("-i", "input.aln", "-o", "map", "-mrf_o", "raw")
        options = ("-gap_cutoff", "1", "-eff_cutoff", f"{threshold:.9f}")
        return Program((self.executable, *files, *options), folder, ends="# saving MRF")

    def answer(self, case: Case, folder: Path, output: str) -> Answer:
        """Positions are those of the full alignment; a column that it left out stays zero."""
        scores = np.zeros((case.length, case.length))
        rows = [line.split() for line in (folder / "map").read_text().splitlines()[1:]]
        i, j = np.array([row[:2] for row in rows], dtype=int).T
        scores[i, j] = scores[j, i] = [float(row[3]) for row in rows]
        fields = np.zeros((case.length, N_STATES))
        couplings = np.zeros((case.length, N_STATES, case.length, N_STATES), dtype=np.float32)
        for line in (folder / "raw").read_text().splitlines():
            tag, *values = line.split()
            at = [int(position) for position in re.findall(r"\d+", tag)]
            if tag.startswith("V"):
                fields[at] = np.array(values, dtype=float)
            else:
                block = np.array(values, dtype=np.float32).reshape(N_STATES, N_STATES)
                couplings[at[0], :, at[1]] = block
                couplings[at[1], :, at[0]] = block.T
        facts = printed(output, r"^# lbfgs::iter \d", r"# NEFF (\S+)")
        return Answer(scores, Potts(fields, couplings.astype(np.float64)), facts)


@dataclass(frozen=True)
class Plmc:
    """Ingraham's plmc (Hopf et al., Nat. Biotechnol. 2017): L-BFGS, one build by precision."""

    name: str
    executable: str
    home: ClassVar[str] = "https://github.com/debbiemarkslab/plmc"

    _ORDER: ClassVar[str] = "-ACDEFGHIKLMNPQRSTVWY"

    def prepare(self, case: Case, folder: Path, threads: int) -> Program:
        """The clock stops when the optimizer is done, before parameters and map are written."""
        case.write_fasta(folder / "input.fa")
        np.savetxt(folder / "weights", case.weights(), fmt="%.17g")
        penalties = ("-lh", str(FIELD_PENALTY), "-le", f"{coupling_penalty(case.length):.9g}")
        files = ("-w", "weights", "-o", "raw", "-c", "map")
        options = (*penalties, "-m", "100", "-n", str(threads))
        command = (self.executable, *options, *files, "input.fa")
        return Program(command, folder, ends="Gradient optimization")

    def answer(self, case: Case, folder: Path, output: str) -> Answer:
        """The binary file as `OutputParametersFull` of src/plm.c writes it."""
        scores = np.zeros((case.length, case.length))
        rows = np.loadtxt(folder / "map", usecols=(0, 2, 5))
        i, j = rows[:, :2].astype(int).T - 1
        scores[i, j] = scores[j, i] = rows[:, 2]
        content = (folder / "raw").read_bytes()
        columns, states, read, skipped = np.frombuffer(content, np.int32, 4)
        start = 5 * 4 + 5 * 4 + states + 4 * (read + skipped) + 5 * columns
        numbers = np.frombuffer(content, np.float32, offset=int(start))
        singles, pairs = columns * states, columns * (columns - 1) // 2 * states**2
        order = [self._ORDER.index(letter) for letter in AMINO_ACIDS + "-"]
        fields = numbers[singles : 2 * singles].reshape(columns, states)[:, order]
        blocks = numbers[2 * singles + pairs :].reshape(-1, states, states)
        facts = printed(output, r"^\d+\t[\d.]+\t\d", r"number of samples[^:]*: ([\d.]+\d)")
        return Answer(scores, from_pairs(fields, blocks[:, order][:, :, order]), facts)


def printed(output: str, iteration: str, neff: str = "") -> dict[str, float]:
    """How many lines tell of an iteration, and the effective number of sequences in the output."""
    facts = {"iterations": float(len(re.findall(iteration, output, re.MULTILINE)))}
    found = re.search(neff, output) if neff else None
    return facts | ({"neff": float(found[1])} if found else {})
