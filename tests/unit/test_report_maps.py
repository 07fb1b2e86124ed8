import base64
import json
import os
import zlib

import numpy as np
import pytest

from harness import report_maps
from harness.comparison import ComparedRuns, finished_runs
from harness.errors import InputError
from harness.metrics import CONTACTS
from harness.pairs import DEPTH, KeptPairs, kept_pairs, read_pairs
from harness.report_maps import LEVELS, STEPS, MapSource, fitted_maps
from harness.report_page import MAPS_MB, write_report
from tests.reports import (
    BOOTSTRAP,
    LENGTH,
    RANGES,
    Written,
    sample_of,
    scores_of,
    write_pairs,
    write_run,
)

FIT = 1e6


def unpacked(text, columns):
    planes = np.frombuffer(zlib.decompress(base64.b64decode(text), wbits=-15), dtype=np.uint8)
    low, high = planes.reshape(2, -1).astype(int)
    return (low + 256 * high).reshape(columns, -1)


@pytest.fixture
def source(tmp_path):
    for n in (0, 1):
        write_pairs(tmp_path / str(n), ["a"], seed=n)
    return MapSource("a", [tmp_path / str(n) / "pairs" / "a.npz" for n in (0, 1)])


@pytest.fixture(autouse=True)
def folders(tmp_path):
    for n in (0, 1):
        (tmp_path / str(n)).mkdir()


def test_a_map_is_unpacked_to_the_pairs_and_contacts_that_were_kept(source):
    level, maps = fitted_maps([source], RANGES, FIT)
    assert level == DEPTH
    kept = read_pairs(source.files[1])
    i, j, drops = unpacked(maps["a"]["runs"][1]["pairs"], 3)
    np.testing.assert_array_equal(np.column_stack([i, j]), kept.pairs)
    np.testing.assert_array_equal(unpacked(maps["a"]["contacts"], 2).T, kept.contacts)
    high, low = maps["a"]["runs"][1]["high"], maps["a"]["runs"][1]["low"]
    scores = high - np.cumsum(drops) / STEPS * (high - low)
    np.testing.assert_allclose(scores, kept.scores, atol=0.51 * (high - low) / STEPS)


def test_fewer_pairs_are_the_best_of_every_range(source):
    size = len(json.dumps(fitted_maps([source], RANGES, FIT)[1]["a"]))
    level, maps = fitted_maps([source], RANGES, size - 100)
    assert level == LEVELS[1]
    kept = read_pairs(source.files[0])
    i, j, _ = unpacked(maps["a"]["runs"][0]["pairs"], 3)
    far = kept.pairs[kept.pairs[:, 1] - kept.pairs[:, 0] >= 24][: level * LENGTH]
    shown = np.column_stack([i, j])
    np.testing.assert_array_equal(shown[shown[:, 1] - shown[:, 0] >= 24][: len(far)], far)


def test_a_run_with_another_answer_has_no_part_in_the_map(source, tmp_path):
    other = kept_pairs(sample_of("a"), scores_of(1), CONTACTS["cb10"], RANGES)
    other.save(source.files[1])
    _, maps = fitted_maps([source], RANGES, FIT)
    assert [run is None for run in maps["a"]["runs"]] == [False, True]


def test_a_constant_map_can_be_shown(source):
    constant = np.zeros((LENGTH, LENGTH))
    kept_pairs(sample_of("a"), constant, CONTACTS["cb8"], RANGES).save(source.files[0])
    _, maps = fitted_maps([source], RANGES, FIT)
    assert not unpacked(maps["a"]["runs"][0]["pairs"], 3)[2].any()


def test_where_not_all_fit_some_proteins_are_shown_evenly(source):
    sources = [MapSource(f"p{n:02}", source.files) for n in range(40)]
    least = len(json.dumps(report_maps._encoded(sources[:1], RANGES, LEVELS[-1], FIT)["p00"]))
    level, maps = fitted_maps(sources, RANGES, 4.5 * least)
    assert (level, list(maps)) == (LEVELS[-1], ["p00", "p13", "p26", "p39"])


def test_no_room_for_one_map_is_said(source):
    with pytest.raises(InputError, match=r"not one contact map fits into 1e-05 MB: raise maps_mb"):
        fitted_maps([source], RANGES, 10)


def test_no_maps_need_no_room():
    assert fitted_maps([], RANGES, 0) == (DEPTH, {})


def random_pairs(seed, length=300):
    """As many pairs as are kept, at places that cannot be told in fewer bytes."""
    random = np.random.default_rng(seed)
    upper = np.argwhere(np.triu(np.ones((length, length)), k=6))
    pairs = random.permutation(upper)[: 2 * DEPTH * length]
    scores = -np.sort(-random.normal(size=len(pairs)))
    none = np.array([], dtype=int)
    return KeptPairs("ACDEFGHIKL" * (length // 10), none, none, upper[::70], pairs, scores)


def test_a_report_on_200_proteins_and_8_runs_stays_below_5_mb(tmp_path):
    proteins = {f"protein{n:03}": (n * 37 % 100) / 100 for n in range(200)}
    sweep = tmp_path / "sweep"
    for n in range(8):
        folder = write_run(sweep / str(n), Written(f"method{n}", values=proteins))
        random_pairs(n).save(tmp_path / f"{n}.npz")
        (folder / "pairs").mkdir()
        for protein in proteins:
            os.link(tmp_path / f"{n}.npz", folder / "pairs" / f"{protein}.npz")
    path = write_report(
        tmp_path / "r.html", "r", ComparedRuns(finished_runs(sweep), BOOTSTRAP), MAPS_MB
    )
    assert 2.5e6 < path.stat().st_size < 5e6
