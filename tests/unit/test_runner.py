import dataclasses
import json
import math
from dataclasses import dataclass, field

import numpy as np
import pytest

from harness.errors import InputError
from harness.protein import Protein
from harness.protocols import Cost, ReportsFacts, Row
from harness.recording import RecordingMethod
from harness.results import RunFolder
from harness.runner import Experiment, RunNames, run
from harness.sample import Sample
from harness.statistics import Bootstrap


@dataclass
class Proteins:
    """Short proteins; remembers which were asked for."""

    protein_ids: list[str]
    labeled_ids: list[str] = field(default_factory=list)
    manifest: dict[str, str] = field(default_factory=dict)
    version: str = "1"
    asked: list[str] = field(default_factory=list)
    group: str = ""

    def __getitem__(self, identifier):
        self.asked.append(identifier)
        protein = Protein(identifier, "ACDE")
        facts = {"resolved_fraction": 0.5}
        return Sample(protein, np.zeros((4, 4)), facts=facts, group=self.group)


@dataclass
class CountingModel:
    n_parameters: int = 7
    fingerprint: str = ""
    cost: Cost = field(default_factory=lambda: Cost(100, 1000, 10_000))


@dataclass
class Ones:
    """Scores of one; calls cost the model two passes, and fail for one protein."""

    model: CountingModel
    failing: str = ""

    def __call__(self, protein):
        if protein.id == self.failing:
            raise InputError("broken")
        self.model.cost.forward_passes += 2
        self.model.cost.tokens += 12
        self.model.cost.flops += 500
        self.model.cost.peak_device_bytes = max(self.model.cost.peak_device_bytes, 64)
        return np.ones((len(protein), len(protein)))


@dataclass
class Telling(Ones):
    """The same, with facts that are new after every call."""

    facts: dict[str, float] = field(default_factory=dict)

    def __call__(self, protein):
        scores = super().__call__(protein)
        self.facts.clear()
        self.facts.update(hidden=protein.sequence.count("?"), n_rows=np.int64(7), gain=math.inf)
        if protein.id == "a":
            self.facts["only_a"] = 0.25
        return scores


@dataclass
class Twice:
    """An evaluation that calls the method twice, the second time on a masked protein."""

    coordinates: tuple[str, ...] = ()

    def __call__(self, method, sample):
        whole = method(sample.protein)
        masked = 2 * method(sample.protein.masked([0]))
        yield Row("sum", "", float(whole.sum() + masked.sum()))


@pytest.fixture
def experiment():
    model = CountingModel()
    return Experiment(Proteins(["b", "a"]), Ones(model), model, Twice(), Bootstrap(10, 0.9, 0))


@pytest.fixture
def folder(tmp_path):
    folder = RunFolder(tmp_path, "ones", "", ())
    folder.claim({}, "")
    return folder


def ignore(*_):
    pass


def test_proteins_are_measured_in_the_order_of_the_data_set(experiment, folder):
    run(experiment, folder, ignore, ignore)
    assert folder.rows()["protein"].tolist() == ["b", "a"]
    assert folder.rows()["value"].tolist() == [48.0, 48.0]


def test_what_is_done_is_neither_loaded_nor_measured_again(experiment, folder):
    run(experiment, folder, ignore, ignore)
    before = (folder.path / "rows.csv").read_bytes()
    experiment.dataset.asked.clear()
    run(experiment, folder, ignore, ignore)
    assert experiment.dataset.asked == []
    assert (folder.path / "rows.csv").read_bytes() == before


def test_a_failure_keeps_what_was_measured_before(experiment, folder):
    experiment.method.failing = "a"
    with pytest.raises(InputError, match="broken"):
        run(experiment, folder, ignore, ignore)
    assert list(folder.finished()) == ["b"]
    experiment.method.failing = ""
    run(experiment, folder, ignore, ignore)
    assert list(folder.finished()) == ["b", "a"]


def test_a_protein_named_twice_is_measured_once(experiment, folder):
    experiment.dataset.protein_ids = ["a", "a"]
    run(experiment, folder, ignore, ignore)
    assert folder.rows()["protein"].tolist() == ["a"]


def test_an_empty_data_set_is_an_error(experiment, folder):
    experiment.dataset.protein_ids = []
    with pytest.raises(InputError, match="holds no protein"):
        run(experiment, folder, ignore, ignore)


