"""The contact map of a report: what it counts, what it tells of a pair, how one moves over it."""

import re

import pytest

from tests.browsing import choice, region, until
from tests.reports import LENGTH, RANGES, sample_of, scores_of

pytestmark = pytest.mark.xdist_group("browser")


def readout(page):
    return region(page, "Contact map").locator("output")


def touching(i, j):
    return sample_of("a").distances[i, j] < 8


def test_the_map_counts_what_the_scores_of_the_run_say(page):
    """The best L pairs of the better run (seed 1) on the first protein, counted from its scores."""
    scores, places = scores_of(1), range(LENGTH)
    pairs = [(i, j) for i in places for j in places if j - i >= 6 and 2 not in (i, j)]
    best = sorted(pairs, key=lambda pair: -scores[pair])[:LENGTH]
    hits = sum(touching(i, j) for i, j in best)
    told = f"A, jac large: {hits} of the best {LENGTH} pairs, {RANGES[0]}, are contacts"
    assert page.get_by_role("img", name=told).is_visible()


def test_hovering_tells_residues_state_and_scores(page):
    canvas = page.locator("canvas")
    cell = canvas.bounding_box()["width"] / LENGTH
    canvas.hover(position={"x": 30.5 * cell, "y": 9.5 * cell})
    assert readout(page).text_content().startswith("L9 and A30, 21 apart: contact. A: ")
    canvas.hover(position={"x": 2.5 * cell, "y": 20.5 * cell})
    assert "E2" not in readout(page).text_content()
    assert readout(page).text_content().startswith("D2 and A20, 18 apart: unresolved, not scored.")
    canvas.hover(position={"x": 5.5 * cell, "y": 5.5 * cell})
    assert readout(page).text_content() == "Residue G5"


def test_the_scores_told_are_those_of_the_method(page):
    i, j = max(
        ((i, j) for i in range(LENGTH) for j in range(i + 6, LENGTH) if 2 not in (i, j)),
        key=lambda pair: scores_of(1)[pair],
    )
    canvas = page.locator("canvas")
    canvas.focus()
    page.keyboard.press("ArrowRight")  # the cursor begins at the best pair
    text = readout(page).text_content()
    assert re.search(rf"{i} and \w{j}, {j - i} apart", text)
    (score,) = re.findall(r"A: score ([\d.]+)", text)
    assert float(score) == pytest.approx(scores_of(1)[i, j], abs=0.01)


def test_arrow_keys_move_over_the_map(page):
    page.locator("canvas").focus()
    page.keyboard.press("ArrowRight")

    def place():
        return [int(n) for n in re.findall(r"[A-Z](\d+)", readout(page).text_content())[:2]]

    i, j = place()
    page.keyboard.press("ArrowDown")
    assert place() == [i + 1, j]
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    assert place() == [i, j - 1]
    for _ in range(9):
        page.keyboard.press("Shift+ArrowRight")
    assert place() == [i, LENGTH - 1]


def test_pairs_between_the_chains_of_a_complex_are_a_range(page):
    choice(page, "Range").select_option("inter")
    page.get_by_role("img", name="p10, 40 residues. A, jac large: no pairs, inter.").wait_for()
    choice(page, "Protein").select_option("complex1")
    page.get_by_role("img", name="complex1").wait_for()
    half, scores = LENGTH // 2, scores_of(3)  # the third protein of the better run
    pairs = [(i, j) for i in range(half) for j in range(half, LENGTH) if i != 2]
    best = sorted(pairs, key=lambda pair: -scores[pair])[:LENGTH]
    hits = sum(touching(i, j) for i, j in best)
    told = f"A, jac large: {hits} of the best {LENGTH} pairs, inter, are contacts"
    assert page.get_by_role("img", name=told).is_visible()
    cell = page.locator("canvas").bounding_box()["width"] / LENGTH
    page.locator("canvas").hover(position={"x": 30.5 * cell, "y": 9.5 * cell})
    assert readout(page).text_content().startswith("L9 and A30, of two chains: contact. A: ")


def test_both_runs_can_be_on_one_map(page):
    page.get_by_label("run B", exact=True).check()
    page.get_by_role("img", name=re.compile(r"A, jac large: .*B, jac small: ")).wait_for()
    choice(page, "Run B").select_option("<b>prior</b>")
    page.get_by_role("img", name="B, <b>prior</b>: no map").wait_for()


def test_a_protein_without_a_map_says_so(page):
    region(page, "Table of proteins").get_by_role("button", name="q2").click()
    assert page.get_by_text("q2: this file has no map of it.").is_visible()
    assert not page.locator("canvas").is_visible()
    region(page, "Table of proteins").get_by_role("button", name="p9").click()
    page.get_by_role("img", name="Contact map. p9").wait_for()


def test_the_map_is_painted_in_the_colors_of_the_theme(page):
    picture = "document.querySelector('canvas').toDataURL()"
    light = page.evaluate(picture)
    page.emulate_media(color_scheme="dark")
    until(page, f"{picture} !== '{light}'")
    corner = "document.querySelector('canvas').getContext('2d').getImageData(0, 9, 1, 1).data[0]"
    assert page.evaluate(corner) < 128
