"""How much work a protein is, before anything is computed."""

import inspect
from collections.abc import Mapping, Sequence
from typing import TypeGuard

from harness.protocols import CountsPasses, Dataset, KnowsLengths


def passes_of(method: object, length: int) -> int | None:
    """Forward passes for a protein of that many residues; none where the method does not say."""
    return method.passes(length) if isinstance(method, CountsPasses) else None


def work_of(method: object, length: int) -> float:
    """What a protein of that many residues costs, next to others by the same method.

    Forward passes × residues of each; for a method that asks no model, pairs of residues. A model's
    parameters are a factor that all proteins of a run share.
    """
    passes = passes_of(method, length)
    return float(length**2 if passes is None else passes * length)


def lengths_of(dataset: Dataset, identifiers: Sequence[str]) -> Mapping[str, int]:
    """Residues of each of these proteins; a data set that does not know them builds them."""
    if knows_lengths(dataset):
        return dataset.lengths
    return {name: len(dataset[name].protein) for name in identifiers}


def knows_lengths(dataset: Dataset) -> TypeGuard[KnowsLengths]:
    """Whether it does; `isinstance` would ask for `version`, for which a data set reads files."""
    return inspect.getattr_static(dataset, "lengths", None) is not None
