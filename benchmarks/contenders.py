"""All sides of the comparison, ours and others, and one fit of one of them."""

import json
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.families import IDENTITY, Case
from benchmarks.fitting import BEGINS, ENDS
from benchmarks.peers import Answer, CCMpred, GremlinCpp, Plmc, Side
from benchmarks.potts import COUPLING_PENALTY, FIELD_PENALTY, Potts
from benchmarks.programs import Finished, Program, ProgramError, run
from benchmarks.pydca import Pydca

ROOT = Path(__file__).parent.parent

_SAME_PROBLEM = {
    "weight_identity": IDENTITY,
    "column_gaps": None,
    "row_gaps": None,
    "states": 21,
    "field_penalty": FIELD_PENALTY,
    "coupling_penalty": COUPLING_PENALTY,
    "device": "cpu",
}


@dataclass(frozen=True)
class Ours:
    """A method of the harness in a process of its own, from reading the alignment to the map.

    Settings are those of its yaml, but for the `changes`. With `keep` it hands its parameters over,
    after the clock has stopped.
    """

    name: str
    method: str
    changes: dict[str, Any]
    keep: bool
    executable: str = sys.executable
    home: str = ""

    def prepare(self, case: Case, folder: Path, threads: int) -> Program:
        """The clock starts after the imports."""
        case.write_a3m(folder / "input.a3m")
        settings = json.dumps(self.changes | {"keep": self.keep})
        command = (sys.executable, "-m", "benchmarks.fitting", self.method, str(folder), settings)
        return Program(command, ROOT, BEGINS, ENDS)

    def answer(self, case: Case, folder: Path, output: str) -> Answer:
        """Parameters are there for GREMLIN alone."""
        facts = json.loads((folder / "facts.json").read_text())
        potts = None
        if (folder / "fields.npy").exists():
            couplings = np.load(folder / "couplings.npy").astype(np.float64)
            potts = Potts(np.load(folder / "fields.npy"), couplings)
        return Answer(np.load(folder / "map.npy"), potts, facts)


def gremlin(name: str, keep: bool = True, **changes: Any) -> Ours:
    """Our GREMLIN on the peers' problem."""
    return Ours(name, "gremlin", _SAME_PROBLEM | changes, keep)


OURS: dict[str, Side] = {
    side.name: side
    for side in (
        gremlin("gremlin"),
        gremlin("gremlin_loose", tolerance=1e-3),
        gremlin("gremlin_tight", tolerance=1e-7, max_iterations=500),
        gremlin("gremlin_adam", optimizer="adam"),
        Ours("inverse_covariance", "inverse_covariance", {}, keep=False),
    )
}
PEERS: dict[str, Side] = {
    side.name: side
    for side in (
        CCMpred("ccmpred", ()),
        CCMpred("ccmpred_tight", ("-e", "1e-5", "-n", "500", "-k", "5")),
        Plmc("plmc", "plmc"),
        Plmc("plmc32", "plmc32"),
        GremlinCpp(),
        Pydca(),
    )
}
SIDES = OURS | PEERS


@dataclass(frozen=True, eq=False)
class Fitted:
    """One side on one alignment; where it failed, `note` says why and the rest is none."""

    side: str
    finished: Finished | None
    answer: Answer | None
    note: str = ""


def missing(side: Side) -> str:
    """Why this side cannot run; nothing when it can."""
    if shutil.which(side.executable):
        return ""
    return f"{side.name}: no {side.executable} on the PATH; it comes from {side.home}"


def fit(side: Side, case: Case, threads: int, limit: float) -> Fitted:
    """The side on this alignment, in a temporary folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = side.prepare(case, folder, threads)
        try:
            finished = run(program, threads, limit)
            return Fitted(side.name, finished, side.answer(case, folder, finished.output))
        except ProgramError as error:
            return Fitted(side.name, None, None, str(error))
        except (OSError, ValueError) as error:
            return Fitted(side.name, None, None, f"{side.name} wrote no result to read: {error}")
