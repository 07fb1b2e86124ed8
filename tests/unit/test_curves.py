import numpy as np
import pandas as pd
import pytest

from harness.blocks import Block, Segment
from harness.curves import curve_plot, filling_plot
from harness.protein import Protein
from harness.recording import RecordingMethod

BLOCK = Block(Segment(2, 5), Segment(8, 12))
PROTEIN = Protein("p", "ACDEFGHIKLMNPQRS")


def table(kinds):
    lines = [
        {"metric": metric, "range": kind, "flank": flank, "mean": 0.1 * flank, "n": 9 - flank}
        | {"low": 0.0, "high": 1.0}
        for metric in ("recovered", "recovery", "correlation")
        for kind in kinds
        for flank in range(8)
    ]
    return pd.DataFrame(lines)


@pytest.mark.parametrize(
    "curves", [{"one": ["all", "alpha_beta"]}, {"one": ["all"], "two": ["all"]}], ids=len
)
def test_curves_are_drawn(tmp_path, curves):
    path = tmp_path / "new" / "curves.png"
    curve_plot(path, {label: table(kinds) for label, kinds in curves.items()}, 0.95)
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("steps", [1, 3, 30])
def test_a_block_that_fills_in_is_drawn(tmp_path, steps):
    method = RecordingMethod(lambda protein: np.random.default_rng(0).random((16, 16)))
    shown = [PROTEIN.masked(range(12)) for _ in range(steps)]
    assert len(list(method.blocks(shown, BLOCK))) == len(method.watched) == steps
    filling_plot(tmp_path / "filling.png", method.watched, "title")
    assert (tmp_path / "filling.png").read_bytes().startswith(b"\x89PNG")


def test_only_the_first_block_is_watched_and_all_are_timed():
    method = RecordingMethod(lambda protein: np.ones((16, 16)))
    list(method.blocks([PROTEIN] * 2, BLOCK))
    before = method.seconds
    list(method.blocks([PROTEIN] * 3, Block(Segment(0, 1), Segment(0, 1))))
    assert len(method.watched) == 2
    assert method.watched[0].block == BLOCK
    assert method.seconds > before > 0
