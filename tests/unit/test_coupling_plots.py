import numpy as np
import pytest

from harness.coupled_pairs import PairCouplings
from harness.coupling_plots import couplings_plot


@pytest.mark.parametrize("n", [1, 3])
def test_each_pair_is_drawn_whatever_its_couplings(tmp_path, n):
    drawn = np.random.default_rng(0).normal(size=(20, 20))
    pairs = [PairCouplings(i, 9, drawn, np.zeros((20, 20)), "Gremlin") for i in range(n)]
    path = tmp_path / "new" / "couplings.png"
    couplings_plot(path, pairs, "title")
    assert path.read_bytes().startswith(b"\x89PNG")
