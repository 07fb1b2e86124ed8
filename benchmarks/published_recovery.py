"""The contact-recovery procedure of Zhang et al. (PNAS 2024), written from its description.

One masked sequence at a time goes through fair-esm's `predict_contacts`; the whole map comes back,
and the block of the target is cut out of it.
"""

import random
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import esm
import numpy as np
import torch
from numpy import ndarray

from benchmarks.checkpoints import read
from harness.contact_regression import regression_path

_MASK_TOKEN = 32
Spans = Sequence[tuple[int, int]]
"""Starts and ends of the one or two segments of a target."""


class PublishedRecovery:
    """Curves of recovery by fair-esm; `ends_masked` replaces the tokens at both ends by masks."""

    def __init__(self, checkpoint: Path, ends_masked: bool) -> None:
        content = read(checkpoint)
        head = torch.load(regression_path(checkpoint), weights_only=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loaded = esm.pretrained.load_model_and_alphabet_core("esm2_random", content, head)
        self._network = loaded[0].eval().requires_grad_(False)
        self._convert = loaded[1].get_batch_converter()
        self._ends_masked = ends_masked

    def contacts(self, sequence: str) -> ndarray:
        """The map of one sequence, in which hidden residues are written <mask>."""
        tokens = self._convert([("", sequence)])[2]
        if self._ends_masked:
            tokens[:, 0] = tokens[:, -1] = _MASK_TOKEN
        with torch.no_grad():
            return self._network.predict_contacts(tokens)[0].numpy()

    def curve(self, original: ndarray, shown: Sequence[str], spans: Spans) -> list[float]:
        """Recovery of the block between the first and the last segment, of each masked sequence."""
        rows, columns = slice(*spans[0]), slice(*spans[-1])
        block = original[rows, columns]
        return [
            np.sum(block * self.contacts(sequence)[rows, columns]) / np.sum(block * block)
            for sequence in shown
        ]


def flank_sequences(sequence: str, spans: Spans) -> Iterator[str]:
    """The masked sequences of ever longer flanks, outward; they stop one step before an end.

    Of two segments they stop two steps before: so do the published scripts.
    """
    (start, _), (_, end) = spans[0], spans[-1]
    pair = len(spans) > 1
    longest = min(start, len(sequence) - end - 1) if pair else min(start, len(sequence) - end + 1)
    for flank in range(longest):
        pieces = [list(span) for span in spans]
        pieces[0][0] -= flank
        pieces[-1][1] += flank
        yield written(sequence, {i for a, b in pieces for i in range(a, b)})


def random_sequences(sequence: str, spans: Spans, far: int, seed: int) -> Iterator[str]:
    """As many residues at random places, none of them within `far` of a segment."""
    generator = random.Random(seed)
    own = {i for a, b in spans for i in range(a, b)}
    near = {i for a, b in spans for i in range(a - far, b + far)}
    places = [i for i in range(len(sequence)) if i not in near]
    for flank, _ in enumerate(flank_sequences(sequence, spans)):
        if len(places) < 2 * flank:
            return
        yield written(sequence, own | set(generator.sample(places, 2 * flank)))


def written(sequence: str, visible: set[int]) -> str:
    """The sequence with masks for whatever is not visible."""
    return "".join(c if i in visible else "<mask>" for i, c in enumerate(sequence))
