"""The recovery benchmark on a network of two layers: both sides give the same numbers."""

import re
import subprocess
import sys
from pathlib import Path

from benchmarks.published_recovery import flank_sequences, random_sequences

ROOT = Path(__file__).parents[2]


def test_both_sides_agree_and_every_target_has_a_line():
    command = [sys.executable, "-m", "benchmarks.recovery", "--size", "tiny", "--threads", "1"]
    done = subprocess.run(
        [*command, "--lengths", "50", "64"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    _, heading, *targets, total = done.stdout.splitlines()
    assert heading.split()[:2] == ["residues", "steps"]
    assert [line.split()[:2] for line in targets] == [["50", "3"], ["64", "10"]]
    assert all(float(line.split()[-1]) < 1e-5 for line in targets)
    assert re.fullmatch(r"all: published [\d.]+ s, ours [\d.]+ s, [\d.]+ ×", total)


def test_published_flanks_stop_before_an_end():
    found = list(flank_sequences("ACDEFGH", [(2, 4)]))
    assert found == ["<mask>" * 2 + "DE" + "<mask>" * 3, "<mask>CDEF<mask><mask>"]
    pair = list(flank_sequences("ACDEFGHIKL", [(2, 3), (6, 7)]))
    assert [sequence.count("<mask>") for sequence in pair] == [8, 6]


def test_published_random_places_are_as_many():
    counts = [s.count("<mask>") for s in random_sequences("ACDEFGHIKLMNP", [(4, 6)], 1, 0)]
    assert counts == [11, 9, 7, 5]
