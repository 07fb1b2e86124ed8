"""What a training needs to go on after a stop, in one file."""

import os
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from harness.errors import InputError

_DAMAGED = (RuntimeError, OSError, EOFError, pickle.UnpicklingError)


@dataclass(frozen=True)
class TrainingState:
    """A file of weights, optimizers, random numbers and the curve; `training` says of what."""

    path: Path
    training: str

    def save(self, state: dict[str, Any]) -> None:
        """Write the state, whole or not at all."""
        partial = self.path.with_name(f".{self.path.name}.partial")
        torch.save({"training": self.training, **state}, partial)
        os.replace(partial, self.path)

    def load(self, device: torch.device) -> dict[str, Any] | None:
        """The state, its tensors on the device; none when there is no file.

        Raises InputError when the file is damaged or of another training.
        """
        if not self.path.exists():
            return None
        advice = "delete it to start again, or give another folder (hydra.run.dir=DIR)"
        try:
            state: dict[str, Any] = torch.load(self.path, map_location=device, weights_only=True)
            training = state.pop("training")
        except (*_DAMAGED, LookupError, AttributeError) as error:
            reason = str(error).partition("\n")[0]
            raise InputError(f"{self.path}: no state of a training ({reason}); {advice}") from error
        if training != self.training:
            raise InputError(
                f"{self.path}: the state of another training\n  there: {training}\n  asked: "
                f"{self.training}\n{advice}"
            )
        return state

    def remove(self) -> None:
        """Forget it: the training has ended."""
        self.path.unlink(missing_ok=True)
