"""The gate catches mistakes that are easily made in a categorical Jacobian."""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from harness.gate import compare
from harness.sides import read_frozen, read_side
from harness.statistics import Bootstrap
from harness.verdicts import Rules, counts

MISTAKES = ("NotSymmetrized", "OffByOne", "Uncorrected")
REFERENCE = Path(__file__).parents[2] / "baselines/reference/lattice/categorical_jacobian.json"
BROKEN = '''
"""The categorical Jacobian with one mistake each."""

from dataclasses import dataclass

import torch

from harness.couplings import center_, contact_scores, corrected_scores, frobenius_norm, symmetrize_
from harness.methods.categorical_jacobian import CategoricalJacobian
from harness.protocols import PredictsLogits


def centered(model, protein):
    method = CategoricalJacobian(model, "all", "all", "couplings", True, "float32")
    return center_(torch.from_numpy(method.jacobian(protein)), "all")


@dataclass(frozen=True)
class NotSymmetrized:
    """What residue i does to a later j, without what j does to i."""

    model: PredictsLogits

    def __call__(self, protein):
        norms = frobenius_norm(centered(self.model, protein)).triu()
        return corrected_scores(norms + norms.T, apc=True).numpy()


@dataclass(frozen=True)
class OffByOne:
    """The logits of the neighbor, as where a special token was not taken off."""

    model: PredictsLogits

    def __call__(self, protein):
        return contact_scores(symmetrize_(centered(self.model, protein).roll(1, dims=2))).numpy()


@dataclass(frozen=True)
class Uncorrected:
    """No average product correction."""

    model: PredictsLogits

    def __call__(self, protein):
        return contact_scores(symmetrize_(centered(self.model, protein)), apc=False).numpy()
'''


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """Options that add the broken methods as choices; their module is in tmp_path."""
    (tmp_path / "broken.py").write_text(BROKEN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "broken", raising=False)
    choices = tmp_path / "conf" / "method"
    choices.mkdir(parents=True)
    for name in MISTAKES:
        text = f"_target_: broken.{name}\nmodel: ${{model}}\n"
        (choices / f"{name}.yaml").write_text(text)
    return ["--config-dir", str(choices.parent)]


FROZEN = ("reference=lattice/categorical_jacobian", "model=lattice_3x64", "dataset.depth=256")


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_broken_method_is_caught(command_line, broken, lattices, tmp_path, mistake):
    """At least four of P@L and average precision in three ranges; nothing else differs."""
    place = ["dataset.limit=null", lattices, f"hydra.run.dir={tmp_path / 'run'}"]
    done = command_line(f"--config-dir={broken[1]}", f"method={mistake}", *FROZEN[1:], *place)
    assert done.code == 0, done.err
    frozen = read_frozen(REFERENCE)
    rules = Rules(Bootstrap(10_000, 0.95, 0), tolerance=0.01, partial=False)
    found = compare(read_side(tmp_path / "run"), frozen, rules, None)
    assert found.overall == "regressed"
    assert counts(found.verdicts)["regressed"] >= 4


def test_a_broken_method_fails_the_command(regress, broken, lattices, tmp_path):
    done = regress(*broken, "method=OffByOne", *FROZEN, lattices, "pictures=false", "tracker=none")
    assert done.returncode == 1, done.stderr
    assert "against categorical_jacobian lattice_3x64: regressed" in done.stdout
    (report,) = tmp_path.glob("out/regress/*/junit.xml")
    suites = ElementTree.parse(report).getroot()
    assert suites[0].get("failures") == "6"
