"""Contact scores of predicted structures, from files and from a model."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from jaxtyping import Float
from numpy import ndarray

from harness.errors import InputError, PrerequisiteError
from harness.methods.folded import Folded
from harness.methods.hidden import Deleted
from harness.methods.joined import Joined
from harness.methods.structure import Structure
from harness.methods.structure_scores import Scoring
from harness.predicted import PredictedStructure, structure_of
from harness.protein import Protein
from harness.protocols import ContactMethod, Cost, CountsPasses, GivesStructure, ReadsFiles
from harness.structure import Chain, read_chains
from tests.builders import QUERY
from tests.folding import predicted

PLAIN = Scoring(midpoint=8.0, width=1.0, weight="none", tolerance=8.0)
PROTEIN = Protein("p", QUERY)


def reading(folder: Path, confidence: str = "plddt", scoring: Scoring = PLAIN) -> Structure:
    return Structure(str(folder), confidence, scoring)


def in_a_row(gaps: list[float]) -> PredictedStructure:
    """Alanines whose CB atoms are on a line, so far apart."""
    places = np.concatenate([[0.0], np.cumsum(gaps)])
    backbone = np.zeros((len(places), 4, 3))
    backbone[:, :, 0] = places[:, None]
    return PredictedStructure([Chain("x", "A" * len(places), backbone)], None, None, "x")


class TestScores:
    def test_one_half_at_the_midpoint(self) -> None:
        assert PLAIN(in_a_row([8.0]))[0, 1] == pytest.approx(0.5)

    def test_a_contact_is_likely_and_a_distant_pair_is_not(self) -> None:
        scores = PLAIN(in_a_row([4.0, 20.0]))
        assert scores[0, 1] == pytest.approx(1 / (1 + np.exp(-4)))
        assert scores[0, 2] == pytest.approx(np.exp(-16), rel=1e-3)

    @pytest.mark.parametrize("width", [0.5, 1.0, 4.0])
    def test_scores_fall_with_every_distance_that_a_protein_has(self, width: float) -> None:
        """No two are tied: neither where they are near one, nor where they are near zero."""
        distances = np.linspace(3.0, 300.0, 400)
        scores = replace(PLAIN, width=width)(in_a_row(list(distances)))
        nearest = np.diagonal(scores, 1)
        assert (np.diff(nearest) < 0).all()

    def test_glycine_is_scored_by_its_ca(self, tmp_path: Path) -> None:
        predicted(tmp_path / "p.pdb", QUERY)
        structure = reading(tmp_path).structure(PROTEIN)
        at = QUERY.index("G")
        np.testing.assert_array_equal(structure.places("CB")[at], structure.places("CA")[at])
        assert np.isfinite(reading(tmp_path)(PROTEIN)).all()

    def test_a_residue_without_backbone_is_named(self) -> None:
        structure = in_a_row([8.0, 8.0])
        structure.chains[0].backbone[1, [0, 3]] = np.nan
        with pytest.raises(InputError, match=r"x: residue 1 \(from 0\) has no CB, nor N, CA and C"):
            PLAIN(structure)


class TestWeights:
    def weighted(
        self, weight: str, plddt: list[float] | None, pae: Float[ndarray, "L L"] | None
    ) -> Float[ndarray, "L L"]:
        sure = None if plddt is None else np.array(plddt, dtype=float)
        structure = replace(in_a_row([8.0, 8.0]), plddt=sure, pae=pae)
        return replace(PLAIN, weight=weight)(structure)

    def test_plddt_of_both_residues(self) -> None:
        assert self.weighted("plddt", [100, 50, 80], None)[0, 1] == pytest.approx(0.5 * 0.5)

    def test_pae_of_both_directions(self) -> None:
        pae = np.array([[0, 4.0, 0], [12.0, 0, 0], [0, 0, 0]])
        scores = self.weighted("pae", None, pae)
        assert scores[0, 1] == scores[1, 0] == pytest.approx(0.5 * 0.5)  # 8 Å on average
        assert scores[1, 2] == pytest.approx(0.5)

    @pytest.mark.parametrize("weight", ["plddt", "pae"])
    def test_what_the_prediction_lacks_cannot_weigh(self, weight: str) -> None:
        with pytest.raises(InputError, match=f"x: no {weight} comes with it; set method"):
            self.weighted(weight, None, None)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"width": 0.4}, "width is 0.4; allowed are 0.5 Å and more"),
            ({"tolerance": -1.0}, "tolerance is -1.0; allowed are Å above 0"),
            ({"weight": "ptm"}, "weight is 'ptm'; allowed are none, plddt, pae"),
        ],
    )
    def test_wrong_values(self, changes: dict[str, object], message: str) -> None:
        with pytest.raises(ValueError, match=message):
            replace(PLAIN, **changes)  # type: ignore[arg-type]


class TestFiles:
    def test_it_is_a_method_with_a_structure_and_files(self, tmp_path: Path) -> None:
        method = reading(tmp_path)
        for kind in (ContactMethod, GivesStructure, ReadsFiles):
            assert isinstance(method, kind)

    def test_facts(self, tmp_path: Path) -> None:
        predicted(tmp_path / "p.pdb", QUERY, plddt=64.0)
        method = reading(tmp_path)
        assert method.facts == {}
        method(PROTEIN)
        assert method.facts == {"mean_plddt": pytest.approx(64.0)}

    def test_b_factors_of_experiments_are_no_confidence(self, tmp_path: Path) -> None:
        predicted(tmp_path / "p.pdb", QUERY, plddt=120.0)
        with pytest.raises(InputError, match=r"so they are no pLDDT; .* method.confidence=none"):
            reading(tmp_path)(PROTEIN)
        method = reading(tmp_path, confidence="none")
        method(PROTEIN)
        assert method.facts == {}

    def test_hidden_residues_were_not_hidden_from_the_predictor(self, tmp_path: Path) -> None:
        predicted(tmp_path / "p.pdb", QUERY)
        with pytest.raises(InputError, match="3 residues of p are hidden, and its structure was"):
            reading(tmp_path)(PROTEIN.masked(range(3, len(QUERY))))

    def test_no_folder_is_named(self) -> None:
        with pytest.raises(PrerequisiteError, match=r"add predictions=DIR, .* method=folded model"):
            Structure(None, "plddt", PLAIN)(PROTEIN)

    def test_nothing_is_read_twice_in_a_row(self, tmp_path: Path) -> None:
        path = predicted(tmp_path / "p.pdb", QUERY)
        method = reading(tmp_path)
        method(PROTEIN)
        path.unlink()
        assert method.structure(PROTEIN) is not None
        with pytest.raises(InputError, match="has no prediction of q"):
            method(Protein("q", QUERY))


@dataclass
class Helical:
    """A model that folds everything into a helix, and counts how often it is asked."""

    folder: Path
    n_parameters: int = 0
    fingerprint: str = ""
    cost: Cost = field(default_factory=Cost)
    asked: list[str] = field(default_factory=list)

    def at(self, positions: object, length: int | None = None) -> AbstractContextManager[None]:
        return nullcontext()

    def fold(self, protein: Protein) -> PredictedStructure:
        self.asked.append(protein.sequence)
        chains = read_chains(predicted(self.folder / "fold.pdb", protein.sequence))
        return PredictedStructure(chains, np.full(len(protein), 70.0), None, "fold")


class TestFolded:
    def test_scores_are_those_of_the_fold(self, tmp_path: Path) -> None:
        predicted(tmp_path / "p.pdb", QUERY)
        method = Folded(Helical(tmp_path / "model"), PLAIN)
        np.testing.assert_array_equal(method(PROTEIN), reading(tmp_path)(PROTEIN))
        assert method.facts == {"mean_plddt": 70.0}

    def test_one_pass_and_no_second_for_the_structure(self, tmp_path: Path) -> None:
        model = Helical(tmp_path)
        method = Folded(model, PLAIN)
        method(PROTEIN)
        assert isinstance(method, CountsPasses)
        assert structure_of(method, PROTEIN) is method.structure(PROTEIN)
        assert len(model.asked) == method.passes(len(QUERY)) == 1

    def test_a_structure_reaches_through_what_is_around_a_method(self, tmp_path: Path) -> None:
        model = Helical(tmp_path)
        method = Joined(Folded(model, PLAIN), model, "GGG", 0)
        assert structure_of(method, PROTEIN) is not None
        assert structure_of(method, Protein("c", QUERY, breaks=(5,))) is None
        short = Deleted(Folded(model, PLAIN), model, None)
        assert structure_of(short, PROTEIN) is not None
        assert structure_of(short, PROTEIN.masked([1, 2])) is None
