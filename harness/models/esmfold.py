"""ESMFold (Lin et al., Science 2023), by transformers: a structure from a sequence alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from harness.models.hugging_face import weight_files
from harness.models.published import PublishedWeights
from harness.predicted import PredictedStructure, require_sequence
from harness.protein import Protein
from harness.protocols import Cost
from harness.structure import chains_in

if TYPE_CHECKING:
    from transformers import EsmForProteinFolding

_DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
_CA = 1
"""The CA atom among the 37 of AlphaFold."""
_COPIES = 6
"""Pair representations in memory at once, about."""
_UNUSED = "esm.contact_head."
"""Weights that folding does not use, and that the published file lacks."""


@dataclass(eq=False)
class ESMFold:
    """A folding model from a folder in the layout of the Hugging Face hub, ready to run.

    `dtype` is that of the language model inside, whose published weights are in float16; the rest
    computes in float32. `chunk_size` bounds how many rows of the pair representation attend at
    once (none: all), which saves memory and moves nothing but the last bits. The trunk runs once
    and `recycles` times more (none: as often as it was trained to).

    A fold counts as one forward pass, with all its recycles, of the residues and two special
    tokens. Residues outside the twenty, and hidden ones, are read as unknown.
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
        self._network = _load(folder, self.dtype, self._device)
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
        chains = chains_in(self._network.output_to_pdb(found)[0], source)
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
    model = ESMFold(source.fetch(), **settings)
    source.require(model.fingerprint)
    return model


def _index(letter: str) -> int:
    """Its place in AlphaFold's alphabet, which is ours and then the unknown residue."""
    return AMINO_ACIDS.index(letter) if letter in AMINO_ACIDS else len(AMINO_ACIDS)


def _load(folder: Path, dtype: str, device: torch.device) -> "EsmForProteinFolding":
    """The network of a folder on its device; nothing of it is left to chance."""
    try:
        from transformers import EsmConfig, EsmForProteinFolding
    except ImportError as error:
        raise PrerequisiteError(
            "ESMFold needs transformers: pip install --constraint constraints.txt '.[esmfold]'"
        ) from error
    config = _config(folder, EsmConfig)
    config.esmfold_config.fp16_esm = dtype == "float16"  # else it would load in halves
    _require_room(config, EsmForProteinFolding, _DTYPES[dtype], device)
    with _quiet():
        try:
            loaded: Any = EsmForProteinFolding.from_pretrained(
                folder, config=config, local_files_only=True, output_loading_info=True
            )
        except (RuntimeError, ValueError, OSError, TypeError) as error:
            reason = str(error).partition("\n")[0]
            raise InputError(f"{folder}: not readable as ESMFold ({reason})") from error
    network, report = loaded
    _check(report, {name for name, _ in network.named_parameters()}, folder)
    network.esm.to(_DTYPES[dtype])
    return network.eval().requires_grad_(False).to(device)


def _config(folder: Path, kind: Any) -> Any:
    try:
        config = kind.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"{folder / 'config.json'}: not readable ({reason})") from error
    if getattr(config, "esmfold_config", None) is None:
        raise InputError(
            f"{folder}: a language model without a folding trunk (no esmfold_config in "
            "config.json); read it with model=esm2_local, or name a folder of esmfold_v1"
        )
    return config


def _require_room(config: Any, kind: Any, dtype: torch.dtype, device: torch.device) -> None:
    """Nothing; PrerequisiteError where the weights do not fit, before any is read."""
    with torch.device("meta"):
        shapes = kind(config)
    sizes = {
        name: weights.numel() * (dtype.itemsize if name.startswith("esm.") else 4)
        for name, weights in shapes.named_parameters()
    }
    instead = "use model.dtype=float16, or a larger machine"
    for place in {torch.device("cpu"), device}:
        require_memory(sum(sizes.values()), place, "ESMFold", instead)


def _check(report: Any, parameters: set[str], folder: Path) -> None:
    """Nothing; InputError where weights are missing or misshapen: they would be random."""
    missing = {name for name in report["missing_keys"] if not name.startswith(_UNUSED)}
    wrong = [f"{name} is missing" for name in sorted(missing & parameters)]
    wrong += [f"{entry[0]} has another shape" for entry in sorted(report["mismatched_keys"])]
    wrong += [str(message).partition("\n")[0] for message in report["error_msgs"]]
    if wrong:
        listed = "; ".join(wrong[:5])
        raise InputError(f"{folder}: {len(wrong)} weights do not fit ESMFold: {listed}")


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars and no warnings of transformers; what it warns of is an error here."""
    from transformers.utils import logging

    level, shown = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if shown:
            logging.enable_progress_bar()
