"""What a language model reads where residues are hidden: a mask, or nothing at all."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray

from harness.alphabet import MASK_LETTER
from harness.blocks import Block, Segment, blocks_of
from harness.predicted import PredictedStructure, structure_of
from harness.protein import Protein
from harness.protocols import ContactMethod, CouplingMethod, HasPositions, Model, ReportsFacts
from harness.work import passes_of


def masked(method: ContactMethod, model: Model) -> ContactMethod:
    """The method itself: it reads hidden residues as masks."""
    return method


def deleted(method: ContactMethod, model: Model, gap: int | None) -> ContactMethod:
    """The method, reading only what is visible; with couplings if it has them."""
    if gap is not None and gap < 0:
        raise ValueError(f"gap is {gap}; allowed are 0 and more, or null")
    if not isinstance(model, HasPositions):
        raise ValueError("this model has no positions; leave hiding=masked")
    shortened = Deleted(method, model, gap)
    return DeletedCouplings(shortened, method) if isinstance(method, CouplingMethod) else shortened


@dataclass(frozen=True)
class Deleted:
    """A method that reads a protein without its hidden residues; their scores are zero.

    What is left stands where it stood (`gap` none), or closer: a run of hidden residues leaves at
    most `gap` empty positions. So does one at an end, between the residues and the token there. A
    protein with nothing hidden is read as it is.
    """

    method: ContactMethod
    model: HasPositions
    gap: int | None

    def __call__(self, protein: Protein) -> Float[ndarray, "L L"]:
        """Contact scores."""
        if not protein.n_hidden:
            return self.method(protein)
        scores, visible = np.zeros((len(protein), len(protein))), self.visible(protein)
        if len(visible):
            with self.reading(protein) as short:
                scores[np.ix_(visible, visible)] = self.method(short)
        return scores

    def blocks(self, proteins: Sequence[Protein], block: Block) -> Iterator[Float[ndarray, "R C"]]:
        """One block of the map of each protein, in order."""
        if not any(protein.n_hidden for protein in proteins):
            yield from blocks_of(self.method, proteins, block)
            return
        for protein in proteins:
            visible = self.visible(protein)
            if not set(block.residues) <= set(visible.tolist()):
                yield block.of(self(protein))
                continue
            starts = [int(np.searchsorted(visible, part.start)) for part in block.segments]
            moved = [Segment(at, at + len(s)) for at, s in zip(starts, block.segments, strict=True)]
            with self.reading(protein) as short:
                yield from blocks_of(self.method, [short], Block(moved[0], moved[-1]))

    def structure(self, protein: Protein) -> PredictedStructure | None:
        """That of the method, of a protein with nothing hidden; else none."""
        return None if protein.n_hidden else structure_of(self.method, protein)

    @property
    def facts(self) -> Mapping[str, float]:
        """Those of the method."""
        return self.method.facts if isinstance(self.method, ReportsFacts) else {}

    def passes(self, length: int) -> int | None:
        """Those of the method while nothing is hidden; none where it does not say."""
        return passes_of(self.method, length)

    @contextmanager
    def reading(self, protein: Protein) -> Iterator[Protein]:
        """What is visible as a protein; as long as this lasts, the model knows where it stands."""
        visible = self.visible(protein)
        sequence = "".join(protein.sequence[i] for i in visible)
        positions = self.positions(protein)
        with self.model.at(torch.from_numpy(positions[visible]), int(positions[-1]) + 1):
            yield Protein(protein.id, sequence)

    def visible(self, protein: Protein) -> Int[ndarray, " V"]:
        """Which residues are not hidden."""
        letters = enumerate(protein.sequence)
        return np.array([i for i, letter in letters if letter != MASK_LETTER], dtype=np.int64)

    def positions(self, protein: Protein) -> Int[ndarray, " L"]:
        """Where each residue stands; that of a hidden one is kept or the last before it."""
        if self.gap is None:
            return np.arange(len(protein))
        run, place, positions = 0, -1, []
        for letter in protein.sequence:
            run = run + 1 if letter == MASK_LETTER else 0
            place += run <= self.gap
            positions.append(place)
        return np.array(positions)


@dataclass(frozen=True)
class DeletedCouplings:
    """The same for a method that also gives couplings."""

    deleted: Deleted
    method: CouplingMethod

    def __call__(self, protein: Protein) -> Float[ndarray, "L L"]:
        """Contact scores."""
        return self.deleted(protein)

    def blocks(self, proteins: Sequence[Protein], block: Block) -> Iterator[Float[ndarray, "R C"]]:
        """One block of the map of each protein, in order."""
        return self.deleted.blocks(proteins, block)

    @property
    def facts(self) -> Mapping[str, float]:
        """Those of the method."""
        return self.deleted.facts

    def passes(self, length: int) -> int | None:
        """The same."""
        return self.deleted.passes(length)

    def couplings(self, protein: Protein) -> Float[ndarray, "L 20 L 20"]:
        """Couplings, zero for hidden residues."""
        if not protein.n_hidden:
            return self.method.couplings(protein)
        couplings, visible = np.zeros((len(protein), 20) * 2), self.deleted.visible(protein)
        if len(visible):
            with self.deleted.reading(protein) as short:
                amino_acids = np.arange(20)
                place = np.ix_(visible, amino_acids, visible, amino_acids)
                couplings[place] = self.method.couplings(short)
        return couplings
