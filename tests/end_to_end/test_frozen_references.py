"""Every shipped method still gives the numbers that were frozen under baselines/reference."""

from pathlib import Path

import pytest

from harness.gate import compare
from harness.gate_report import markdown
from harness.sides import read_frozen, read_side
from harness.statistics import Bootstrap
from harness.verdicts import Rules
from tests.builders import DATA, needs_data

PROJECT = Path(__file__).parent.parent.parent
FROZEN = PROJECT / "baselines" / "reference"
UNFROZEN = {"structure", "folded"}
"""They read predictions of other programs, or weights, that do not come with the project."""
ALL = {path.stem for path in (PROJECT / "conf" / "method").glob("*.yaml")}
METHODS = sorted(ALL - UNFROZEN)
RULES = Rules(Bootstrap(resamples=10_000, level=0.95, seed=0), tolerance=0.005, partial=False)
"""Another processor may turn a near tie: one pair of one protein moves the mean by a thousandth."""


@pytest.mark.parametrize("kind", ["lattice", "domains"])
def test_every_method_is_frozen(kind):
    assert sorted(path.stem for path in (FROZEN / kind).glob("*.json")) == METHODS


@pytest.fixture
def check(command_line, lattices, tmp_path):
    """A function that measures what a frozen reference was made of, and compares."""

    def run(name, *added):
        frozen = read_frozen(FROZEN / f"{name}.json")
        folder = tmp_path / "again"
        place = [f"hydra.run.dir={folder}", *([lattices] if name.startswith("lattice") else [])]
        added = (*added, "dataset.limit=null", *place)
        done = command_line(*frozen.arguments, *added)
        assert done.code == 0, done.err
        found = compare(read_side(folder), frozen, RULES, None)
        assert found.overall == "equivalent", markdown([found])

    return run


@pytest.mark.parametrize("method", METHODS)
def test_lattice_proteins_give_the_frozen_numbers(check, method):
    check(f"lattice/{method}")


@needs_data
@pytest.mark.parametrize("method", METHODS)
def test_real_domains_give_the_frozen_numbers(check, method):
    """Language models read them with an embedded model of lattices: only the code is checked."""
    check(f"domains/{method}", f"dataset.path={DATA / 'proteins'}")
