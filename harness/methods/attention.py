"""Attention as a contact map: of all heads, of one layer, of one head."""

from dataclasses import dataclass

from jaxtyping import Float
from numpy import ndarray

from harness.errors import InputError
from harness.methods.attention_maps import as_scores, attention_maps
from harness.protein import Protein
from harness.protocols import ExposesAttention


@dataclass(frozen=True)
class Attention:
    """Mean of the symmetrized attention maps of the chosen heads: one forward pass.

    Layers and heads count from 0. No layer means all heads of all layers, no head all heads of the
    layer. With `apc` each map is corrected before the mean.
    """

    model: ExposesAttention
    layer: int | None
    head: int | None
    apc: bool

    def __post_init__(self) -> None:
        if self.layer is None and self.head is not None:
            raise ValueError(f"head is {self.head}, but of which layer? Give both, or no head")

    def __call__(self, protein: Protein) -> Float[ndarray, "L L"]:
        """Scores; InputError for a layer or head that the model does not have."""
        maps = attention_maps(self.model, protein, self.apc)
        n_layers, n_heads, *_ = maps.shape
        for name, wanted, n in (("layer", self.layer, n_layers), ("head", self.head, n_heads)):
            if wanted is not None and not 0 <= wanted < n:
                raise InputError(f"{name} is {wanted}; this model has {name}s 0 to {n - 1}")
        layers = slice(None) if self.layer is None else slice(self.layer, self.layer + 1)
        heads = slice(None) if self.head is None else slice(self.head, self.head + 1)
        return as_scores(maps[layers, heads].mean((0, 1)))

    def passes(self, length: int) -> int:
        """One, whatever the length."""
        return 1
