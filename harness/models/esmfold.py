"""ESMFold (Lin et al., Science 2023), by transformers: a structure from a sequence alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from harness.alphabet import AMINO_ACIDS
from harness.device import choose_device, require_memory
from harness.digests import digest
from harness.errors import InputError, PrerequisiteError
from harness.models.batches import is_out_of_memory
from harness.models.esmfold_loading import load_esmfold
from harness.models.hugging_face import weight_files
from harness.models.published import PublishedWeights
from harness.predicted import PredictedStructure, require_sequence
from harness.protein import Protein
from harness.protocols import Cost
from harness.structure import chains_in

_DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
_CA = 1
"""The CA atom among the 37 of AlphaFold."""
_O = 4
"""The O atom among them."""
_ALANINE = {"N": 0, "CA": 1, "C": 2, "CB": 4}
"""The place of an alanine's atoms in the network's order."""
_COPIES = 12
"""Pair representations in memory at once, as measured (docs/predicted_structures.md)."""


@dataclass(eq=False)
class ESMFold:
    """A folding model from a folder in the layout of the Hugging Face hub, ready to run.

    `dtype` is that of the language model inside, whose published weights are in float16; the rest
    computes in float32. `chunk_size` bounds how many rows of the pair representation attend at
    once (none: all), which saves memory and moves nothing but the last bits. The trunk runs once
    and `recycles` times more (none: as often as it was trained to).

    A fold counts as one forward pass, with all its recycles, of the residues and two special
    tokens. Residues outside the twenty, and hidden ones, are read as unknown; the network places
    no atoms of these, so they get the N, CA, C and CB of an alanine in their frame.
    """

    path: str | Path
    device: str
    dtype: str
    chunk_size: int | None
    recycles: int | None

    def __post_init__(self) -> None:
        if self.dtype not in _DTYPES:
            raise ValueError(f"dtype is {self.dtype!r}; allowed are {', '.join(_DTYPES)}")
        for name, least in (("chunk_size", 1), ("recycles", 0)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"{name} is {value}; allowed are {least} and more, or null")
        self._device, folder = choose_device(self.device), Path(self.path)
        files = weight_files(folder)
        self._network = load_esmfold(folder, _DTYPES[self.dtype], self._device)
        self._network.trunk.set_chunk_size(self.chunk_size)
        self.fingerprint = "+".join(digest(path) for path in (folder / "config.json", *files))
        self.n_parameters = sum(weights.numel() for weights in self._network.parameters())
        self.cost = Cost()
        self._positions: Int[Tensor, " L"] | None = None

    @contextmanager
    def at(self, positions: Int[Tensor, " L"], length: int | None = None) -> Iterator[None]:
        """While this lasts, the trunk sees residues at these increasing positions.

        The language model reads them one after the other, as it was published. `length` says
        nothing to a model without tokens at the ends of its trunk.
        """
        self._positions = positions
        try:
            yield
        finally:
            self._positions = None

    def fold(self, protein: Protein) -> PredictedStructure:
        """The structure, with pLDDT and aligned errors.

        PrerequisiteError when memory is too little, InputError when the network diverged.
        """
        self._require_memory(len(protein))
        source = f"the structure of {protein.id} by ESMFold"
        try:
            found = self._run(protein)
        except RuntimeError as error:  # what CUDA raises derives from it, a CPU raises itself
            if not is_out_of_memory(error):
                raise
            raise PrerequisiteError(
                f"out of memory for {len(protein)} residues ({error}); {self._instead}"
            ) from error
        if not bool(torch.isfinite(found["positions"][-1]).all()):
            raise InputError(f"{source}: coordinates are not finite; use model.dtype=float32")
        chains = chains_in(self._network.output_to_pdb(_filled(found))[0], source)
        require_sequence(protein, chains, source)
        plddt = 100 * found["plddt"][0, :, _CA].cpu().double().numpy()
        pae = found["predicted_aligned_error"][0].cpu().double().numpy()
        return PredictedStructure(chains, np.asarray(plddt), np.asarray(pae), source)

    def _run(self, protein: Protein) -> Any:
        """What the network says of a sequence; accounted for."""
        residues = torch.tensor([[_index(letter) for letter in protein.sequence]])
        positions = self._positions
        places = torch.arange(len(protein)) if positions is None else positions
        residues, places = residues.to(self._device), places[None].to(self._device)
        with torch.inference_mode(), FlopCounterMode(display=False) as counter:
            found = self._network(residues, position_ids=places, num_recycles=self.recycles)
        self.cost.forward_passes += 1
        self.cost.tokens += len(protein) + 2
        self.cost.flops += counter.get_total_flops()
        if self._device.type == "cuda":
            self.cost.peak_device_bytes = torch.cuda.max_memory_allocated(self._device)
        return found

    def _require_memory(self, length: int) -> None:
        """Nothing; PrerequisiteError where pairs of so many residues do not fit.

        Attention of one row of pairs holds H · L² numbers, and as many rows as a chunk at once.
        """
        trunk = self._network.trunk.config
        heads = trunk.pairwise_state_dim // trunk.pairwise_head_width
        rows = min(length, self.chunk_size or length)
        numbers = _COPIES * length**2 * trunk.pairwise_state_dim + 2 * heads * rows * length**2
        require_memory(4 * numbers, self._device, f"folding {length} residues", self._instead)

    @property
    def _instead(self) -> str:
        smaller = max(1, (self.chunk_size or 256) // 2)
        return f"use model.chunk_size={smaller}, a shorter protein or a larger device"


def published_esmfold(source: PublishedWeights, **settings: Any) -> ESMFold:
    """The published model; its files are fetched on first use, and verified."""
    if source.layout != "huggingface":
        raise ValueError(f"layout is {source.layout!r}; ESMFold is read as the hub publishes it")
    model = ESMFold(source.fetch(), **settings)
    source.require(model.fingerprint)
    return model


def _index(letter: str) -> int:
    """Its place in AlphaFold's alphabet, which is ours and then the unknown residue."""
    return AMINO_ACIDS.index(letter) if letter in AMINO_ACIDS else len(AMINO_ACIDS)


def _filled(found: Any) -> dict[str, Tensor]:
    """What the network says, with unknown residues as alanines."""
    from transformers.models.esm.openfold_utils.data_transforms import make_atom14_masks
    from transformers.models.esm.openfold_utils.residue_constants import rigid_group_atom_positions
    from transformers.models.esm.openfold_utils.rigid_utils import Rigid

    output = dict(found.items())
    unknown = output["aatype"][0] == len(AMINO_ACIDS)
    if not bool(unknown.any()):
        return output
    output["aatype"] = output["aatype"].masked_fill(unknown, AMINO_ACIDS.index("A"))
    output["positions"] = output["positions"].clone()
    frames = Rigid.from_tensor_7(output["frames"][-1, 0])
    ideal = {name: place for name, _, place in rigid_group_atom_positions["ALA"]}
    for name, slot in _ALANINE.items():
        place = frames.apply(frames.get_trans().new_tensor(ideal[name]))
        output["positions"][-1, 0, unknown, slot] = place[unknown]
    output |= make_atom14_masks({"aatype": output["aatype"]})
    output["atom37_atom_exists"][0, unknown, _O] = 0  # it is not in the frame of the backbone
    return output
