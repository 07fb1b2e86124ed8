"""The Jacobian by the harness, through its public methods only."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from numpy import ndarray
from omegaconf import OmegaConf

from harness.alphabet import encode
from harness.couplings import center_, contact_scores, symmetrize_
from harness.methods.categorical_jacobian import CategoricalJacobian
from harness.models.esm2 import ESM2
from harness.protein import Protein

_CONFIGURATION = Path(__file__).parent.parent / "conf"


class Engine:
    """`start` with a protein, `fill` in all its positions, then ask for the `contacts`."""

    mutants = 19

    def __init__(
        self,
        checkpoint: Path,
        device: torch.device,
        dtype: torch.dtype,
        tokens: int | None,
        changes: dict[str, Any],
    ) -> None:
        choices = {"device": str(device), "dtype": str(dtype).removeprefix("torch.")}
        choices |= {"tokens_per_batch": tokens, "context": None}
        self._model = ESM2(path=checkpoint, **(settings("esm2") | choices | changes))
        method = settings("method/categorical_jacobian") | {"model": self._model}
        self._method = CategoricalJacobian(**method)

    def start(self, sequence: str) -> None:
        """An empty tensor and the logits of the sequence as it is."""
        self._residues = torch.from_numpy(encode(sequence))
        self._baseline = self._model.logits(self._residues[None])[0]
        shape = (*self._baseline.shape, *self._baseline.shape)
        self._jacobian = self._baseline.new_zeros(shape, dtype=torch.float32)

    def fill(self, sites: Iterable[int]) -> None:
        """Compute these positions, as the method does."""
        chosen = torch.tensor(list(sites))
        rows, substitutes = torch.nonzero(
            torch.arange(20) != self._residues[chosen][:, None], as_tuple=True
        )
        at = chosen[rows]
        for part, logits in self._model.substituted_logits(self._residues, at, substitutes):
            self._jacobian[at[part], substitutes[part]] = (logits - self._baseline).float()

    def contacts(self) -> ndarray:
        """The contact map; uses up the tensor."""
        return contact_scores(symmetrize_(center_(self._jacobian, "all"))).cpu().numpy()

    def whole(self, sequence: str) -> ndarray:
        """The contact map of a protein, by the method itself."""
        return self._method(Protein("random", sequence))

    def operations(self) -> float:
        """Floating-point operations of one mutant, as the model counts them."""
        before, sites = self._model.cost.flops, range(min(4, len(self._residues)))
        self.fill(sites)
        return (self._model.cost.flops - before) / (self.mutants * len(sites))


def settings(name: str) -> dict[str, Any]:
    """What a yaml of the harness states, the name of its class aside."""
    stated = OmegaConf.load(_CONFIGURATION / f"{name}.yaml")
    return {key: stated[key] for key in stated if key not in ("_target_", "model")}
