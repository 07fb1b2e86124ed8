"""What a run records of a method that is asked for couplings instead of maps."""

import math
from dataclasses import dataclass, field

import numpy as np
import pytest

from baselines.random_scores import RandomScores
from harness.coupled_pairs import PairCouplings
from harness.errors import InputError
from harness.protein import Protein
from harness.protocols import Cost, Row
from harness.recording import RecordingMethod
from harness.results import RunFolder
from harness.runner import Experiment, run
from harness.sample import Sample
from harness.statistics import Bootstrap


@dataclass
class Proteins:
    """Two short proteins."""

    protein_ids: list[str] = field(default_factory=lambda: ["b", "a"])
    labeled_ids: list[str] = field(default_factory=list)
    manifest: dict[str, str] = field(default_factory=dict)
    version: str = "1"

    def __getitem__(self, identifier):
        return Sample(Protein(identifier, "ACDE"), np.zeros((4, 4)))


@dataclass
class Coupled:
    """Couplings of one value, at two passes of the model."""

    value: float = 1.0
    n_parameters: int = 7
    fingerprint: str = ""
    cost: Cost = field(default_factory=Cost)

    def __call__(self, protein):
        raise AssertionError("only couplings are asked for")

    def couplings(self, protein):
        self.cost.forward_passes += 2
        return np.full((len(protein), 20, len(protein), 20), self.value)


@dataclass
class Couplings:
    """An evaluation that reads couplings, of the protein and of another, and shows some."""

    coordinates: tuple[str, ...] = ()
    shown: list[PairCouplings] = field(default_factory=list)

    def __call__(self, method, sample):
        block = method.couplings(sample.protein)[0, :, 1]
        method.couplings(Protein("other", "ACDEFG"))
        self.shown[:] = [PairCouplings(0, 1, block, block, "itself")]
        yield Row("sum", "", float(block.sum()))


def test_couplings_are_recorded_as_maps_are(tmp_path):
    kept, coupled = [], Coupled()
    folder = RunFolder(tmp_path, "ones", "", ())
    folder.claim({}, "")
    experiment = Experiment(Proteins(), coupled, coupled, Couplings(), Bootstrap(10, 0.9, 0))
    run(experiment, folder, lambda *given: kept.append(given), lambda *_: None)
    assert folder.rows()["value"].tolist() == [400.0, 400.0]
    for sample, scores, watched, shown in kept:
        assert sample.protein.id in ("a", "b")
        assert (scores.shape, watched, shown[0].against) == ((4, 4), [], "itself")
    assert len(kept) == 2
    assert [facts["forward_passes"] for facts in folder.finished().values()] == [4, 4]
    assert all(facts["seconds"] > 0 for facts in folder.finished().values())


def test_a_method_without_couplings_is_named_through_the_recording():
    method = RecordingMethod(RandomScores(0))
    with pytest.raises(InputError, match="RandomScores gives contact scores without couplings"):
        method.couplings(Protein("a", "AC"))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_couplings_that_are_not_finite_are_an_error(value):
    method = RecordingMethod(Coupled(value))
    with pytest.raises(InputError, match="protein a: Coupled gives couplings that are not finite"):
        method.couplings(Protein("a", "AC"))
