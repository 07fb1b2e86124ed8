"""What the options of a CPU give: kernels, batch sizes, precision, compilation, two cores.

    python -m benchmarks.cpu_options --sizes 8M 35M

Every ratio is to plain float32 in the same run; docs/results/speed.md explains the columns.
"""

import argparse
import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F
from numpy import ndarray
from torch import Tensor, nn

from benchmarks.agreement import agreement
from benchmarks.checkpoints import SHAPES, random_checkpoint, random_sequence
from benchmarks.clock import Clock, in_turn
from benchmarks.two_cores import two_cores
from benchmarks.variants import VARIANTS, Packed, Variant, contacts_by, plain
from harness import models
from harness.alphabet import encode
from harness.lattice import family_sequences, generate_family

CLOCK = Clock(torch.device("cpu"), threads=1)
TOKENS = 4000
BUDGETS = (500, 1000, 2000, 4000, 8000, 16000)
SHIPPED = Path(models.__file__).parent / "checkpoints" / "lattice_4x128.pt"


def main() -> None:
    """Print one table after another."""
    options = arguments()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        for size in options.sizes:
            checkpoint = random_checkpoint(size, Path(folder), CLOCK.device)
            mutants = random_mutants(options.length, options.mutants)
            print_kernels(size, options.repetitions)
            print_batches(size, checkpoint, mutants, options.repetitions)
            print_times(size, checkpoint, mutants[: len(mutants) // 4], options)
            print_two_cores(size, checkpoint, mutants)
        print_maps(size, checkpoint, random_sequence(options.map_length), options.variants)
        lattice = family_sequences(generate_family(0, 3), 0, "held_out", 1)[0]
        print_maps("lattice_4x128", SHIPPED, lattice, options.variants)


def print_kernels(size: str, repetitions: int) -> None:
    """The first product of a feed-forward block and its GELU, in several ways."""
    width = SHAPES[size].width
    x, linear = torch.randn(TOKENS, width), nn.Linear(width, 4 * width)
    separate, fused = Packed(linear), Packed(linear, "gelu")
    times = in_turn(
        {
            "F.linear": lambda: linear(x),
            "packed": lambda: separate(x),
            "F.linear, F.gelu": lambda: F.gelu(linear(x)),
            "packed, F.gelu": lambda: F.gelu(separate(x)),
            "packed with GELU": lambda: fused(x),
        },
        CLOCK,
        repetitions,
    )
    print(f"\n{size}: one product, {TOKENS} tokens, {width} to {4 * width} channels")
    for name, seconds in times.items():
        rate = 2 * TOKENS * width * 4 * width / seconds / 1e9
        print(f"{name:>18} {1e3 * seconds:8.1f} ms {rate:6.1f} GFLOP/s", flush=True)


def print_batches(size: str, checkpoint: Path, mutants: Tensor, repetitions: int) -> None:
    """The same mutants in batches of different size."""
    forward, n_tokens = plain(checkpoint).residue_logits, mutants.shape[1] + 2

    def in_batches(tokens: int) -> None:
        for batch in mutants.split(max(1, tokens // n_tokens)):
            forward(batch)

    actions = {str(tokens): lambda tokens=tokens: in_batches(tokens) for tokens in BUDGETS}
    print(f"\n{size}, {mutants.shape[1]} residues: tokens of a batch, ms per mutant", flush=True)
    for tokens, seconds in in_turn(actions, CLOCK, repetitions).items():
        print(f"{tokens:>18} {1e3 * seconds / len(mutants):8.2f}", flush=True)


def print_times(size: str, checkpoint: Path, mutants: Tensor, options: argparse.Namespace) -> None:
    """Time of every variant, its first call (compilation, packing on the fly) apart."""
    forwards, first = {}, {}
    for name in options.variants:
        forwards[name] = VARIANTS[name](plain(checkpoint))
        _, spent = CLOCK(lambda forward=forwards[name]: forward(mutants))
        first[name] = spent.core
    actions = {name: lambda forward=forward: forward(mutants) for name, forward in forwards.items()}
    times = in_turn(actions, CLOCK, options.repetitions)
    print(f"\n{size}, {len(mutants)} mutants of {mutants.shape[1]} residues in one batch")
    print(f"{'':>18} {'ms/mutant':>9} {'to eager':>8} {'first call, s':>13}")
    for name, seconds in times.items():
        ratio = seconds / times["eager"]
        each = 1e3 * seconds / len(mutants)
        print(f"{name:>18} {each:9.2f} {ratio:8.2f} {first[name]:13.1f}", flush=True)


def print_two_cores(size: str, checkpoint: Path, mutants: Tensor) -> None:
    """Two threads of one process, and two processes of one thread, against one thread."""
    print(f"\n{size}: mutants in a wall second", flush=True)
    for name, rate in two_cores(checkpoint, mutants).items():
        print(f"{name:>18} {rate:8.1f}", flush=True)


def print_maps(name: str, checkpoint: Path, sequence: str, chosen: list[str]) -> None:
    """How far the contact map of every variant agrees with the eager one."""
    reference = contacts_by(Variant(plain(checkpoint).residue_logits), sequence, "float32")
    print(f"\n{name}: contact map of {len(sequence)} residues, against eager")
    print(f"{'':>18} {'max relative':>12} {'Spearman':>9} {'top L':>6}")
    for way in chosen:
        contacts = contacts_by(Variant(VARIANTS[way](plain(checkpoint))), sequence, "float32")
        print_agreement(way, contacts, reference)
    stored = contacts_by(Variant(plain(checkpoint).residue_logits), sequence, "float16")
    print_agreement("float16 storage", stored, reference)


def print_agreement(name: str, contacts: ndarray, reference: ndarray) -> None:
    """One line."""
    found = agreement(contacts, reference)
    print(
        f"{name:>18} {found.max_relative:12.1e} {found.spearman:9.6f} {found.top_l:6.0%}",
        flush=True,
    )


def random_mutants(length: int, n: int) -> Tensor:
    """Residues (n, length): a random sequence with one more random residue in each row."""
    generator = torch.Generator().manual_seed(0)
    mutants = torch.from_numpy(encode(random_sequence(length))).repeat(n, 1)
    sites = torch.randint(length, (n,), generator=generator)
    mutants[torch.arange(n), sites] = torch.randint(20, (n,), generator=generator)
    return mutants


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--sizes", nargs="+", choices=SHAPES, default=["35M", "8M"], help="maps: of the last one")
    add("--length", type=int, default=128, help="residues of what is timed")
    add("--mutants", type=int, default=124, help="how many; a quarter of them for the variants")
    add("--map-length", type=int, default=32, help="residues of the maps by random weights")
    add("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    add("--repetitions", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
