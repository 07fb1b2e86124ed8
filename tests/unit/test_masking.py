from harness.masking import Unmasked
from harness.protein import Protein
from harness.protocols import Masking


def test_unmasked_leaves_every_residue_visible():
    protein = Protein("p", "ACD")
    assert Unmasked()(protein) == protein


def test_unmasked_is_a_masking():
    assert isinstance(Unmasked(), Masking)
