"""A small ESMFold with random weights, as the hub publishes it, and structures as predictors do."""

import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import torch

from harness.models.esmfold import ESMFold
from harness.protein import Protein
from tests.builders import helix, write_structure

SETTINGS = {"device": "cpu", "dtype": "float32", "chunk_size": None, "recycles": None}
SEQUENCE = "MKTAYIAKQRQISFVKSHFSRQLEERLGL"
PROTEIN = Protein("p", SEQUENCE)

_STRUCTURE = {"sequence_dim": 32, "pairwise_dim": 16, "ipa_dim": 8, "resnet_dim": 16}
_STRUCTURE |= {"num_heads_ipa": 4, "num_qk_points": 4, "num_v_points": 4, "num_blocks": 2}
_TRUNK = {"num_blocks": 2, "sequence_state_dim": 32, "pairwise_state_dim": 16, "max_recycles": 2}
_TRUNK |= {"sequence_head_width": 8, "pairwise_head_width": 8, "position_bins": 32, "dropout": 0}
_TRUNK |= {"structure_module": _STRUCTURE}
_FOLD = {"fp16_esm": False, "lddt_head_hid_dim": 16, "trunk": _TRUNK}
_STEM = {"vocab_size": 33, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
_STEM |= {"intermediate_size": 64, "position_embedding_type": "rotary", "token_dropout": True}
_STEM |= {"pad_token_id": 1, "mask_token_id": 32, "is_folding_model": True}


def random_esmfold():
    """Transformers' ESMFold of two small layers and two blocks, with random weights everywhere."""
    from transformers import EsmConfig, EsmForProteinFolding
    from transformers.models.esm.configuration_esm import get_default_vocab_list

    vocabulary = list(get_default_vocab_list())
    torch.manual_seed(0)
    network = EsmForProteinFolding(EsmConfig(**_STEM, vocab_list=vocabulary, esmfold_config=_FOLD))
    network = network.eval().requires_grad_(False)
    for weights in network.parameters():
        weights += 0.05 * torch.randn_like(weights)
    return network


def save_esmfold(network, folder, **options):
    """The folder, with the network as the hub's libraries write it."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    network.save_pretrained(folder, **options)
    return folder


@cache
def _kept():
    return tempfile.TemporaryDirectory()


@cache
def esmfold_folder():
    """One such folder for all tests of a process, which only read it."""
    return save_esmfold(random_esmfold(), Path(_kept().name) / "esmfold")


def loaded(path=None, **changes):
    """That model, or the one of this folder, with these settings."""
    return ESMFold(path or esmfold_folder(), **(SETTINGS | changes))


def choices_for(method):
    """What the command line has to add for a method that no embedded model serves."""
    if method == "folded":
        return ["model=esmfold_local", f"model.path={esmfold_folder()}", "model.device=cpu"]
    return ["predictions=predictions"] if method == "structure" else []


def predicted(path, sequence, plddt=80.0, **fields):
    """The path, with a helix of that sequence there, and pLDDT in place of B-factors."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_structure(path, [replace(a, b=plddt) for a in helix(sequence, **fields)])
