"""The benchmark that kills sweeps finds nothing wrong with one, and would find what is."""

import shutil

import pytest

from benchmarks import killing

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # MLflow leaves connections open,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # and uses SQLAlchemy's old ways
]


def test_a_sweep_that_was_killed_is_as_one_that_was_not(tmp_path, monkeypatch):
    work = ("method=mutual_information,separation", "dataset.limit=3", "dataset.depth=16")
    monkeypatch.setattr(killing, "PROTEINS", 3)
    monkeypatch.setattr(killing, "WORK", (*work, "pictures=false", "save_scores=true"))
    found = killing.killed_sweeps(tmp_path, kills=2, seed=1)
    nothing = {"lost": 0, "twice": 0, "different": [], "runs": 0, "runs_differ": []}
    assert found.kills == 2
    assert vars(found).items() >= nothing.items()

    killed = tmp_path / "killed0"
    with (killed / "0" / "rows.csv").open("a") as rows:
        rows.write((killed / "0" / "rows.csv").read_text().splitlines()[1] + "\n")
    shutil.rmtree(killed / "1" / "scores")
    assert list(killing._different(tmp_path / "alone", killed)) == [
        "0/rows.csv",
        *[f"1/scores/family0{n}_00.npz" for n in range(3)],
    ]
    assert [twice for _, twice in killing._counts(killed)] == [1, 0]