def test_progress_counts_what_was_done_before(experiment, folder):
    seen = []
    experiment.dataset.protein_ids = ["a"]
    run(experiment, folder, ignore, ignore)
    experiment.dataset.protein_ids = ["a", "b", "c"]
    run(experiment, folder, ignore, lambda done, total, doing: seen.append((done, total, doing())))
    assert seen == [(1, 3, "b, 104 forward passes"), (2, 3, "c, 108 forward passes"), (3, 3, "")]


def test_the_cost_of_a_protein_is_its_own(experiment, folder):
    run(experiment, folder, ignore, ignore)
    for facts in folder.finished().values():
        assert (facts["forward_passes"], facts["tokens"], facts["flops"]) == (4, 24, 1000)
        assert facts["peak_device_bytes"] == 64  # of the process so far, as peak_memory_bytes
        assert facts["length"] == 4
        assert facts["resolved_fraction"] == 0.5
        assert facts["seconds"] > 0
        assert facts["peak_memory_bytes"] > 1_000_000
        assert facts["commit"]


@pytest.fixture
def telling(experiment):
    """The experiment with a method that reports facts."""
    return dataclasses.replace(experiment, method=Telling(experiment.model))


def test_facts_of_a_protein_are_those_of_its_first_map(telling, folder):
    run(telling, folder, ignore, ignore)
    reported = {name: entry["facts"] for name, entry in folder.finished().items()}
    of_both = {"hidden": 0, "n_rows": 7, "gain": None}  # JSON has no infinity
    assert reported == {"b": of_both, "a": of_both | {"only_a": 0.25}}
    for line in (folder.path / "proteins.jsonl").read_text().splitlines():
        json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def test_facts_are_neither_lost_nor_doubled_by_a_stop(telling, folder):
    telling.method.failing = "a"
    with pytest.raises(InputError, match="broken"):
        run(telling, folder, ignore, ignore)
    again = RunFolder(folder.path, "ones", "", ())
    again.claim({}, "")
    fresh = Telling(telling.model)
    run(dataclasses.replace(telling, method=fresh), again, ignore, ignore)
    lines = (folder.path / "proteins.jsonl").read_text().splitlines()
    assert [sorted(json.loads(line)["facts"]) for line in lines] == [
        ["gain", "hidden", "n_rows"],
        ["gain", "hidden", "n_rows", "only_a"],
    ]


def test_a_method_without_facts_leaves_none(experiment, folder):
    assert not isinstance(experiment.method, ReportsFacts)
    run(experiment, folder, ignore, ignore)
    assert not [entry for entry in folder.finished().values() if "facts" in entry]


def test_the_group_of_a_protein_is_kept_where_it_has_one(experiment, folder):
    experiment.dataset.protein_ids, experiment.dataset.group = ["a"], "tier A"
    run(experiment, folder, ignore, ignore)
    experiment.dataset.protein_ids, experiment.dataset.group = ["a", "b"], ""
    run(experiment, folder, ignore, ignore)
    assert folder.finished()["a"]["group"] == "tier A"
    assert "group" not in folder.finished()["b"]


def test_a_method_without_a_model_spends_nothing_of_one(experiment, folder):
    run(dataclasses.replace(experiment, model=None), folder, ignore, ignore)
    for facts in folder.finished().values():
        spent = ("forward_passes", "tokens", "flops", "peak_device_bytes")
        assert [facts[key] for key in spent] == [0, 0, 0, 0]


def test_the_map_that_is_kept_is_that_of_the_first_call(experiment, folder):
    kept = []

    def keep(sample, scores, watched, shown):
        assert watched == []
        assert list(shown) == []
        assert sample.protein.id not in folder.finished()  # files first, then the protein is done
        kept.append((sample.protein.sequence, scores.sum()))

    run(experiment, folder, keep, ignore)
    assert kept == [("ACDE", 16), ("ACDE", 16)]


def test_a_recording_method_gives_the_scores_of_the_method():
    method = RecordingMethod(Ones(CountingModel()))
    np.testing.assert_array_equal(method(Protein("a", "AC")), np.ones((2, 2)))
    assert list(method.maps) == ["a"]


@pytest.mark.parametrize(
    ("model", "settings", "label"),
    [
        ("8M", "depth=2", "jac 8M depth=2"),
        ("", "depth=2", "jac depth=2"),
        ("8M", "", "jac 8M"),
    ],
)
def test_a_label_holds_what_there_is(model, settings, label):
    assert RunNames("jac", model, settings, "set", "none", "precision").label == label
