"""A contact head fitted on a few labeled proteins (Rao et al., ICLR 2021)."""

import hashlib
import json
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy import ndarray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from harness.alphabet import encode
from harness.contact_regression import ContactRegression, read_regression, write_regression
from harness.errors import InputError
from harness.labeled import LabeledProteins
from harness.methods.attention_maps import as_scores, attention_maps
from harness.metrics import CONTACTS, RANGES, check_names, separations
from harness.protein import Protein
from harness.protocols import ExposesAttention
from harness.sample import Sample

_ITERATIONS = 10_000
"""Far more than liblinear needs; not to converge is an error."""


@dataclass(frozen=True)
class FittedContactHead:
    """Logistic regression with an L1 penalty on the attention maps of labeled proteins.

    One example is a pair of `range` whose distance is known, one feature an attention map, A + Aᵀ
    after average product correction, as in the published heads. `inverse_strength` is
    scikit-learn's C, which weighs the sum over examples: more of them weaken the penalty. liblinear
    fits, shuffling by `seed`; it penalizes the bias as well.

    Fitted at the first call, whose cost holds one more forward pass for each labeled protein. The
    fit is kept in `folder`, in the published layout, and used again for the same examples,
    settings and scikit-learn: `DIGEST-contact-regression.pt`. Beside a checkpoint NAME.pt, as
    NAME-contact-regression.pt, it is the head of that model.
    """

    model: ExposesAttention
    labeled: LabeledProteins
    contact: str
    range: str
    inverse_strength: float
    seed: int
    folder: str

    def __post_init__(self) -> None:
        check_names(self.contact, [self.range])
        if self.inverse_strength <= 0:
            raise ValueError(f"inverse_strength is {self.inverse_strength}; it must be positive")

    def __call__(self, protein: Protein) -> Float[ndarray, "L L"]:
        """Probabilities of contact, zero on the diagonal."""
        residues = torch.from_numpy(encode(protein.sequence))
        return as_scores(self._head(self.model.attention(residues)))

    def passes(self, length: int) -> int:
        """One for a map; the fit, once, takes one more for each labeled protein."""
        return 1

    @cached_property
    def _head(self) -> ContactRegression:
        """The regression, kept from before or fitted now."""
        parts = [self._examples(sample) for sample in self.labeled]
        features, touching = (np.concatenate(part) for part in zip(*parts, strict=True))
        fit: dict[str, object] = {"inverse_strength": self.inverse_strength, "seed": self.seed}
        fit |= {"contact": self.contact, "range": self.range, "labeled": self.labeled.ids}
        fit |= {"examples": len(touching), "scikit-learn": version("scikit-learn")}
        digest = hashlib.sha256(json.dumps(fit, sort_keys=True).encode())
        digest.update(features.tobytes() + touching.tobytes())
        path = Path(self.folder) / f"{digest.hexdigest()[:16]}-contact-regression.pt"
        if not path.exists():
            _write(self._fit(features, touching), path, fit)
        return read_regression(path)

    def _examples(self, sample: Sample) -> tuple[Float[ndarray, "P C"], Bool[ndarray, " P"]]:
        """Features of the pairs of the range with a known distance, and which are contacts."""
        maps = attention_maps(self.model, sample.protein, apc=True).flatten(0, 1).cpu().numpy()
        i, j = np.triu_indices(len(sample.protein), k=1)
        separation = separations(len(sample.protein), sample.protein.breaks)[i, j]
        known = RANGES[self.range].contains(separation) & ~np.isnan(sample.distances[i, j])
        i, j = i[known], j[known]
        return maps[:, i, j].T, sample.distances[i, j] < CONTACTS[self.contact].cutoff

    def _fit(
        self, features: Float[ndarray, "P C"], touching: Bool[ndarray, " P"]
    ) -> ContactRegression:
        """The regression; InputError when there is nothing to tell apart, or it does not settle."""
        if touching.all() or not touching.any():
            raise InputError(
                f"{touching.sum()} of {len(touching)} pairs of range {self.range} in the labeled "
                "proteins are contacts; a fit needs both kinds"
            )
        model = LogisticRegression(
            l1_ratio=1,
            C=self.inverse_strength,
            solver="liblinear",
            max_iter=_ITERATIONS,
            random_state=self.seed,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            try:
                model.fit(features, touching)
            except ConvergenceWarning as error:
                raise InputError(f"{error} Lower method.inverse_strength") from error
        if not model.coef_.any():
            raise InputError(
                f"no attention map tells the {touching.sum()} contacts among {len(touching)} pairs "
                "apart under this penalty; raise method.labeled.n or method.inverse_strength"
            )
        weight, bias = torch.from_numpy(model.coef_[0]), torch.from_numpy(model.intercept_)[0]
        return ContactRegression(weight.float(), bias.float())


def _write(regression: ContactRegression, path: Path, fit: Mapping[str, object]) -> None:
    """The file, moved into place whole: another process may want the same one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}")
    write_regression(regression, partial, fit)
    partial.replace(path)
