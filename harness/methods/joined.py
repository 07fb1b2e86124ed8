"""The chains of a complex as one sequence for a language model, which knows of no chains."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray

from harness.alphabet import AMINO_ACIDS
from harness.blocks import Block, blocks_of
from harness.predicted import PredictedStructure, structure_of
from harness.protein import Protein
from harness.protocols import ContactMethod, CouplingMethod, HasPositions, Model, ReportsFacts
from harness.work import passes_of


def joined(method: ContactMethod, model: Model, linker: str, gap: int) -> ContactMethod:
    """The method, reading complexes by this linker; with couplings if it has them."""
    linked = Joined(method, model, linker, gap)
    return JoinedCouplings(linked, method) if isinstance(method, CouplingMethod) else linked


@dataclass(frozen=True)
class Joined:
    """A method that reads the chains of a complex with `linker` between them.

    The linker's own scores are left out of the map; it takes part in all that comes before, the
    average product correction included. Residues of each further chain also stand `gap` positions
    farther on than they would. A protein of one chain is read as it is.
    """

    method: ContactMethod
    model: Model
    linker: str
    gap: int

    def __post_init__(self) -> None:
        if not set(self.linker) <= set(AMINO_ACIDS):
            raise ValueError(f"linker is {self.linker!r}; allowed are letters out of {AMINO_ACIDS}")
        if self.gap < 0:
            raise ValueError(f"gap is {self.gap}; allowed are 0 and more")
        if self.gap and not isinstance(self.model, HasPositions):
            raise ValueError(f"gap is {self.gap}, and this model has no positions; leave gap=0")

    def __call__(self, protein: Protein) -> Float[ndarray, "L L"]:
        """Contact scores."""
        if not protein.breaks:
            return self.method(protein)
        with self.reading(protein) as linked:
            scores = self.method(linked)
        own = self.own(protein)
        return scores[np.ix_(own, own)]

    def blocks(self, proteins: Sequence[Protein], block: Block) -> Iterator[Float[ndarray, "R C"]]:
        """One block of the map of each protein, in order."""
        if any(protein.breaks for protein in proteins):
            return (block.of(self(protein)) for protein in proteins)
        return blocks_of(self.method, proteins, block)

    def structure(self, protein: Protein) -> PredictedStructure | None:
        """That of the method, of a protein of one chain; else none."""
        return None if protein.breaks else structure_of(self.method, protein)

    @property
    def facts(self) -> Mapping[str, float]:
        """Those of the method."""
        return self.method.facts if isinstance(self.method, ReportsFacts) else {}

    def passes(self, length: int) -> int | None:
        """Those of the method for one chain; none where it does not say."""
        return passes_of(self.method, length)

    @contextmanager
    def reading(self, protein: Protein) -> Iterator[Protein]:
        """The linked sequence; as long as this lasts, the model sees its chains `gap` apart."""
        linked = Protein(protein.id, self.linker.join(protein.chain_sequences))
        if self.gap and isinstance(self.model, HasPositions):
            with self.model.at(torch.from_numpy(self._positions(protein, len(linked)))):
                yield linked
        else:
            yield linked

    def own(self, protein: Protein) -> Int[ndarray, " L"]:
        """Where the residues of the protein are in the linked sequence."""
        places = np.arange(len(protein))
        return places + len(self.linker) * np.searchsorted(protein.breaks, places, side="right")

    def _positions(self, protein: Protein, length: int) -> Int[ndarray, " T"]:
        """Positions of all residues of the linked sequence; a linker goes with the chain before."""
        begins = self.own(protein)[list(protein.breaks)]
        places = np.arange(length)
        return places + self.gap * np.searchsorted(begins, places, side="right")


@dataclass(frozen=True)
class JoinedCouplings:
    """The same for a method that also gives couplings."""

    joined: Joined
    method: CouplingMethod

    def __call__(self, protein: Protein) -> Float[ndarray, "L L"]:
        """Contact scores."""
        return self.joined(protein)

    def blocks(self, proteins: Sequence[Protein], block: Block) -> Iterator[Float[ndarray, "R C"]]:
        """One block of the map of each protein, in order."""
        return self.joined.blocks(proteins, block)

    @property
    def facts(self) -> Mapping[str, float]:
        """Those of the method."""
        return self.joined.facts

    def passes(self, length: int) -> int | None:
        """The same."""
        return self.joined.passes(length)

    def couplings(self, protein: Protein) -> Float[ndarray, "L 20 L 20"]:
        """Couplings between the residues of the chains, without the linker's."""
        if not protein.breaks:
            return self.method.couplings(protein)
        with self.joined.reading(protein) as linked:
            couplings = self.method.couplings(linked)
        own = self.joined.own(protein)
        return couplings[own][:, :, own]
