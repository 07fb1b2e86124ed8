"""Models that show chosen attention, and labeled proteins with chosen contacts."""

from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from harness.alphabet import AMINO_ACIDS
from harness.labeled import LabeledProteins
from harness.protein import Protein
from harness.protocols import Cost
from harness.sample import Sample

LENGTH = 12
LAYERS, HEADS = 2, 3


def distances(seed):
    """Contacts (5 Å) and others (20 Å) of a protein, symmetric."""
    drawn = np.triu(np.random.default_rng(seed).random((LENGTH, LENGTH)) < 0.2, k=1)
    return np.where(drawn | drawn.T, 5.0, 20.0)


@dataclass
class Attending:
    """Random attention everywhere, but head 1 of layer 1 looks at the contacts of the proteins.

    The first residue of a sequence says which protein it is.
    """

    n_parameters: int = 0
    fingerprint: str = "ab"
    cost: Cost = field(default_factory=Cost)

    def attention(self, residues):
        self.cost.forward_passes += 1
        length, seed = len(residues), int(residues[0])
        generator = torch.Generator().manual_seed(seed)
        maps = torch.rand(LAYERS, HEADS, length, length, generator=generator)
        if length == LENGTH:
            maps[1, 1] += 5.0 * torch.from_numpy(distances(seed) < 8)
        return maps


@dataclass
class Known:
    """Proteins set aside, `a` … `e`, told apart by their first residue; none is scored."""

    unresolved: bool = False
    protein_ids: list[str] = field(default_factory=list)
    labeled_ids: list[str] = field(default_factory=lambda: list("abcde"))
    manifest: dict[str, str] = field(default_factory=dict)
    version: str = "1"

    def __getitem__(self, identifier):
        number = self.labeled_ids.index(identifier)
        truth = distances(number)
        if self.unresolved:
            truth[:] = np.nan
        return Sample(protein(number, identifier), truth)


def protein(number, identifier="p"):
    """The protein with that number."""
    return Protein(identifier, AMINO_ACIDS[number] + "A" * (LENGTH - 1))


@pytest.fixture
def model():
    """A model with one head that knows."""
    return Attending()


@pytest.fixture
def labeled():
    """Four labeled proteins."""
    return LabeledProteins(Known(), 4, 0)


@pytest.fixture
def unresolved():
    """Labeled proteins without a single known distance."""
    return LabeledProteins(Known(unresolved=True), 4, 0)


@pytest.fixture
def unseen():
    """A protein that is not labeled."""
    return protein(9)
