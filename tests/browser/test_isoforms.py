"""Pages of isoforms in a real browser: from the table to a pair and back, with no request."""

from dataclasses import replace

import pytest

from harness.isoform_pages import write_index, write_pair
from harness.protein import Protein
from harness.results import RunFolder
from tests.isoforms import FULL, SHORT, Known, evaluation, fragment_of, random_map, sample_of

pytestmark = pytest.mark.xdist_group("browser")
WHOLE = random_map(len(FULL))


@pytest.fixture
def pages(tmp_path):
    """The folder of a run with two isoforms."""
    results = RunFolder(tmp_path, "jac", "8M", evaluation().coordinates)
    results.claim({"a": "b"}, "text")
    for name in ("first", "second"):
        sample = replace(
            sample_of(notes={"variant": "<b>made</b> up"}), protein=Protein(name, SHORT)
        )
        seen = evaluation()
        rows = list(seen(Known({"full": WHOLE, name: fragment_of(WHOLE)}), sample))
        write_pair(results, seen.shown[0], "jac 8M", pictures=True)
        results.append(name, rows, {})
    write_index(results, "jac 8M")
    return tmp_path / "isoforms"


def test_from_the_table_to_a_pair_and_back(browser, pages):
    page = browser.new_page(viewport={"width": 900, "height": 900})
    page.set_default_timeout(5000)
    messages, asked = [], []
    page.on("console", lambda message: messages.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((pages / "index.html").as_uri())
    assert page.get_by_role("row").count() == 3
    assert page.evaluate("document.body.scrollWidth <= window.innerWidth")  # the table scrolls
    page.get_by_role("link", name="second").click()
    assert page.get_by_role("heading", name="second of full").is_visible()
    picture = page.get_by_role("img")
    assert picture.evaluate("image => image.complete && image.naturalWidth") > 500
    assert page.get_by_text("<b>made</b> up").is_visible()
    assert page.get_by_role("cell", name="contacts_kept").first.is_visible()
    page.get_by_role("link", name="All pairs").click()
    assert page.get_by_role("link", name="first").is_visible()
    page.close()
    assert messages == []
    names = [url.rpartition("/")[2] for url in asked if not url.startswith("data:")]
    assert names == ["index.html", "second.html", "index.html"]
