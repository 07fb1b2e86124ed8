"""Small models for tests, and the Jacobian of them."""

import json
from pathlib import Path

import torch
from omegaconf import OmegaConf
from safetensors.torch import save_file

from harness.configuration import CONFIG_FOLDER
from harness.contact_regression import BIAS, WEIGHT
from harness.methods.categorical_jacobian import CategoricalJacobian
from harness.models.esm2 import ESM2
from harness.models.hugging_face import published_name
from harness.models.network import Architecture, Network
from harness.protocols import Cost

SETTINGS = {"substitutes": "all", "center": "all", "symmetrize": "couplings"}
SETTINGS |= {"apc": True, "storage": "float32"}


SHIPPED = Path(CONFIG_FOLDER).parent / "harness" / "models" / "checkpoints"


SETTINGS_ESM2 = OmegaConf.to_container(OmegaConf.load(Path(CONFIG_FOLDER, "esm2.yaml")))
SETTINGS_ESM2 |= {"device": "cpu"}
"""How an ESM-2 runs, as conf/esm2.yaml says, on the CPU."""


def esm2(path, **changes):
    """The checkpoint on the CPU, as configured but for these changes."""
    return ESM2(path, **(SETTINGS_ESM2 | changes))


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


def hub_folder(folder, network=None):
    """A folder in the layout of the Hugging Face hub, with a network of one layer or this one."""
    if network is None:
        torch.manual_seed(0)
        network = Network(Architecture(1, 8, 2, True))
    shape = network.architecture
    folder.mkdir()
    config = {"model_type": "esm", "vocab_size": 33, "pad_token_id": 1, "mask_token_id": 32}
    config |= {"num_hidden_layers": shape.layers, "hidden_size": shape.width}
    config |= {"num_attention_heads": shape.heads, "intermediate_size": 4 * shape.width}
    config |= {"position_embedding_type": "rotary", "max_position_embeddings": 1026}
    config |= {"token_dropout": shape.token_dropout, "layer_norm_eps": 1e-5}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    channels = shape.layers * shape.heads
    head = {WEIGHT: torch.ones(1, channels), BIAS: torch.zeros(1)}
    tensors = {published_name(name): value for name, value in (network.state_dict() | head).items()}
    del tensors["lm_head.decoder.weight"]  # the embedding's: safetensors holds a matrix once
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder
