import math
from dataclasses import replace

import numpy as np
import pytest

from harness import record, run_summary
from harness.coupled_pairs import PairCouplings
from harness.errors import InputError
from harness.pairs import read_pairs
from harness.protein import Protein
from harness.protocols import Row
from harness.results import RunFolder
from harness.runner import RunNames
from harness.sample import Sample
from tests.records import CONFIG, MODEL, NAMES, Remembering, basis, experiment


@pytest.fixture
def results(tmp_path):
    folder = RunFolder(tmp_path, "jac", "8M", ())
    folder.claim({}, "")
    cost = {"length": 10, "forward_passes": 5, "tokens": 60, "flops": 1000, "commit": "abc"}
    rows = [Row("p_at_L", "min3", 0.5), Row("p_at_L", "long", math.nan)]
    peaks = ({"peak_memory_bytes": 9, "peak_device_bytes": 3}, {"peak_memory_bytes": 7})
    folder.append("a", rows, {**cost, "seconds": 1.0, **peaks[0]})
    folder.append("b", rows, {**cost, "length": 20, "seconds": 3.0, "flops": 2000, **peaks[1]})
    return folder


@pytest.fixture
def summary(results):
    return run_summary.summarize_run(basis(), results, NAMES, CONFIG)


@pytest.mark.parametrize(
    ("group", "key"),
    [
        *(("model", key) for key in ("path", "device", "tokens_per_batch", "context")),
        *(("dataset", "path"), ("tracker", "store"), ("statistics", "seed")),
        *(("dataset", key) for key in ("groups", "failures")),
    ],
)
def test_places_and_intervals_may_change_between_a_run_and_its_continuation(group, key):
    changed = {**CONFIG, group: {**CONFIG[group], key: "other"}}
    changed["method"] = {**CONFIG["method"], "model": changed["model"]}
    assert record.identity(changed, experiment()) == record.identity(CONFIG, experiment())


@pytest.mark.parametrize(
    ("group", "key"),
    [
        *(("method", "_target_"), ("method", "center"), ("model", "dtype")),
        *(("dataset", "ranges"), ("dataset", "group_column")),
    ],
)
def test_what_moves_a_number_may_not_change(group, key):
    changed = {**CONFIG, group: {**CONFIG[group], key: "other"}}
    before, after = record.settings(CONFIG), record.settings(changed)
    assert {name for name in before if after[name] != before[name]} == {f"{group}.{key}"}


@pytest.mark.parametrize("key", MODEL)
def test_a_method_without_a_model_does_not_mind_which_there_would_be(key):
    method = {"_target_": "r.R", "seed": 1}
    config = {**CONFIG, "method": method}
    changed = {**config, "model": {**MODEL, key: "other"}}
    assert record.settings(changed) == record.settings(config)
    assert not [name for name in record.settings(config) if name.startswith("model")]


def test_other_data_or_weights_make_another_run():
    identity = record.identity(CONFIG, experiment())
    assert (identity["dataset_version"], identity["weights_sha256"]) == ("v1", "ab")
    assert record.identity(CONFIG, experiment(model=False))["weights_sha256"] == ""


def test_cost_is_that_of_all_proteins(summary):
    cost = summary["cost"]
    assert (cost["n_proteins"], cost["sequence_length"]) == (2, 15)
    assert (cost["seconds"], cost["seconds_per_protein"]) == (4.0, 2.0)
    assert (cost["forward_passes"], cost["n_parameters"]) == (10, 1000)
    assert (cost["tokens"], cost["flops"], cost["flops_per_protein"]) == (120, 3000, 1500)
    assert cost["peak_memory_bytes"] == 9  # also of a process that measured and is gone
    assert cost["peak_device_bytes"] == 3


def test_a_run_from_before_a_cost_was_counted_is_summarized_without_it(tmp_path):
    folder = RunFolder(tmp_path, "jac", "8M", ())
    folder.claim({}, "")
    folder.append("a", [Row("p_at_L", "min3", 0.5)], {"length": 10, "seconds": 1.0})
    cost = run_summary.summarize_run(basis(), folder, NAMES, CONFIG)["cost"]
    assert (cost["n_proteins"], cost["seconds"]) == (1, 1.0)
    absent = ("forward_passes", "tokens", "flops", "flops_per_protein")
    absent += ("peak_memory_bytes", "peak_device_bytes")
    assert [cost[key] for key in absent] == [0] * 6


def test_without_groups_and_facts_a_summary_has_none(summary):
    assert (summary["groups"], summary["facts"]) == ({}, {})


def test_the_commit_is_that_of_the_measurements(summary):
    assert summary["provenance"]["commit"] == "abc"


def test_a_run_is_described_by_short_parameters_without_copies():
    tracked = Remembering()
    record.describe(tracked, NAMES, CONFIG)
    chosen = {key: tracked.parameters[key] for key in ("method", "model", "masking", "dataset")}
    assert chosen == {"method": "jac", "model": "8M", "masking": "none", "dataset": "folder"}
    assert tracked.parameters["method.center"] == "all"
    copies = {"method.model.path", "dataset.contact"}
    assert not copies & tracked.parameters.keys()
    assert not [key for key in tracked.parameters if key.endswith("_target_")]


def test_what_a_continuation_may_change_is_a_tag_and_no_parameter():
    tracked = Remembering()
    record.describe(tracked, NAMES, CONFIG)
    assert tracked.tags["model.path"] == "a.pt"
    assert tracked.tags["statistics.seed"] == "0"
    assert not {"model.path", "statistics.seed", "outputs"} & tracked.parameters.keys()


