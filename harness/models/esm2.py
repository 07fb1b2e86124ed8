"""ESM-2 as the methods see it: residues in, logits of the twenty amino acids out."""

import re
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from harness.errors import PrerequisiteError
from harness.models.checkpoint import load_checkpoint, sha256

_SHIPPED = Path(__file__).parent / "checkpoints"


class ESM2:
    """A checkpoint of fair-esm's published layout, ready to run.

    `device` is `auto` (CUDA where there is one, else the CPU), `cpu`, or `cuda[:n]`.
    """

    def __init__(self, path: str | Path, device: str) -> None:
        self._device = _choose_device(device)
        self._network = load_checkpoint(Path(path)).to(self._device)
        self.fingerprint = sha256(Path(path))
        self.n_parameters = sum(weights.numel() for weights in self._network.parameters())
        self.forward_passes = 0

    def logits(self, residues: Int[Tensor, "B L"]) -> Float[Tensor, "B L 20"]:
        """Logits for sequences of `harness.alphabet` indices, on the model's device."""
        self.forward_passes += len(residues)
        with torch.inference_mode():
            return self._network.residue_logits(residues.to(self._device))


def shipped(name: str, device: str) -> ESM2:
    """One of the small models that come with the harness, trained on lattice proteins."""
    return ESM2(_SHIPPED / f"{name}.pt", device)


def _choose_device(name: str) -> torch.device:
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", name):
        raise ValueError(f"device is {name!r}; allowed are auto, cpu, cuda and cuda:NUMBER")
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise PrerequisiteError(
            f"model.device={name}, but PyTorch sees no CUDA device; use model.device=cpu"
        )
    return torch.device(name)
