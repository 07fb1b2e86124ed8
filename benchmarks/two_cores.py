"""Whether two cores are better used by two threads or by two processes."""

import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from threading import Barrier

import torch
from numpy import ndarray
from torch import Tensor

from benchmarks.variants import plain

_BATCH = 31


def two_cores(checkpoint: Path, mutants: Tensor) -> dict[str, float]:
    """Mutants in a wall second."""
    return {
        "one thread": _threads(1, checkpoint, mutants),
        "two threads": _threads(2, checkpoint, mutants),
        "two processes": _processes(checkpoint, mutants),
    }


def _threads(n: int, checkpoint: Path, mutants: Tensor) -> float:
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    seconds = _run(checkpoint, mutants, lambda: None)
    torch.set_num_threads(before)
    return len(mutants) / seconds


def _processes(checkpoint: Path, mutants: Tensor) -> float:
    """Each takes one half; both are warm before they begin."""
    halves = [half.numpy() for half in mutants.chunk(2)]
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, ProcessPoolExecutor(2, mp_context=context) as pool:
        barrier = manager.Barrier(2)
        runs = [pool.submit(_run_half, checkpoint, half, barrier) for half in halves]
        return len(mutants) / max(run.result() for run in runs)


def _run_half(checkpoint: Path, half: ndarray, barrier: Barrier) -> float:
    torch.set_num_threads(1)
    return _run(checkpoint, torch.from_numpy(half), barrier.wait)


def _run(checkpoint: Path, mutants: Tensor, ready: Callable[[], object]) -> float:
    """Wall seconds for all mutants, after a first batch and when all are ready."""
    network, batches = plain(checkpoint), mutants.split(_BATCH)
    with torch.inference_mode():
        network.residue_logits(batches[0])
        ready()
        begun = time.perf_counter()
        for batch in batches:
            network.residue_logits(batch)
    return time.perf_counter() - begun
