import numpy as np
import pandas as pd
import pytest

from harness.capacity import capacity_table, half_capacity, write_capacity
from harness.comparison import finished_runs
from harness.protocols import Row
from harness.results import RunFolder, summarize
from harness.statistics import Bootstrap

BOOTSTRAP = Bootstrap(200, 0.95, 0)


def finish(folder, size, families, shares, metric="squared_correlation"):
    """A finished run of a model of that size: one protein for each share."""
    folder.mkdir(parents=True)
    results = RunFolder(folder, "jacobian", f"m{size}", ("families", "stored"))
    results.claim({}, "")
    counts = {"families": float(families), "stored": 722.0}
    for n, share in enumerate(shares):
        values = {metric: share, "explained_variance": share - 0.1}
        values["bits_per_coupling"] = -0.5 * np.log2(1 - share)
        rows = [Row(name, "all", value, counts) for name, value in values.items()]
        results.append(f"p{n}", [*rows, Row("p_at_L", "min3", 0.5, counts)], {})
    run = {"method": "jacobian", "model": f"m{size}", "settings": f"families={families}"}
    run |= {"label": f"jacobian m{size} families={families}", "dataset": "potts"}
    cost = {"n_parameters": size, "n_proteins": len(shares), "seconds": 1.0, "flops": 1}
    metrics = summarize(results.rows(), BOOTSTRAP)
    results.write_summary({"run": run, "metrics": metrics, "cost": cost | {"forward_passes": 1}})


def grid(folder):
    for size, shares in ((1000, (0.8, 0.4, 0.1)), (4000, (0.9, 0.7, 0.6))):
        for families, share in zip((4, 16, 64), shares, strict=True):
            finish(folder / f"{size}_{families}", size, families, [share, share])
    return finished_runs(folder)


def test_values_and_bits_by_hand(tmp_path):
    """16 families of 722 values in 1,000 parameters; 0.75 of the variance is one bit a value."""
    finish(tmp_path / "a", 1000, 16, [0.75, 0.75])
    (row,) = capacity_table(finished_runs(tmp_path), BOOTSTRAP).to_dict("records")
    assert row["values"] == 16 * 722
    assert row["values_per_parameter"] == pytest.approx(11.552)
    assert row["share"] == row["share_low"] == row["share_high"] == pytest.approx(0.75)
    assert row["bits_per_coupling"] == pytest.approx(1)
    assert row["bits_per_parameter"] == row["bits_low"] == pytest.approx(11.552)
    assert row["p_at_L/min3"] == 0.5


def test_intervals_are_over_proteins(tmp_path):
    finish(tmp_path / "a", 1000, 16, [0.2, 0.4, 0.6])
    (row,) = capacity_table(finished_runs(tmp_path), BOOTSTRAP).to_dict("records")
    assert row["share_low"] < row["share"] == pytest.approx(0.4)
    assert row["share_high"] > 0.4
    assert row["bits_low"] < row["bits_per_parameter"] < row["bits_high"]


def halves(shares, families=(4, 16, 64)):
    own = {"n_parameters": 100.0, "families": families, "share": shares}
    table = pd.DataFrame(own).assign(values=lambda t: 10 * t["families"])
    return {row["half"]: row for row in half_capacity(table).to_dict("records")}


def test_half_is_found_between_families_on_a_logarithmic_axis():
    found = halves([0.7, 0.3, 0.1])
    assert found["absolute"]["families"] == pytest.approx(8)
    assert found["absolute"]["values_per_parameter"] == pytest.approx(0.8)
    assert found["relative"]["share"] == pytest.approx(0.35)
    assert found["relative"]["families"] == pytest.approx(4 * 4 ** (0.35 / 0.4))


@pytest.mark.parametrize(
    ("shares", "reason"),
    [
        ([0.9, 0.8, 0.7], "above at the most families"),
        ([0.4, 0.3, 0.1], "below at the fewest families"),
        ([0.9, np.nan, 0.1], "a share could not be measured"),
    ],
)
def test_where_nothing_crosses_the_reason_is_given(shares, reason):
    row = halves(shares)["absolute"]
    assert np.isnan(row["families"])
    assert row["why_not"] == reason


def test_one_number_of_families_has_no_half():
    assert halves([0.9], (4,))["absolute"]["why_not"] == "one number of families"


def test_the_files_of_a_sweep(tmp_path):
    files = write_capacity(tmp_path, grid(tmp_path), BOOTSTRAP)
    assert [path.name for path in files] == [
        *("capacity.csv", "half_capacity.csv", "capacity.md"),
        *("capacity.png", "capacity.svg", "capacity.pdf"),
    ]
    assert all(path.stat().st_size > 0 for path in files)
    text = (tmp_path / "capacity.md").read_text()
    assert text.count("| m1000 |") == 3
    assert "- 4,000 parameters, absolute (0.500): above at the most families" in text
    assert "- 1,000 parameters, absolute (0.500): 11.3" in text
    assert "261,120,000,000" in text
    assert list(pd.read_csv(files[0])["n_parameters"]) == [1000] * 3 + [4000] * 3


def test_sweeps_of_something_else_have_no_such_files(tmp_path):
    finish(tmp_path / "a", 1000, 4, [0.5], metric="other")
    finish(tmp_path / "b", 2000, 4, [0.5], metric="other")
    assert write_capacity(tmp_path, finished_runs(tmp_path), BOOTSTRAP) == []


def test_one_point_is_no_curve(tmp_path):
    finish(tmp_path / "a", 1000, 4, [0.5])
    assert write_capacity(tmp_path, finished_runs(tmp_path), BOOTSTRAP) == []
