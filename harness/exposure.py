"""What of a protein its solvent touches, and how much of that is hydrophobic.

Areas are in Å².
"""

from dataclasses import dataclass

import numpy as np
from biotite.structure import AtomArray, sasa
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from harness.alphabet import AMINO_ACIDS
from harness.errors import InputError

PROBE = 1.4
"""Å: the radius of a water molecule."""

# In the order of AMINO_ACIDS: hydrophobicity of Black & Mould (Anal. Biochem. 1991), and the side
# chain's area in Gly-X-Gly, in Å², of Miller et al. (J. Mol. Biol. 1987).
_BLACK_MOULD = [0.616, 0.0, 0.236, 0.028, 0.68, 0.251, 0.043, 0.501, 0.165, 0.943]
_BLACK_MOULD += [0.943, 0.283, 0.738, 1.0, 0.711, 0.359, 0.45, 0.878, 0.88, 0.825]
_SIDE_CHAIN = [67.0, 196.0, 113.0, 106.0, 104.0, 144.0, 138.0, np.nan, 151.0, 140.0]
_SIDE_CHAIN += [137.0, 167.0, 160.0, 175.0, 105.0, 80.0, 102.0, 217.0, 187.0, 117.0]
_BACKBONE = ("N", "CA", "C", "O", "OXT")

HYDROPHOBICITY = {
    letter: value - _BLACK_MOULD[AMINO_ACIDS.index("G")]
    for letter, value in zip(AMINO_ACIDS, _BLACK_MOULD, strict=True)
}
"""Of each amino acid, from -0.5 to 0.5; that of glycine is 0."""


@dataclass(frozen=True, eq=False)
class Exposure:
    """Accessible area of each residue, and its spatial aggregation propensity.

    Both are NaN for residues without an atom.
    """

    area: Float[ndarray, " L"]
    sap: Float[ndarray, " L"]

    def of(self, places: Int[ndarray, " K"]) -> "Exposure":
        """That of some residues."""
        return Exposure(self.area[places], self.sap[places])


def exposure(atoms: AtomArray, sequence: str, radius: float) -> Exposure:
    """Exposure of the residues of this sequence; `res_id` of the atoms counts them from 0.

    The area is that of Shrake & Rupley (J. Mol. Biol. 1973), with the radii of Tsai et al. (J. Mol.
    Biol. 1999). The spatial aggregation propensity of an atom is a sum over the residues that have
    side-chain atoms within `radius` Å: the area of these atoms, as a share of that of the side
    chain in a fully exposed residue, times the residue's hydrophobicity. That of a residue is the
    mean over its atoms (Chennamsetty et al., PNAS 2009; they average over a simulation too).
    """
    _require_side_chains(atoms, sequence)
    area = _atom_areas(atoms)
    owner = np.asarray(atoms.res_id)
    counts = np.bincount(owner, minlength=len(sequence)).astype(float)
    counts[counts == 0] = np.nan
    sap = np.bincount(owner, _atom_sap(atoms, area, sequence, radius), len(sequence))
    total = np.bincount(owner, area, len(sequence))
    return Exposure(np.where(np.isnan(counts), np.nan, total), sap / counts)


def hydrophobic(sequence: str) -> Bool[ndarray, " L"]:
    """Which residues are more hydrophobic than glycine: A, C, F, I, L, M, P, V, W, Y."""
    return np.array([HYDROPHOBICITY.get(letter, 0.0) > 0 for letter in sequence], dtype=bool)


def _require_side_chains(atoms: AtomArray, sequence: str) -> None:
    """Nothing; raises InputError for a residue with nothing but its backbone, which has areas."""
    owner = np.asarray(atoms.res_id)
    there = np.unique(owner)
    with_side = np.unique(owner[~np.isin(atoms.atom_name, _BACKBONE)])
    bare = [n for n in np.setdiff1d(there, with_side).tolist() if sequence[n] not in ("G", "X")]
    if bare:
        raise InputError(
            f"residue {bare[0]} (from 0) has no side chain, and {len(bare) - 1} others; surfaces "
            "need all heavy atoms"
        )


def _atom_areas(atoms: AtomArray) -> Float[ndarray, " n"]:
    try:
        return np.asarray(sasa(atoms, probe_radius=PROBE, vdw_radii="ProtOr"), dtype=float)
    except KeyError as error:
        raise InputError(
            f"an atom has no radius ({error.args[0]}): leave it out of the structure, or name it "
            "as the PDB's chemical components do"
        ) from error


def _atom_sap(
    atoms: AtomArray, area: Float[ndarray, " n"], sequence: str, radius: float
) -> Float[ndarray, " n"]:
    """Spatial aggregation propensity of each atom."""
    owner, worth = np.asarray(atoms.res_id), _worth(sequence)
    side = ~np.isin(atoms.atom_name, _BACKBONE) & (worth[owner] != 0)
    weights = area[side] * worth[owner[side]]
    places = np.asarray(atoms.coord, dtype=float)
    return np.array([weights[_near(places[side], at, radius)].sum() for at in places])


def _near(
    places: Float[ndarray, "m 3"], at: Float[ndarray, " 3"], radius: float
) -> Int[ndarray, " k"]:
    return np.flatnonzero(((places - at) ** 2).sum(axis=1) <= radius**2)


def _worth(sequence: str) -> Float[ndarray, " L"]:
    """Hydrophobicity per Å² of exposed side chain; 0 for glycine and unknown residues."""
    full = dict(zip(AMINO_ACIDS, _SIDE_CHAIN, strict=True))
    return np.array(
        [HYDROPHOBICITY[x] / full[x] if x in full and x != "G" else 0.0 for x in sequence]
    )
