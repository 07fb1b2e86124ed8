import subprocess
import sys
import textwrap

import pytest
import torch

from harness.errors import PrerequisiteError
from harness.models.batches import TokenBudget, automatic_tokens
from harness.models.network import Architecture, Network

ON_LINUX = "[enforce fail] CPUAllocator: can't allocate memory: you tried to allocate 8 bytes"
ON_WINDOWS = "[enforce fail] CPUAllocator: not enough memory: you tried to allocate 8 bytes"
MESSAGES = [
    RuntimeError(ON_LINUX),
    RuntimeError(ON_WINDOWS),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
]
LENGTH = 5


class Device:
    """Squares numbers; has room for so many at once, and notes what it was given."""

    def __init__(self, room=10**9, error=MESSAGES[0]):
        self.room, self.error, self.sizes = room, error, []

    def __call__(self, rows):
        self.sizes.append(rows.stop - rows.start)
        if self.sizes[-1] > self.room:
            raise self.error
        return torch.arange(rows.start, rows.stop) ** 2


def collected(budget, n, device):
    """All results in order, each put where its slice says."""
    found = torch.full((n,), -1)
    end = 0
    for rows, result in budget.split(n, LENGTH, device):
        assert rows.start == end  # nothing is left out or repeated
        found[rows], end = result, rows.stop
    assert end == n
    return found.tolist()


SQUARES = [number**2 for number in range(23)]


@pytest.mark.parametrize(("tokens", "size"), [(1, 1), (5, 1), (14, 2), (50, 10), (10**6, 23)])
def test_a_slice_has_as_many_sequences_as_the_budget_takes_and_one_at_least(tokens, size):
    device = Device()
    assert collected(TokenBudget(tokens), 23, device) == SQUARES
    assert set(device.sizes[:-1]) <= {size}
    assert device.sizes[-1] == 23 % size or size


def test_without_sequences_there_are_no_slices():
    device = Device()
    assert collected(TokenBudget(10), 0, device) == []
    assert device.sizes == []


def test_nothing_is_computed_before_it_is_asked_for():
    device = Device()
    next(TokenBudget(10).split(23, LENGTH, device))
    assert device.sizes == [2]


@pytest.mark.parametrize("error", MESSAGES, ids=["linux", "windows", "cublas", "cuda"])
@pytest.mark.parametrize("room", [1, 2, 3, 7, 20])
def test_out_of_memory_halves_the_slices_and_loses_nothing(room, error):
    device = Device(room, error)
    assert collected(TokenBudget(10**6), 23, device) == SQUARES
    failed = [size for size in device.sizes if size > room]
    assert failed == [23 // 2**n for n in range(len(failed))]


def test_a_halved_budget_stays_halved():
    """23, 11 and 5 sequences are too many; the next split begins with two."""
    budget, device = TokenBudget(10**6), Device(room=4)
    collected(budget, 23, device)
    assert budget.tokens == 2 * LENGTH
    device.sizes.clear()
    collected(budget, 23, device)
    assert set(device.sizes[:-1]) == {2}


def test_memory_that_runs_out_on_the_way_repeats_that_slice_only():
    budget, device = TokenBudget(8 * LENGTH), Device()
    slices = budget.split(23, LENGTH, device)
    assert next(slices)[0] == slice(0, 8)
    device.room = 4
    assert [rows for rows, _ in slices][:2] == [slice(8, 12), slice(12, 16)]
    assert device.sizes == [8, 8, 4, 4, 4, 3]


@pytest.mark.parametrize("error", MESSAGES, ids=["linux", "windows", "cublas", "cuda"])
def test_out_of_memory_for_one_sequence_says_what_to_do(error):
    with pytest.raises(PrerequisiteError, match=r"single sequence of 5 tokens .*model\.dtype="):
        collected(TokenBudget(100), 23, Device(room=0, error=error))


def test_an_error_that_is_not_about_memory_passes_through():
    device = Device(room=0, error=RuntimeError("shapes do not fit"))
    with pytest.raises(RuntimeError, match=r"^shapes do not fit$"):
        collected(TokenBudget(100), 23, device)
    assert device.sizes == [20]


@pytest.mark.parametrize("tokens", [0, -1])
def test_a_budget_of_nothing_is_refused(tokens):
    with pytest.raises(ValueError, match=f"tokens_per_batch is {tokens}; it must be positive"):
        TokenBudget(tokens)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's")
def test_what_this_machine_says_when_memory_runs_out_is_understood():
    """With 300 MiB to spare, a GiB at once fails for real; slices of a quarter fit."""
    script = """
        import resource
        from pathlib import Path
        import torch
        from harness.models.batches import TokenBudget

        def run(rows):
            return torch.ones(rows.stop - rows.start, 2**20).sum(1)

        budget = TokenBudget(256)
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 300 * 2**20, resource.RLIM_INFINITY))
        print(sum(int(part.sum()) >> 20 for _, part in budget.split(512, 1, run)), budget.tokens)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["512", "64"]


def test_on_a_cpu_the_widest_activations_of_a_batch_fill_12_mebibytes():
    """Four numbers of four bytes for each of 16 channels: 256 bytes a token."""
    assert automatic_tokens(Network(Architecture(1, 16, 2, True))) == 12 * 2**20 // 256
