"""How much work a protein is, before anything is computed."""

from harness.protocols import CountsPasses


def work_of(method: object, length: int) -> float:
    """What a protein of that many residues costs, next to others by the same method.

    Forward passes × residues of each; for a method that asks no model, pairs of residues. A model's
    parameters are a factor that all proteins of a run share.
    """
    if isinstance(method, CountsPasses):
        return float(method.passes(length) * length)
    return float(length**2)
