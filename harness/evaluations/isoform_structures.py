"""What two predicted structures say of an isoform: fold, confidence, surface."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from harness.evaluations.isoform_maps import Measured
from harness.exposure import hydrophobic
from harness.isoform_pair import IsoformPair
from harness.superposition import likeness


def structure_measures(pair: IsoformPair) -> Iterator[Measured]:
    """All that needs both structures; nothing where the method has none."""
    full, own = pair.full.structure, pair.isoform.structure
    if full is None or own is None:
        return
    reference = full.places("CA")[pair.kept.full]
    found = likeness(reference, own.places("CA")[pair.kept.isoform])
    n = len(reference)
    yield "rmsd", "kept", found.rmsd, n
    yield "tm_score", "kept", found.tm_score, n
    yield "lddt", "kept", found.lddt, n
    yield from _confidence(pair)
    yield from _surface(pair)


def _confidence(pair: IsoformPair) -> Iterator[Measured]:
    """Mean pLDDT of the isoform, and its change: of what is kept, and of what stands alone."""
    among = {"kept": np.ones(len(pair.kept.full), dtype=bool), "bereft": pair.bereft}
    for name, chosen in among.items():
        n = int(chosen.sum())
        for side in pair.plddt:
            yield f"plddt_{side}", name, _mean(pair.plddt[side][chosen]), n
        if len(pair.plddt) == 2:
            change = pair.plddt["isoform"] - pair.plddt["full"]
            yield "plddt_change", name, _mean(change[chosen]), n


def _surface(pair: IsoformPair) -> Iterator[Measured]:
    """Surface that the kept residues gain, in the prediction and by the loss alone."""
    seen, greasy = pair.exposures, hydrophobic(pair.letters)
    for side, ending in (("isoform", ""), ("cut_out", "_cut_out")):
        gain = (seen[side].area - seen["full"].area).clip(0)
        yield f"exposed_area{ending}", "kept", float(gain.sum()), len(gain)
        yield (
            f"exposed_hydrophobic_area{ending}",
            "kept",
            float(gain[greasy].sum()),
            int(greasy.sum()),
        )
        change = _patches(seen[side].sap) - _patches(seen["full"].sap)
        yield f"sap_change{ending}", "kept", change, len(gain)
    yield "sap_full", "kept", _patches(seen["full"].sap), len(greasy)


def _patches(sap: Float[ndarray, " K"]) -> float:
    """SAP score: the sum over residues that are in a hydrophobic patch, whose own is positive."""
    return float(sap.clip(0).sum())


def _mean(values: Float[ndarray, " n"] | Bool[ndarray, " n"]) -> float:
    return float(values.mean()) if len(values) else float("nan")
