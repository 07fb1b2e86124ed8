"""Pages of isoforms, and the table over all pairs."""

import base64
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest

from harness.isoform_pages import MEANINGS, SCOPES, write_index, write_pair
from harness.protein import Protein
from harness.results import RunFolder
from tests.isoforms import (
    FULL,
    SHORT,
    Folding,
    Known,
    evaluation,
    fragment_of,
    helix_of,
    random_map,
    sample_of,
)

WHOLE = random_map(len(FULL))
NOTES = {"variant": "without <10 & 18>", "reported_rmsd": "0.49"}


@pytest.fixture
def results(tmp_path):
    folder = RunFolder(tmp_path / "run", "jac", "8M", evaluation().coordinates)
    folder.path.mkdir()
    folder.claim({"a": "b"}, "text")
    return folder


def seen(method, sample):
    """The pair that the evaluation has looked at, and its rows."""
    one = evaluation()
    rows = list(one(method, sample))
    return one.shown[0], rows


def known():
    return Known({"full": WHOLE, "iso": fragment_of(WHOLE)})


class Page(HTMLParser):
    """Tags, text and links of a page; tags must be closed in order."""

    VOID = ("meta", "img", "br")

    def __init__(self, text):
        super().__init__()
        self.open, self.texts, self.links, self.images, self.cells = [], [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag not in self.VOID:
            self.open.append(tag)
        self.links += [attributes["href"]] if tag == "a" else []
        self.images += [attributes] if tag == "img" else []

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style",):
            self.texts.append(data.strip())
        if self.open and self.open[-1] in ("td", "th"):
            self.cells.append(data)


def test_a_page_shows_the_pair_and_needs_nothing_else(results):
    pair, rows = seen(known(), sample_of(notes=NOTES))
    write_pair(results, pair, "jac 8M", pictures=True)
    text = (results.path / "isoforms" / "iso.html").read_text(encoding="utf-8")
    page = Page(text)
    assert "iso of full" in page.texts
    assert "without <10 & 18>" in page.texts
    assert "0–9, 18–37" in page.texts
    assert page.links == ["index.html"]
    (image,) = page.images
    picture = (results.path / "isoforms" / "iso.png").read_bytes()
    assert base64.b64decode(image["src"].partition(",")[2]) == picture
    assert "0–9, 18–37" in image["alt"]
    assert not re.search(r"https?://|<script", text)
    for row in rows:
        assert row.metric in page.cells


def test_every_metric_and_scope_is_explained(tmp_path):
    structures = {"full": helix_of(tmp_path, FULL, 80), "iso": helix_of(tmp_path, SHORT, 90)}
    maps = {"full": WHOLE, "iso": fragment_of(WHOLE)}
    method = Folding(maps, WHOLE, structures=structures)
    rows = list(evaluation(masked=True)(method, sample_of()))
    assert {row.metric for row in rows} == set(MEANINGS)
    assert {row.range for row in rows} - {"min6"} == set(SCOPES)


def test_without_pictures_there_are_facts_and_no_page(results):
    pair, _ = seen(known(), sample_of(notes=NOTES))
    write_pair(results, pair, "jac 8M", pictures=False)
    names = sorted(path.name for path in (results.path / "isoforms").iterdir())
    assert names == ["iso.csv", "iso.json"]
    assert json.loads((results.path / "isoforms" / "iso.json").read_text()) == {
        "isoform": "iso",
        "full_length": "full",
        "n_isoform": 30,
        "n_full_length": 38,
        "kept": [[0, 10], [18, 38]],
        "lost": [[10, 18]],
        "new": [],
        "notes": NOTES,
    }


def test_the_table_has_a_line_for_each_pair(results):
    for name, pictures in (("iso", True), ("other", False)):
        sample = sample_of(notes=NOTES if name == "iso" else {})
        sample = replace(sample, protein=Protein(name, SHORT))
        pair, rows = seen(Known({"full": WHOLE, name: fragment_of(WHOLE)}), sample)
        write_pair(results, pair, "jac 8M", pictures)
        results.append(name, rows, {"seconds": 1.0})
    write_index(results, "jac 8M")
    table = pd.read_csv(results.path / "isoforms.csv", keep_default_na=False)
    assert table["isoform"].tolist() == ["iso", "other"]
    assert table["reported_rmsd"].tolist() == ["0.49", ""]
    assert table["lost"].tolist() == ["10–17"] * 2
    assert table["recovery kept"].astype(float).tolist() == pytest.approx([1.0, 1.0])
    page = Page((results.path / "isoforms" / "index.html").read_text(encoding="utf-8"))
    assert page.links == ["iso.html"]
    assert "other" in page.texts


@pytest.mark.parametrize("folds", [False, True])
def test_curves_along_the_chain_are_kept_as_numbers(results, tmp_path, folds):
    maps = {"full": WHOLE, "iso": 0.5 * fragment_of(WHOLE)}
    structures = {"full": helix_of(tmp_path, FULL, 80), "iso": helix_of(tmp_path, SHORT, 90)}
    pair, rows = seen(Folding(maps, structures=structures) if folds else Known(maps), sample_of())
    write_pair(results, pair, "jac 8M", pictures=False)
    table = pd.read_csv(results.path / "isoforms" / "iso.csv")
    assert "".join(table["residue"]) == SHORT
    assert table["full_length"].tolist() == [*range(10), *range(18, 38)]
    assert table["segment"].tolist() == [0] * 10 + [1] * 20
    assert table["recovery"].tolist() == pytest.approx([0.5] * 30)
    assert ("area_cut_out" in table) == ("plddt_isoform" in table) == folds
    if folds:
        gained = (table["area_isoform"] - table["area_full"]).clip(0).sum()
        value = next(row.value for row in rows if row.metric == "exposed_area")
        assert gained == pytest.approx(value)


def test_a_run_without_isoforms_has_no_table(results):
    write_index(results, "jac 8M")
    assert not (results.path / "isoforms.csv").exists()


@pytest.mark.parametrize("plddt", [None, 80.0])
def test_pictures_of_structures(results, tmp_path, plddt):
    structures = {"full": helix_of(tmp_path, FULL, plddt), "iso": helix_of(tmp_path, SHORT, plddt)}
    maps = {"full": WHOLE, "iso": fragment_of(WHOLE)}
    pair, _ = seen(Folding(maps, structures=structures), sample_of())
    write_pair(results, pair, "folded", pictures=True)
    assert (results.path / "isoforms" / "iso.png").stat().st_size > 10_000


def test_pictures_of_new_residues_and_of_maps_without_scores(results):
    isoform = "WWWWWW" + SHORT
    maps = {"full": 0 * WHOLE, "iso": 0 * random_map(len(isoform))}
    pair, _ = seen(Known(maps), sample_of(isoform))
    write_pair(results, pair, "zero", pictures=True)
    assert (results.path / "isoforms" / "iso.html").exists()
