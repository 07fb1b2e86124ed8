"""A run as its record sees it: names, configuration, experiment, a tracker that remembers."""

from dataclasses import dataclass, field

from baselines.random_scores import RandomScores
from harness.evaluations.precision import OrderedPrecision
from harness.masking import Unmasked
from harness.protocols import Cost
from harness.run_summary import Basis
from harness.runner import Experiment, RunNames
from harness.statistics import Bootstrap

NAMES = RunNames("jac", "8M", "seed=1", "folder", "none", "precision")
MODEL = {"_target_": "m.M", "path": "a.pt", "device": "cpu", "dtype": "float32"}
MODEL |= {"tokens_per_batch": None, "context": 1022}
CONFIG = {
    "contact": "cb8",
    "save_scores": True,
    "pictures": True,
    "quiet": False,
    "outputs": "here",
    "statistics": {"_target_": "s.S", "seed": 0},
    "model": MODEL,
    "method": {"_target_": "j.J", "model": MODEL, "center": "all", "seed": 1},
    "dataset": {"_target_": "d.D", "path": "p", "groups": "g", "ranges": ["min3"]}
    | {"contact": "cb8", "group_column": "tier"},
    "tracker": {"_target_": "t.T", "store": "x"},
}


@dataclass
class Known:
    """A data set and a model, as far as a record looks at them."""

    version: str = "v1"
    fingerprint: str = "ab"
    n_parameters: int = 1000
    cost: Cost = field(default_factory=Cost)
    protein_ids: list[str] = field(default_factory=list)
    labeled_ids: list[str] = field(default_factory=list)
    manifest: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, identifier):
        raise KeyError(identifier)


@dataclass
class Remembering:
    """A tracked run that remembers everything."""

    id: str = "1"
    parameters: dict = field(default_factory=dict)
    metrics: dict = field(default_factory=dict)
    tags: dict = field(default_factory=dict)
    tables: dict = field(default_factory=dict)
    paths: list = field(default_factory=list)
    curves: dict = field(default_factory=dict)

    def record(self, parameters, metrics, tags):
        self.parameters |= parameters
        self.metrics |= metrics
        self.tags |= tags

    def dataset(self, name, version, n_proteins):
        self.tags["dataset"] = f"{name} {version} {n_proteins}"

    def table(self, name, frame):
        self.tables[name] = frame

    def curve(self, name, points):
        self.curves[name] = points

    def files(self, paths, under):
        self.paths += [f"{under}/{path.name}" for path in paths]


def experiment(model=True):
    known, evaluation = Known(), OrderedPrecision("cb8", ["long"], Unmasked())
    bootstrap = Bootstrap(100, 0.95, 0)
    return Experiment(known, RandomScores(0), known if model else None, evaluation, bootstrap)


def basis(model=True):
    return Basis.of(experiment(model))
