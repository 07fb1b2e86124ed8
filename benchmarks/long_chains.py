"""What windows cost: precision beside whole chains, and the memory of a chain beyond the context.

    python -m benchmarks.long_chains --stitch model.pt    (trains it when it is not there, minutes)
    python -m benchmarks.long_chains --memory 1500 --methods attention categorical_jacobian

The embedded models have seen chains of 27 residues only, so the first part trains a network on
pieces of 81 residues of chains of lattice domains (docs/results/long_chains.md).
"""

import argparse
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy import ndarray

from benchmarks.checkpoints import SHAPES, random_checkpoint, random_sequence
from harness.alphabet import encode
from harness.lattice import LatticeFamily, family_sequences, generate_family
from harness.methods.categorical_jacobian import CategoricalJacobian
from harness.methods.windows import Overlapping
from harness.metrics import RANGES, precision_at, rank_pairs
from harness.models.esm2 import ESM2
from harness.models.network import Architecture
from harness.models.training import Recipe, Trainer
from harness.protein import Protein
from harness.results import read_summary
from harness.sample import Sample
from harness.statistics import Bootstrap

FAMILIES, LENGTH, PIECE = 8, 27, 81
JACOBIAN = partial(
    CategoricalJacobian,
    substitutes="all",
    center="all",
    symmetrize="couplings",
    apc=True,
    storage="float32",
)
LOAD = partial(
    ESM2,
    device="cpu",
    dtype="float32",
    tokens_per_batch=None,
    context=None,
    compile=False,
    ends="kept",
)


def main() -> None:
    """Print what was asked for."""
    options = arguments()
    torch.set_num_threads(options.threads)
    if options.stitch:
        if not options.stitch.exists():
            train(options.stitch, options.steps, options.threads)
        print_stitched(options.stitch, options.chains, options.windows)
    for method in options.methods if options.memory else ():
        print_memory(options.memory, method, options)


def train(path: Path, steps: int, threads: int) -> None:
    """Write a network trained on pieces of chains of lattice domains."""
    recipe = Recipe(steps, 24, 0.3, 0.02, 0.005, 50, 0.1, 0)
    trainer = Trainer(Architecture(3, 64, 4, True), recipe, threads, max(1, steps // 10))
    for point in trainer(pieces("train", 60_000), pieces("held_out", 200), path, lambda *_: None):
        print(point, flush=True)


def pieces(part: str, n: int) -> ndarray:
    """Pieces (n, 81) of chains of lattice domains, each beginning anywhere in a domain."""
    generator = np.random.default_rng(n)
    domains = np.array([[encode(s) for s in sequences] for sequences in families(part, 4000)])
    shape = (n, PIECE // LENGTH + 1)
    chosen = (generator.integers(size, size=shape) for size in domains.shape[:2])
    chains = domains[tuple(chosen)].reshape(n, -1)
    begins = generator.integers(LENGTH, size=n)
    return np.stack([chain[at : at + PIECE] for chain, at in zip(chains, begins, strict=True)])


def families(part: str, n: int) -> list[list[str]]:
    """Sequences of each family; of those held out there are fewer."""
    known = [generate_family(0, family) for family in range(FAMILIES)]
    return [family_sequences(one, 0, part, n if part == "train" else 64) for one in known]


def chain(number: int, domains: int) -> Sample:
    """A chain of held-out domains of different families; residues of two domains never touch."""
    order = np.random.default_rng(number).permutation(FAMILIES)[:domains]
    own: list[LatticeFamily] = [generate_family(0, int(family)) for family in order]
    sequence = "".join(family_sequences(one, 0, "held_out", 64)[number] for one in own)
    distances = np.full((len(sequence), len(sequence)), 99.0)
    for n, one in enumerate(own):
        place = slice(n * LENGTH, (n + 1) * LENGTH)
        distances[place, place] = one.distances
    return Sample(Protein(f"chain{number}", sequence), distances)


def print_stitched(path: Path, n: int, windows: list[str]) -> None:
    """P@L of whole chains, and of the same in windows, with the paired difference."""
    model = LOAD(path)
    method = JACOBIAN(model)
    samples = [chain(number, PIECE // LENGTH) for number in range(n)]
    whole = np.array([precision(method(sample.protein), sample) for sample in samples])
    print(f"{n} chains of {PIECE} residues, P@L min6 whole {whole.mean():.4f}")
    for text in windows:
        size, overlap = map(int, text.split(":"))
        cut = Overlapping(method, model, size, overlap)
        found = np.array([precision(cut(sample.protein), sample) for sample in samples])
        change = Bootstrap(10_000, 0.95, 0).mean(found - whole)
        print(
            f"windows of {size}, overlap {overlap}: {found.mean():.4f}, "
            f"{change.mean:+.4f} [{change.low:+.4f}, {change.high:+.4f}]",
            flush=True,
        )


def precision(scores: ndarray, sample: Sample) -> float:
    """P@L of pairs at least six residues apart."""
    return precision_at(rank_pairs(scores, sample.distances, RANGES["min6"], 8.0), 1)


def print_memory(length: int, method: str, options: argparse.Namespace) -> None:
    """What a run of the command line on random residues took: passes, seconds, memory."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        checkpoint = random_checkpoint(options.size, folder, torch.device("cpu"))
        protein = folder / "proteins" / "long"
        protein.mkdir(parents=True)
        (protein / "sequence.fasta").write_text(f">long\n{random_sequence(length)}\n", "ascii")
        choices = [f"method={method}", "model=esm2_local", f"model.path={checkpoint}"]
        choices += ["windows=overlapping", "dataset=folder", f"dataset.path={protein.parent}"]
        choices += ["tracker=none", "pictures=false", f"hydra.run.dir={folder / 'run'}"]
        command = [sys.executable, "-m", "harness", *choices, *options.overrides]
        threads = {"OMP_NUM_THREADS": str(options.threads)}
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ | threads)
        cost = read_summary(folder / "run")["cost"]
    print(
        f"{method}, {options.size}, {length} residues: {cost['forward_passes']} passes, "
        f"{cost['seconds']:.0f} s, peak memory {cost['peak_memory_bytes'] / 2**30:.2f} GiB",
        flush=True,
    )


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--stitch", type=Path, help="checkpoint, trained when it is not there")
    add("--steps", type=int, default=6400, help="of that training")
    add("--chains", type=int, default=32)
    add("--windows", nargs="+", default=["54:27", "54:40", "40:20"], help="size:overlap")
    add("--memory", type=int, help="residues of a chain beyond the context")
    add("--methods", nargs="+", default=["attention"])
    add("--size", choices=SHAPES, default="8M", help="of the network with random weights")
    add("--overrides", nargs="*", default=[], help="further choices, as windows.size=512")
    add("--threads", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
