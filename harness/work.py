"""How much work a protein is, before anything is computed."""

from harness.protocols import CountsPasses


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
