"""Which residues a method may see."""

from dataclasses import dataclass

from harness.protein import Protein


@dataclass(frozen=True)
class Unmasked:
    """Every residue stays visible."""

    def __call__(self, protein: Protein) -> Protein:
        """The protein itself."""
        return protein
