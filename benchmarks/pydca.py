"""pydca's plmDCA, run by the Python that it is installed for."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy import ndarray

from benchmarks.families import Case
from benchmarks.peers import Answer, printed
from benchmarks.potts import FIELD_PENALTY, coupling_penalty, from_pairs
from benchmarks.programs import Program
from harness.alphabet import AMINO_ACIDS, N_STATES

_ORDER = "ACDEFGHIKLMNPQRSTVWY-"

_SCRIPT = """
import sys
import numpy as np
from pydca.plmdca.plmdca import PlmDCA
identity, fields, couplings, threads = sys.argv[1:]
fit = PlmDCA("input.fa", "protein", seqid=float(identity), lambda_h=float(fields),
             lambda_J=float(couplings), max_iterations=100, num_threads=int(threads), verbose=True)
print("begun", flush=True)
parameters = fit.get_fields_and_couplings_from_backend()
print("done", flush=True)
np.save("raw.npy", parameters)
"""


@dataclass(frozen=True)
class Pydca:
    """Zerihun, Pucci, Peter & Schug (Bioinformatics 2020): L-BFGS, float32.

    The clock covers the C++ fit and the transfer of its parameters to Python; no imports.
    """

    name: str = "pydca"
    executable: ClassVar[str] = "plmdca"
    home: ClassVar[str] = "https://github.com/KIT-MBS/pydca (pip install --no-deps pydca)"

    def prepare(self, case: Case, folder: Path, threads: int) -> Program:
        """The interpreter beside the `plmdca` that is on the path."""
        case.write_fasta(folder / "input.fa")
        identity = (case.neighbor_columns - 0.5) / case.length
        stated = (identity, FIELD_PENALTY, coupling_penalty(case.length), threads)
        program = Path(shutil.which(self.executable) or sys.executable).resolve()
        python = str(program.with_name("python"))
        command = (python, "-c", _SCRIPT, *map(str, stated))
        return Program(command, folder, begins="begun", ends="done")

    def answer(self, case: Case, folder: Path, output: str) -> Answer:
        """Fields and blocks of pairs in one array; the map as its `compute_sorted_FN_APC`."""
        numbers = np.load(folder / "raw.npy")
        order = [_ORDER.index(letter) for letter in AMINO_ACIDS + "-"]
        singles = case.length * N_STATES
        fields = numbers[:singles].reshape(-1, N_STATES)[:, order]
        blocks = numbers[singles:].reshape(-1, N_STATES, N_STATES)[:, order][:, :, order]
        potts = from_pairs(fields, blocks)
        return Answer(_map(potts.couplings), potts, printed(output, r"^Iteration"))


def _map(couplings: ndarray) -> ndarray:
    """Means over twenty states taken away, norm, APC from means over L − 1."""
    kept = couplings[:, : len(AMINO_ACIDS), :, : len(AMINO_ACIDS)]
    kept = kept - kept.mean(axis=1, keepdims=True)
    kept = kept - kept.mean(axis=3, keepdims=True)
    norms = np.sqrt((kept**2).sum(axis=(1, 3)))
    means = norms.sum(axis=0) / (len(norms) - 1)
    scores = norms - np.outer(means, means) / means.mean()
    np.fill_diagonal(scores, 0)
    return scores
