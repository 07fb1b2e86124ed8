"""Chains beyond the context in windows, and complexes, through the command line."""

import json

import numpy as np
import pytest

from harness.results import read_rows
from tests.builders import QUERY, pdb_of, put

PARTNER = "WWKKWWKKGG"
SMALL = ("method=categorical_jacobian", "model=lattice_2x16", "model.device=cpu")


@pytest.fixture
def folder(tmp_path):
    """A complex of two chains, and one of them by itself."""
    structure = pdb_of().replace("END\n", "") + pdb_of(PARTNER, "B")
    files = {
        "pair/structure.pdb": structure,
        "pair/sequence.fasta": f">a\n{QUERY}\n>b\n{PARTNER}\n",
        "single/structure.pdb": pdb_of(),
        "manifest.csv": "id,chain\npair,A+B\nsingle,A\n",
    }
    return put(tmp_path / "proteins", files)


def test_a_complex_is_measured_within_and_between_its_chains(command_line, tmp_path, folder):
    place = ("dataset=folder", f"dataset.path={folder}", f"hydra.run.dir={tmp_path / 'run'}")
    ranges = ("dataset.ranges=[min3,inter]", "save_scores=true", "pictures=true")
    outcome = command_line(*SMALL, *place, *ranges)
    assert (outcome.code, outcome.err) == (0, "")
    rows = read_rows(tmp_path / "run")
    rows = rows[rows.metric == "p_at_L"].set_index(["protein", "range"])
    valid = rows.n_valid.to_dict()
    within = sum((length - 3) * (length - 2) // 2 for length in (len(QUERY), len(PARTNER)))
    assert valid["pair", "min3"] == within
    assert valid["pair", "inter"] == len(QUERY) * len(PARTNER)
    assert valid["single", "inter"] == 0
    assert np.isnan(rows.value["single", "inter"])
    with np.load(tmp_path / "run" / "scores" / "pair.npz") as file:
        assert file["scores"].shape == (24, 24)
    journal = (tmp_path / "run" / "proteins.jsonl").read_text().splitlines()
    facts = {entry["protein"]: entry for entry in map(json.loads, journal)}
    assert facts["pair"]["chains"] == 2
    assert facts["pair"]["tokens"] > facts["single"]["tokens"]
    assert (tmp_path / "run" / "maps" / "pair.png").exists()
    assert "pair/structure.pdb" in (tmp_path / "run" / "dataset.sha256").read_text()


@pytest.mark.parametrize("change", ["joining.linker=GGG", "joining.gap=50"])
def test_how_chains_are_joined_moves_the_map_of_a_complex_only(
    command_line, tmp_path, folder, change
):
    maps = []
    for n, settings in enumerate([(), (change,)]):
        place = ("dataset=folder", f"dataset.path={folder}", f"hydra.run.dir={tmp_path / str(n)}")
        assert command_line(*SMALL, *place, "save_scores=true", *settings).code == 0
        found = [np.load(tmp_path / str(n) / "scores" / f"{p}.npz") for p in ("pair", "single")]
        maps.append([file["scores"] for file in found])
    assert not np.allclose(maps[0][0], maps[1][0])
    np.testing.assert_array_equal(maps[0][1], maps[1][1])


def test_a_chain_beyond_the_context_is_measured_in_windows(command_line, tmp_path):
    run = (*SMALL, "dataset.limit=1", "model.context=20", f"hydra.run.dir={tmp_path / 'run'}")
    refused = command_line(*run)
    assert refused.code == 1
    assert "27 residues is beyond the context of 20" in refused.err
    assert "windows=overlapping" in refused.err
    windows = ("windows=overlapping", "windows.size=20")
    outcome = command_line(*run[:-1], *windows, f"hydra.run.dir={tmp_path / 'windows'}")
    assert (outcome.code, outcome.err) == (0, "")
    summary = json.loads((tmp_path / "windows" / "summary.json").read_text())
    assert summary["run"]["settings"].endswith("context=20 windows=overlapping size=20")
    assert summary["cost"]["forward_passes"] == 2 * (19 * 20 + 1)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["method=random", "windows=overlapping"], "this one reads none: leave windows=none"),
        ([*SMALL, "windows=overlapping", "windows.size=0"], "size is 0 and overlap None; allowed"),
        ([*SMALL, "windows=overlapping", "windows.size=x"], "size is x; it must be int"),
        ([*SMALL, "joining.linker=g-g"], "linker is 'g-g'; allowed are letters"),
        ([*SMALL, "joining.gap=-1"], "gap is -1; allowed are 0 and more"),
        (["method=categorical_jacobian", "model=potts", "joining.gap=5"], "has no positions"),
    ],
)
def test_what_cannot_be_cut_or_joined_is_one_message(command_line, overrides, message):
    outcome = command_line(*overrides)
    assert outcome.code == 1
    assert outcome.err.startswith("error: ")
    assert message in outcome.err
    assert len(outcome.err.splitlines()) == 1
