"""A chain laid onto the sequence of its protein, which has residues that nobody saw.

Lengths are in Å.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from biotite.sequence import ProteinSequence
from biotite.sequence.align import SubstitutionMatrix, align_optimal
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from harness.alphabet import AMINO_ACIDS
from harness.errors import InputError
from harness.protein import Protein
from harness.sample import Sample
from harness.structure import Chain, atom_coordinates, secondary_structure

MATCH, MISMATCH, GAP_PENALTY = 5, -4, (-6, 0)
"""Scores of the alignment to the query (opening, extending a gap). The two are one protein:
substitutions are rare, and a loop can be missing whatever its length."""

MIN_IDENTITY, MIN_SCORE = 0.9, 0.4
"""Least share of identical residues, and of the highest possible score, in one protein. Any few
residues match by chance, so identity is not enough: among all pairs of 62 proteins, chains of
others reach 0.23 of the score, the right ones 0.96."""


def map_to_query(chain: Chain, sequence: str) -> tuple[Int[ndarray, " L"], float]:
    """For each query residue that of the chain (0-based) or -1, and the identity of the two.

    A global alignment with free ends. Repeats beside a missing loop fit equally well on either
    side of it; of equal alignments the one whose gaps fall on breaks of the chain is taken.
    Identity is the share of identical residues among aligned pairs; a pair with a letter outside
    the twenty says nothing and counts nowhere. Raises InputError for another protein's chain.
    """
    known = ["".join(c if c in AMINO_ACIDS else "X" for c in s) for s in (sequence, chain.sequence)]
    alignments = align_optimal(
        *map(ProteinSequence, known), _scores(), gap_penalty=GAP_PENALTY, terminal_penalty=False
    )
    candidates = [_index(alignment.trace, len(sequence)) for alignment in alignments]
    index = max(candidates, key=lambda candidate: _gaps_on_breaks(candidate, chain.breaks))
    identity = _identity(index, sequence, chain.sequence)
    possible = MATCH * min(len(sequence), len(chain.sequence))
    if identity < MIN_IDENTITY or alignments[0].score < MIN_SCORE * possible:
        raise InputError(
            f"{chain.name}: structure of another protein? {(index >= 0).sum()} residues align, "
            f"{identity:.0%} identical (chain {chain.sequence:.30}…, query {sequence:.30}…)"
        )
    return index, identity


def sample_of(protein: Protein, chains: Sequence[Chain], atom: str) -> Sample:
    """The protein with distances between its `CB` or `CA` atoms, and secondary structure.

    `chains` are its own, in order. Secondary structure is H, E or C by P-SEA (Labesse et al., 1997)
    on the CA atoms of each chain.
    """
    parts = [
        Placed(chain, *map_to_query(chain, sequence))
        for chain, sequence in zip(chains, protein.chain_sequences, strict=True)
    ]
    return placed_sample(protein, parts, atom)


@dataclass(frozen=True, eq=False)
class Placed:
    """A chain, for each residue of its protein that of the chain (-1 for none), and identity."""

    chain: Chain
    index: Int[ndarray, " L"]
    identity: float

    def places(self, atom: str) -> Float[ndarray, "L 3"]:
        """Where the atoms of the protein are; NaN where the chain has none."""
        places = np.full((len(self.index), 3), np.nan)
        there = self.index >= 0
        places[there] = atom_coordinates(self.chain, atom)[self.index[there]]
        return places

    @property
    def states(self) -> str:
        """Secondary structure of the protein; '-' where the chain has no residue."""
        letters = secondary_structure(self.chain)
        return "".join(letters[i] if i >= 0 else "-" for i in self.index)


def placed_sample(protein: Protein, parts: Sequence[Placed], atom: str) -> Sample:
    """The same, of chains that have been laid onto theirs already."""
    places = np.concatenate([part.places(atom) for part in parts])
    resolved = ~np.isnan(places[:, 0])
    states = np.where(resolved, list("".join(part.states for part in parts)), "-")
    facts = {"structure_identity": min(part.identity for part in parts)}
    facts |= {"resolved_fraction": float(resolved.mean())}
    facts |= {"chains": float(len(parts))} if len(parts) > 1 else {}
    return Sample(protein, distances_between(places), "".join(states), facts)


def distances_between(places: Float[ndarray, "L 3"]) -> Float[ndarray, "L L"]:
    """Euclidean distances, NaN where a place is unknown."""
    return np.sqrt(((places[:, None] - places[None]) ** 2).sum(-1))


def _scores() -> SubstitutionMatrix:
    """`MATCH` or `MISMATCH`, and 0 with an unknown residue."""
    alphabet = ProteinSequence.alphabet
    unknown = alphabet.encode("X")
    scores = np.where(np.eye(len(alphabet), dtype=bool), MATCH, MISMATCH)
    scores[unknown] = scores[:, unknown] = 0
    return SubstitutionMatrix(alphabet, alphabet, scores)


def _index(trace: Int[ndarray, "columns 2"], length: int) -> Int[ndarray, " L"]:
    """For each query residue the chain residue in the same column, or -1."""
    index = np.full(length, -1)
    query, chain = trace[(trace >= 0).all(axis=1)].T
    index[query] = chain
    return index


def _gaps_on_breaks(index: Int[ndarray, " L"], breaks: Bool[ndarray, " steps"]) -> int:
    """Number of chain breaks at which query residues are left out."""
    query = np.flatnonzero(index >= 0)
    gap = (np.diff(query) > 1) & (np.diff(index[query]) == 1)
    return int(breaks[index[query[:-1][gap]]].sum())


def _identity(index: Int[ndarray, " L"], query: str, chain: str) -> float:
    """Share of identical residues among the aligned pairs of known residues; 0 without any."""
    pairs = [(query[i], chain[j]) for i, j in enumerate(index) if j >= 0]
    same = [a == b for a, b in pairs if a in AMINO_ACIDS and b in AMINO_ACIDS]
    return sum(same) / len(same) if same else 0.0
