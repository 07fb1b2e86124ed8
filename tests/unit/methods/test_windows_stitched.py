"""A network that takes a chain whole finds as many contacts in windows of it."""

from pathlib import Path

import numpy as np

from benchmarks.long_chains import JACOBIAN, LOAD, chain, precision
from harness.methods.windows import Overlapping

CHECKPOINT = Path(__file__).parents[2] / "data" / "domains_3x64.pt"


def test_windows_of_two_domains_cost_less_than_a_hundredth_of_precision():
    """On 64 chains the difference is in docs/results/long_chains.md; these are eight of them."""
    model = LOAD(CHECKPOINT)
    method = JACOBIAN(model)
    windows = Overlapping(method, model, 54, 27)
    samples = [chain(number, domains=3) for number in range(8)]
    whole = np.array([precision(method(sample.protein), sample) for sample in samples])
    stitched = np.array([precision(windows(sample.protein), sample) for sample in samples])
    assert len(windows.starts(len(samples[0].protein))) == 2
    assert whole.mean() > 0.15  # guessing finds 0.02
    assert abs(stitched.mean() - whole.mean()) < 0.01
