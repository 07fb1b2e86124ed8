"""What a reader does with a report, by mouse and by keyboard."""

import re

import pytest

from tests.browsing import choice, region, until

pytestmark = pytest.mark.xdist_group("browser")


def proteins(page):
    """The names in the table of proteins, from top to bottom."""
    return region(page, "Table of proteins").locator("tbody th").all_text_contents()


def head(page, name, column):
    button = region(page, name).get_by_role("button", name=column, exact=True)
    return button, button.locator("xpath=..")


def test_a_click_sorts_and_another_turns_the_order(page):
    button, cell = head(page, "Table of proteins", "Run B")
    button.click()
    assert cell.get_attribute("aria-sort") == "descending"
    assert proteins(page) == ["p9", "complex1", "p10", "q2"]  # without a value: last
    button.click()
    assert cell.get_attribute("aria-sort") == "ascending"
    assert proteins(page) == ["p10", "complex1", "p9", "q2"]


def test_names_are_sorted_as_people_count(page):
    head(page, "Table of proteins", "Protein")[0].click()
    assert proteins(page) == ["complex1", "p9", "p10", "q2"]


def test_the_keyboard_sorts_every_column_and_keeps_its_place(page):
    region(page, "Table of results").focus()
    for column in ("Run", "Mean [interval]", "Ceiling of P@L"):
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        button, cell = head(page, "Table of results", column)
        assert cell.get_attribute("aria-sort") in ("ascending", "descending")
        assert button.evaluate("element => element === document.activeElement")


def test_the_filter_leaves_the_proteins_that_hold_the_text(page):
    page.get_by_label("Only proteins or groups with").fill("P1")
    assert proteins(page) == ["p10"]
    assert page.get_by_text("1 of 4").is_visible()
    page.get_by_label("Only proteins or groups with").fill("nothing")
    assert proteins(page) == []


def test_another_range_changes_every_number(page):
    table = region(page, "Table of results")
    assert table.locator("caption").text_content() == "P@L, min6"
    choice(page, "Metric").select_option("average_precision")
    choice(page, "Range").select_option("long")
    assert table.locator("caption").text_content() == "average precision, long"
    large = table.get_by_role("row", name="jac large").locator("td").first.text_content()
    assert large.startswith("0.181 [")  # a third of the mean of BETTER
    assert page.get_by_label("average precision, long against parameters").is_visible()


def test_the_difference_of_two_runs_is_told_with_its_interval(page):
    text = page.get_by_text(re.compile(r"^A − B: ")).text_content()
    assert re.fullmatch(
        r"A − B: \+0\.025 \[−0\.\d+, \+0\.\d+\] over 3 proteins\. "
        r"A is better on 2, B on 1, both are equal on 0\.",
        text,
    )
    choice(page, "Run A").select_option("jac small")
    choice(page, "Run B").select_option("jac large")
    assert page.get_by_text(re.compile(r"^A − B: −0\.025 \[−0\.\d+, \+0\.\d+\]")).is_visible()
    choice(page, "Metric").select_option("average_precision")
    assert page.get_by_text("no interval of this difference").is_visible()


def test_arrow_keys_move_among_the_points_and_enter_selects_one(page):
    points = page.locator("circle.protein")
    assert points.evaluate_all("list => list.filter((point) => point.tabIndex === 0).length") == 1
    points.first.focus()  # p10, the least in both runs
    page.keyboard.press("ArrowRight")
    focused = page.locator("circle.protein:focus")
    assert focused.get_attribute("aria-label") == "complex1: A 0.400, B 0.500"
    page.keyboard.press("ArrowUp")
    assert focused.get_attribute("aria-label") == "p9: A 0.800, B 0.750"
    page.keyboard.press("ArrowUp")  # there is none beyond
    page.keyboard.press("Enter")
    assert focused.get_attribute("aria-pressed") == "true"
    page.get_by_role("img", name="Contact map. p9").wait_for()
    assert choice(page, "Protein").input_value() == "p9"


def test_html_in_a_label_is_text(page):
    assert region(page, "Table of results").get_by_text("<b>prior</b>").is_visible()
    assert page.locator("b").count() == 0


def paper(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_the_theme_is_the_systems_until_one_is_chosen(page):
    light = paper(page)
    page.emulate_media(color_scheme="dark")
    dark = paper(page)
    assert light != dark
    button = page.get_by_role("button", name=re.compile("Theme"))
    for name, shown in (("light", light), ("dark", dark), ("as the system", dark)):
        button.press("Enter")
        assert (button.text_content(), paper(page)) == (f"Theme: {name}", shown)


def test_the_chosen_theme_is_there_when_the_page_is_opened_again(page):
    page.get_by_role("button", name=re.compile("Theme")).press("Space")
    assert page.get_by_role("button", name="Theme: light").is_visible()
    page.wait_for_timeout(500)  # Chromium writes it down a little later
    page.reload()
    page.get_by_role("button", name="Theme: light").wait_for()


def test_a_sandboxed_frame_in_which_nothing_can_be_remembered_shows_all_of_it(browser, report):
    outer = report.with_name("outer.html")
    frame = f'<iframe sandbox="allow-scripts" width="900" height="700" src="{report.name}">'
    outer.write_text(frame, encoding="utf-8")
    page = browser.new_page()
    page.goto(outer.as_uri())  # as MLflow shows artifacts
    inner = page.frame_locator("iframe")
    button = inner.get_by_role("button", name="Theme: as the system")
    button.click()
    assert inner.get_by_role("button", name="Theme: light").is_visible()
    inner.get_by_role("img", name="Contact map. p10").wait_for()
    page.close()


@pytest.mark.parametrize("width", [400, 320])
def test_nothing_is_wider_than_a_narrow_window(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    until(page, "document.querySelector('canvas').clientWidth < 400")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_every_control_has_a_name(page):
    names = page.evaluate(
        "[...document.querySelectorAll('button, select, input, canvas, svg[role], [tabindex]')]"
        ".map((e) => e.ariaLabel || e.textContent.trim() || e.labels?.[0]?.textContent)"
    )
    assert len(names) > 20
    assert all(names)


def test_the_tab_key_reaches_the_map_and_all_before_it(page):
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.tagName"))
        if reached[-1] == "CANVAS":
            break
    assert reached[-1] == "CANVAS"
    assert {"A", "BUTTON", "SELECT", "INPUT", "circle", "DIV"} <= set(reached)


def test_in_print_the_page_is_light_and_shows_every_protein(page):
    page.emulate_media(media="print", color_scheme="dark")
    assert paper(page) == "rgb(255, 255, 255)"
    assert page.get_by_role("button", name=re.compile("Theme")).is_hidden()
    corner = "document.querySelector('canvas').getContext('2d').getImageData(0, 9, 1, 1).data[0]"
    assert page.evaluate(corner) == 255
