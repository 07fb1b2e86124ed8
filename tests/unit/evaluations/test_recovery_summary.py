"""Rows of small experiments with answers known by hand."""

import numpy as np
import pandas as pd
import pytest

from harness.evaluations.recovery_summary import Summary, summarize
from harness.recovery import Jump
from harness.statistics import Bootstrap

BOOTSTRAP = Bootstrap(200, 0.95, 0)
SETTINGS = Summary(BOOTSTRAP, 0.5, Jump(0.5, 0.2, 10, 2), (0, 2))


def curve(protein, start, recovery, kind="", metric="recovery"):
    """Rows of one target whose block has four residues, two more visible with each step.

    On one side only one more is; the other shows one residue already.
    """
    first, more = (4, 2) if metric in ("recovery", "correlation") else (5, 1)
    return [
        {"protein": protein, "metric": metric, "range": kind, "value": value, "start": start}
        | {"end": start + 4, "start_2": start, "end_2": start + 4}
        | {"flank": flank, "visible": first + more * flank, "draw": 0}
        for flank, value in enumerate(recovery)
    ]


def both(protein, start, recovery, kind=""):
    return [
        *curve(protein, start, recovery, kind),
        *curve(protein, start, [value / 2 for value in recovery], kind, "correlation"),
    ]


ROWS = [
    *both("a", 10, [0.1, 0.8, 0.9], "alpha_alpha"),
    *curve("a", 10, [0.1, 0.9], "alpha_alpha", "recovery_left"),
    *curve("a", 10, [0.1, 0.2], "alpha_alpha", "recovery_right"),
    *both("a", 30, [0.1, 0.2, 0.3, 0.4], "beta_beta"),
    *both("b", 10, [0.6, 0.7, 0.8], "alpha_alpha"),
]
FOUND = summarize(pd.DataFrame(ROWS), SETTINGS)
ESTIMATES = {(item["metric"], item["range"]): item for item in FOUND.estimates}


def mean(metric, kind="all"):
    return ESTIMATES[metric, kind]["mean"]


def test_shares_are_over_targets_whatever_their_protein():
    assert mean("recovered_at_0") == pytest.approx(1 / 3)
    assert mean("recovered_at_2") == pytest.approx(2 / 3)
    assert mean("recovered") == pytest.approx(5 / 10)  # of all steps
    assert mean("recoverable") == pytest.approx(2 / 3)


def test_recovery_and_correlation_are_means_over_targets():
    assert mean("recovery_at_2") == pytest.approx((0.9 + 0.3 + 0.8) / 3)
    assert mean("correlation_at_2") == pytest.approx((0.9 + 0.3 + 0.8) / 6)


def test_classes_have_their_own_figures():
    assert mean("recovered_at_2", "alpha_alpha") == 1
    assert mean("recovered_at_2", "beta_beta") == 0


def test_jumps_are_counted_among_targets_that_come_back():
    assert mean("jump") == pytest.approx(1 / 2)
    assert ESTIMATES["jump", "all"]["n"] == 2


def test_the_context_of_a_jump_is_what_is_visible_there():
    assert mean("context") == 6
    assert mean("context_one_sided") == 6  # five and one on the left; the right has no jump
    assert mean("context_p90") == 6
    table = FOUND.targets.set_index(["protein", "start"])
    assert table.loc[("a", 10), "jump_flank"] == 1
    assert np.isnan(table.loc[("b", 10), "context"])


def test_the_table_of_targets_has_a_line_for_each():
    assert FOUND.targets[["steps", "highest"]].to_numpy().tolist() == [[3, 0.9], [4, 0.4], [3, 0.8]]
    assert FOUND.targets["recovered_flank"].tolist()[::2] == [1, 0]


def test_half_of_the_targets_are_back_at_a_flank():
    assert mean("half_recovered_flank") == 1
    assert mean("half_recovered_flank", "alpha_alpha") == 0
    assert np.isnan(mean("half_recovered_flank", "beta_beta"))


def test_curves_follow_the_targets_that_have_so_long_a_flank():
    own = FOUND.curves[(FOUND.curves["range"] == "all") & (FOUND.curves["metric"] == "recovered")]
    assert own["flank"].tolist() == [0, 1, 2, 3]
    assert own["mean"].tolist() == pytest.approx([1 / 3, 2 / 3, 2 / 3, 0])
    assert own["n"].tolist() == [3, 3, 3, 1]
    assert (own["low"] <= own["mean"]).all()
    assert (own["mean"] <= own["high"]).all()


def test_values_are_those_of_proteins_with_the_number_of_their_targets():
    values = FOUND.values.set_index(["metric", "range", "protein"])
    assert values.loc[("recovered_at_2", "all", "a")].tolist() == [0.5, 2]
    assert values.loc[("recovered", "all", "b")].tolist() == [1, 3]


def test_the_quantile_is_that_of_the_published_notebook():
    """Sorted values, the one at ⌊0.9 (n − 1)⌋."""
    contexts = [5 + 2 * n for n in range(13)]
    rows = [
        row
        for n, context in enumerate(contexts)
        for row in both(f"p{n}", 10, [0.0] * ((context - 4) // 2) + [1.0] * 3)
    ]
    found = summarize(pd.DataFrame(rows), SETTINGS)
    estimate = next(item for item in found.estimates if item["metric"] == "context_p90")
    own = sorted(found.targets["context"].dropna())
    assert estimate["mean"] == own[int(0.9 * (len(own) - 1))]
    assert own[0] <= estimate["low"] <= estimate["mean"] <= estimate["high"] <= own[-1]


def test_intervals_are_over_proteins_not_targets():
    """Two proteins, each with many targets of its own kind: the share is 0, 1/2 or 1."""
    rows = [row for n in range(20) for row in both("a", n, [1.0])]
    rows += [row for n in range(20) for row in both("b", n, [0.0])]
    found = summarize(pd.DataFrame(rows), SETTINGS)
    share = next(item for item in found.estimates if item["metric"] == "recovered_at_0")
    assert (share["low"], share["mean"], share["high"]) == (0, 0.5, 1)


def test_what_cannot_be_measured_is_left_out_of_curves():
    rows = [*both("a", 10, [np.nan, 0.5]), *both("b", 10, [0.2, 0.9])]
    found = summarize(pd.DataFrame(rows), SETTINGS).curves
    own = found[found["metric"] == "recovery"]
    assert own["n"].tolist() == [1, 2]
    assert own["mean"].tolist() == pytest.approx([0.2, 0.7])
