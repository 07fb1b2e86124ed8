"""Small models for tests, and the Jacobian of them."""

from pathlib import Path

import torch
from omegaconf import OmegaConf

from harness.configuration import CONFIG_FOLDER
from harness.methods.categorical_jacobian import CategoricalJacobian
from harness.models.esm2 import ESM2
from harness.models.network import Architecture, Network
from harness.protocols import Cost

SETTINGS = {"substitutes": "all", "center": "all", "symmetrize": "couplings"}
SETTINGS |= {"apc": True, "storage": "float32"}


SHIPPED = Path(CONFIG_FOLDER).parent / "harness" / "models" / "checkpoints"


def esm2(path, **changes):
    """The checkpoint on the CPU, as conf/esm2.yaml says but for these changes."""
    settings = OmegaConf.to_container(OmegaConf.load(Path(CONFIG_FOLDER, "esm2.yaml")))
    return ESM2(path, **(settings | {"device": "cpu"} | changes))


class RandomModel:
    """A small random network with nothing beyond the protocol, `batch` sequences at a time."""

    n_parameters = 0
    fingerprint = ""

    def __init__(self, batch=64):
        torch.manual_seed(0)
        self.network = Network(Architecture(1, 16, 2, True)).eval().requires_grad_(False)
        self.cost = Cost()
        self.batch = batch

    def logits(self, residues):
        self.cost.forward_passes += len(residues)
        return self.network.residue_logits(residues)

    def substituted_logits(self, residues, sites, substitutes):
        for start in range(0, len(sites), self.batch):
            part = slice(start, min(start + self.batch, len(sites)))
            mutants = residues.repeat(part.stop - start, 1)
            mutants[torch.arange(len(mutants)), sites[part]] = substitutes[part]
            yield part, self.logits(mutants)


def jacobian_method(model=None, **changes):
    """The method as configured by default, with these changes."""
    return CategoricalJacobian(model or RandomModel(), **(SETTINGS | changes))
