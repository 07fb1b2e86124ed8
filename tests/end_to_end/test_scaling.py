"""A sweep of model sizes through the command line: tables and pictures of how numbers grow."""

import pandas as pd

MODELS = ("lattice_2x16", "lattice_2x32")


def test_the_experiment_ends_with_tables_and_a_picture(command_line, tmp_path):
    place = tmp_path / "sweep"
    outcome = command_line(
        *("experiment=scaling", f"hydra.sweep.dir={place}", f"model={','.join(MODELS)}"),
        *("dataset.limit=4", "dataset.depth=64", "model.device=cpu", "statistics.resamples=100"),
        "evaluation=agreement,recovery_short",
    )
    assert (outcome.code, outcome.err) == (0, "")
    folders = {path.name for path in place.iterdir() if path.is_dir()}
    evaluations = ("agreement", "recovery_short")
    assert folders == {f"{name}_{model}" for name in evaluations for model in MODELS}
    points = pd.read_csv(place / "scaling.csv", keep_default_na=False)
    assert set(points["evaluation"]) == set(evaluations)
    assert set(points["series"]) == {"categorical_jacobian"}
    precision = points[(points["metric"] == "p_at_L") & (points["range"] == "min3")]
    assert precision["model"].tolist() == list(MODELS)
    notes = pd.read_csv(place / "scaling_fits.csv")["note"]
    assert set(notes) == {"no fit: 2 sizes, and it takes 4"}
    assert "| `lattice_2x32` | 27,681 | " in (place / "scaling.md").read_text()
    for name in ("scaling.png", "scaling.svg", "comparison.png", "pareto.png", "curves.png"):
        assert (place / name).stat().st_size > 1000


def test_a_sweep_of_sizes_by_another_evaluation_ends_with_them_too(command_line, tmp_path):
    models = f"model={','.join(MODELS)}"
    method = ("method=contact_head", "model.device=cpu")
    assert command_line("-m", f"hydra.sweep.dir={tmp_path}", models, *method).code == 0
    points = pd.read_csv(tmp_path / "scaling.csv")
    assert set(points["evaluation"]) == {"precision"}
    assert (tmp_path / "scaling.png").exists()


def test_a_sweep_of_methods_has_no_sizes(command_line, tmp_path):
    place = f"hydra.sweep.dir={tmp_path}"
    assert command_line("-m", place, "method=random,separation").code == 0
    assert not list(tmp_path.glob("scaling*"))
