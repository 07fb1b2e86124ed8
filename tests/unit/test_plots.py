import matplotlib.image
import numpy as np
import pytest

from harness.metrics import CONTACTS
from harness.pareto import pareto_plot
from harness.plots import MapStyle, Mark, comparison_plot, contact_map
from harness.protein import Protein
from harness.sample import Sample

STYLE = MapStyle(CONTACTS["cb8"], "min3")


def drawn(path):
    """The picture, after checking that it is one and not blank."""
    picture = matplotlib.image.imread(path)
    assert len(np.unique(picture.reshape(-1, picture.shape[-1]), axis=0)) > 2
    return picture


def chain(length, unresolved=()):
    """A straight chain with residues 2 Å apart: contacts up to three residues away."""
    distances = 2.0 * np.abs(np.subtract.outer(np.arange(length), np.arange(length)))
    distances[list(unresolved)] = distances[:, list(unresolved)] = np.nan
    return Sample(Protein("p", "A" * length), distances)


@pytest.mark.parametrize("length", [1, 2, 4, 30])
def test_a_map_of_any_length_is_drawn(tmp_path, length):
    scores = np.random.default_rng(0).random((length, length))
    contact_map(tmp_path / "maps" / "p.png", chain(length), scores + scores.T, "p", STYLE)
    drawn(tmp_path / "maps" / "p.png")


@pytest.mark.parametrize("unresolved", [[], [0, 3], range(12)])
def test_a_map_with_unresolved_residues_is_drawn(tmp_path, unresolved):
    contact_map(tmp_path / "p.png", chain(12, unresolved), np.ones((12, 12)), "p", STYLE)
    drawn(tmp_path / "p.png")


def test_maps_of_different_scores_differ(tmp_path):
    pictures = []
    for seed in (0, 1):
        scores = np.random.default_rng(seed).random((12, 12))
        contact_map(tmp_path / "p.png", chain(12), scores + scores.T, "p", STYLE)
        pictures.append(drawn(tmp_path / "p.png"))
    assert not np.array_equal(*pictures)


@pytest.mark.parametrize("within", ["min3", "inter"])
def test_a_complex_shows_where_its_chains_end(tmp_path, within):
    distances = chain(12).distances
    style = MapStyle(CONTACTS["cb8"], within)
    pictures = []
    for breaks in ((), (5,)):
        sample = Sample(Protein("p", "A" * 12, breaks=breaks), distances)
        contact_map(tmp_path / "p.png", sample, np.ones((12, 12)), "p", style)
        pictures.append(drawn(tmp_path / "p.png"))
    assert not np.array_equal(*pictures)


NAN = float("nan")
MODEL = Mark("jac 8M", "jac", 0.5, 0.4, 0.6, 0.9, 8e6, {})
LARGER = Mark("jac 35M", "jac", 0.6, 0.5, 0.7, 0.9, 35e6, {})
BASELINE = Mark("random", "random", 0.1, 0.05, 0.15, 0.9, 0, {})


@pytest.mark.parametrize(
    ("marks", "panels"),
    [([BASELINE], 1), ([MODEL], 1), ([MODEL, BASELINE], 1), ([MODEL, LARGER, BASELINE], 2)],
    ids=["baseline", "model", "both", "sizes"],
)
def test_a_second_panel_shows_size_when_models_differ_in_it(tmp_path, marks, panels):
    comparison_plot(tmp_path / "c.png", marks, "P@L, min3", 0.95)
    width = drawn(tmp_path / "c.png").shape[1]
    assert width == panels * 825  # 5.5 inches at 150 dots


@pytest.mark.parametrize(
    "mark",
    [
        Mark("not measured", "not", NAN, NAN, NAN, NAN, 0, {}),
        Mark("interval beside the mean", "interval", 0.5, 0.6, 0.7, 0.9, 0, {}),  # few resamples
        Mark("no ceiling", "no", 0.5, 0.4, 0.6, NAN, 0, {}),
    ],
    ids=lambda mark: mark.label,
)
def test_odd_values_are_drawn_all_the_same(tmp_path, mark):
    comparison_plot(tmp_path / "c.png", [mark, BASELINE], "P@L, min3", 0.95)
    drawn(tmp_path / "c.png")


def test_labels_longer_than_the_picture_leave_room_for_it(tmp_path):
    """Without, matplotlib warns that the axes have collapsed, and so would this test."""
    name = "categorical_jacobian lattice_4x128 center=amino_acids symmetrize=couplings apc=false"
    costs = {f"{key}_per_protein": 2.0 for key in ("seconds", "flops", "forward_passes")}
    mark = Mark(f"{name} storage=float16", f"{name} storage=float16", 0.5, 0.4, 0.6, 0.9, 8, costs)
    comparison_plot(tmp_path / "c.png", [mark] * 16, "P@L, min3", 0.95)
    pareto_plot(tmp_path / "p.png", [mark] * 16, "P@L, min3", 0.95)
    assert drawn(tmp_path / "c.png").shape[1] == 825
