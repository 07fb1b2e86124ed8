"""The largest tensor exists once: what a call needs beside the forward pass, in fresh processes."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

LENGTH = 300
SCRIPT = """
    import sys
    from pathlib import Path
    import numpy as np
    import torch
    from harness.protein import Protein
    from tests.models import SHIPPED, esm2, jacobian_method

    def peak(run):
        '''The most memory (bytes, resident) that this process held during the call.'''
        Path("/proc/self/clear_refs").write_text("5")  # begins anew from what is held now
        run()
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

    storage, length = sys.argv[1], int(sys.argv[2])
    letters = np.random.default_rng(0).choice(list("ARNDCQEGHILKMFPSTWYV"), length)
    model = esm2(SHIPPED / "lattice_2x16.pt", tokens_per_batch=2048)
    methods = [
        jacobian_method(model, substitutes="AV", storage=storage, symmetrize=symmetrize)
        for symmetrize in ("couplings", "scores")
    ]

    def forward():
        some = torch.arange(40)  # several batches
        for _ in model.substituted_logits(torch.zeros(length).long(), some, some % 20):
            pass

    for method in methods:
        method(Protein("warm", "".join(letters[:20])))
        without = peak(forward)
        print(peak(lambda: method(Protein("p", "".join(letters)))) - without)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is begun anew as Linux does it")
@pytest.mark.parametrize(
    ("storage", "least", "most"), [("float32", 0.9, 1.2), ("float16", 0.45, 0.65)]
)
def test_a_call_holds_the_tensor_once_and_little_besides(storage, least, most):
    """In units of 400 L² numbers of four bytes.

    Two substitutes a residue fill the tensor as all would: centering writes every entry.
    """
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), storage, str(LENGTH)]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    shares = [int(line) / (4 * 400 * LENGTH**2) for line in done.stdout.split()]
    assert len(shares) == 2
    assert all(least < share < most for share in shares), shares