def test_a_model_that_is_not_used_is_not_described():
    tracked = Remembering()
    record.describe(tracked, RunNames("random", "", "", "folder", "none", "precision"), CONFIG)
    assert tracked.parameters["model"] == "none"
    assert "model.path" not in tracked.tags


def test_the_tracker_gets_metrics_by_range_with_intervals_and_axes(results, summary):
    tracked = Remembering()
    record.send(tracked, results, summary)
    assert tracked.metrics["p_at_L/min3"] == 0.5
    assert tracked.metrics["interval/p_at_L/min3_low"] == 0.5
    assert tracked.metrics["cost/seconds"] == 4.0
    assert tracked.metrics["n_parameters"] == 1000
    assert tracked.metrics["log10_n_parameters"] == 3
    assert tracked.metrics["sequence_length"] == 15


def test_without_a_model_there_is_no_size_to_draw(results):
    tracked = Remembering()
    summary = run_summary.summarize_run(basis(model=False), results, NAMES, CONFIG)
    record.send(tracked, results, summary)
    assert not {"n_parameters", "log10_n_parameters"} & tracked.metrics.keys()


def test_the_tracker_gets_names_and_provenance_as_tags(results, summary):
    tracked = Remembering()
    record.send(tracked, results, summary)
    expected = {"method": "jac", "model": "8M", "dataset_version": "v1", "commit": "abc"}
    assert tracked.tags.items() >= expected.items()


def test_the_tracker_gets_rows_and_pictures(results, summary):
    (results.path / "maps").mkdir()
    (results.path / "maps" / "a.png").touch()
    (results.path / "pairs").mkdir()
    (results.path / "pairs" / "a.npz").touch()
    results.write_summary(summary)
    tracked = Remembering()
    record.send(tracked, results, summary)
    files = ["/rows.csv", "/proteins.jsonl", "/summary.json", "/config.yaml"]
    assert tracked.paths == [*files, "maps/a.png", "pairs/a.npz"]
    table = tracked.tables["rows.json"]
    assert table["protein"].tolist() == ["a", "b"]
    assert list(table) == ["protein", "p_at_L/min3", "p_at_L/long"]


def test_a_metric_without_range_is_called_by_its_own_name(results):
    results.append("c", [Row("top_overlap", "", 0.5)], {})
    assert "top_overlap" in record.wide_table(results)


def test_scores_and_pictures_are_kept_when_asked_for(results):
    keep = record.Keeper(results, NAMES, CONFIG)
    keep(Sample(Protein("a", "ACDEF"), np.zeros((5, 5))), np.zeros((5, 5)), [], [])
    assert (results.path / "scores" / "a.npz").exists()
    assert (results.path / "maps" / "a.png").read_bytes().startswith(b"\x89PNG")
    assert read_pairs(results.path / "pairs" / "a.npz").sequence == "ACDEF"


def test_couplings_are_drawn_beside_the_map(results):
    pair = PairCouplings(0, 3, np.eye(20), np.zeros((20, 20)), "Gremlin")
    keep = record.Keeper(results, NAMES, CONFIG)
    keep(Sample(Protein("a", "ACDEF"), np.zeros((5, 5))), np.zeros((5, 5)), [], [pair])
    assert (results.path / "maps" / "a_couplings.png").read_bytes().startswith(b"\x89PNG")


def test_nothing_is_kept_unless_asked_for(results):
    keep = record.Keeper(results, NAMES, {**CONFIG, "save_scores": False, "pictures": False})
    keep(Sample(Protein("a", "ACDEF"), np.zeros((5, 5))), np.zeros((5, 5)), [], [])
    assert not {"scores", "maps", "pairs"} & {path.name for path in results.path.iterdir()}


@pytest.mark.parametrize("key", ["save_scores", "pictures"])
def test_a_switch_is_true_or_false(results, key):
    with pytest.raises(InputError, match=f"{key} is maybe; allowed are true and false"):
        record.Keeper(results, NAMES, {**CONFIG, key: "maybe"})


def test_a_shard_is_another_run_and_marked_from_the_start():
    whole = {**CONFIG, "dataset": {**CONFIG["dataset"], "shard": None}}
    shard = {**CONFIG, "dataset": {**CONFIG["dataset"], "shard": "1/3"}}
    assert record.settings(whole) == record.settings(CONFIG)  # also of folders of earlier versions
    assert record.settings(shard) == {**record.settings(CONFIG), "dataset.shard": "1/3"}
    tracked = Remembering()
    record.describe(tracked, replace(NAMES, shard="1/3"), shard)
    assert tracked.tags["shard"] == tracked.parameters["dataset.shard"] == "1/3"
    assert "shard" not in tracked.parameters


def test_a_whole_run_has_no_mark_of_a_shard():
    tracked = Remembering()
    record.describe(tracked, NAMES, CONFIG)
    assert not [key for key in (*tracked.tags, *tracked.parameters) if "shard" in key]


def test_what_may_differ_of_a_data_set_may_differ_where_another_is_made_of_it():
    inner = {"_target_": "d.D", "path": "p", "cache": "c", "seed": 0}
    config = CONFIG | {"dataset": {"_target_": "e.E", "whole": inner, "ranges": ["min3"]}}
    kept = record.settings(config)
    assert "dataset.whole.seed" in kept
    assert not {"dataset.whole.path", "dataset.whole.cache"} & set(kept)
