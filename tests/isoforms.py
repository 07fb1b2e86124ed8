"""Isoforms with maps and structures that are known."""

from dataclasses import dataclass, field

import numpy as np

from harness.evaluations.isoform import Isoform
from harness.predicted import PredictedStructure
from harness.protein import Protein
from harness.sample import Origin, Sample
from harness.structure import read_chains
from tests.folding import predicted

FULL = "MKTAYIAKGRQISFVLDERWHCNGPQTYEMLSAVKDIG"
CUT = (10, 18)
SHORT = FULL[: CUT[0]] + FULL[CUT[1] :]
KEPT = [*range(CUT[0]), *range(CUT[1], len(FULL))]
SETTINGS = {"contact": "cb8", "ranges": ["min6"], "masked": False, "shortest": 4}
SETTINGS |= {"separation": 3, "radius": 5.0}


def evaluation(**changes):
    return Isoform(**(SETTINGS | changes))


def unresolved(identifier, sequence, **fields):
    return Sample(Protein(identifier, sequence), np.full((len(sequence),) * 2, np.nan), **fields)


def sample_of(isoform=SHORT, full=FULL, distances=None, notes=None):
    """An isoform without a structure, of a full length that may have one."""
    whole = unresolved("full", full)
    if distances is not None:
        whole = Sample(Protein("full", full), distances)
    return unresolved("iso", isoform, origin=Origin(whole, notes or {}))


def random_map(length, seed=0):
    scores = np.random.default_rng(seed).random((length, length))
    scores = scores + scores.T
    np.fill_diagonal(scores, 0)
    return scores


@dataclass
class Known:
    """A method whose maps are those of a table, by id; `hidden` stands for what is masked."""

    maps: dict
    hidden: np.ndarray | None = None
    asked: list = field(default_factory=list)

    def __call__(self, protein):
        self.asked.append(protein.sequence)
        return self.hidden if protein.n_hidden else self.maps[protein.id]


@dataclass
class Folding(Known):
    """The same with structures."""

    structures: dict = field(default_factory=dict)

    def structure(self, protein):
        return self.structures[protein.id]


def fragment_of(scores):
    """The map of the isoform that is that of the full length."""
    return scores[np.ix_(KEPT, KEPT)].copy()


def helix_of(folder, sequence, plddt=None):
    """The structure of a helix, with this pLDDT."""
    chains = read_chains(predicted(folder / f"{len(sequence)}.pdb", sequence))
    sure = None if plddt is None else np.full(len(sequence), float(plddt))
    return PredictedStructure(chains, sure, None, "helix")


def values_of(method, sample, **changes):
    """The value of each metric and range."""
    rows = list(evaluation(**changes)(method, sample))
    assert len({(row.metric, row.range) for row in rows}) == len(rows)
    return {f"{row.metric} {row.range}".strip(): row.value for row in rows}


def looked_at(method, sample=None, **changes):
    """The pair that the evaluation has looked at."""
    seen = evaluation(**changes)
    list(seen(method, sample or sample_of()))
    (pair,) = seen.shown
    return pair
