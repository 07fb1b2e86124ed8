import json
import re

import pytest
from omegaconf import OmegaConf

from harness.comparison import ComparedRuns, finished_runs
from harness.report_page import MAPS_MB, PAGE, SCRIPTS, report_page, write_report
from tests.reports import BOOTSTRAP, Written, write_run
from tests.test_architecture import ROOT

NASTY = "</script><!--<script>&\u2028 /*SCRIPT*/ 'x' \"y\""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    sweep = tmp_path_factory.mktemp("sweep")
    write_run(sweep / "0", Written("jac", values={"a": 0.5}))
    path = write_report(
        sweep / "deep" / "r.html", "r", ComparedRuns(finished_runs(sweep), BOOTSTRAP), 1
    )
    return path.read_text(encoding="utf-8")


def inside(page):
    """The data of a page, as a browser reads it."""
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    return json.loads(text)


def test_no_text_ends_the_script_that_holds_it():
    page = report_page({"name": "a", "label": NASTY})
    assert inside(page) == {"name": "a", "label": NASTY}
    assert page.count("</script>") == 2
    assert "\u2028" not in page


def test_the_title_is_text():
    assert "<title>&lt;b&gt;</title>" in report_page({"name": "<b>"})


def test_every_part_of_the_page_is_filled_in(page):
    assert not re.search(r"/\*[A-Z]+\*/", page)
    for name in SCRIPTS:
        assert (PAGE / f"{name}.js").read_text(encoding="utf-8").strip() in page
    assert {path.stem for path in PAGE.glob("*.js")} == set(SCRIPTS)


def test_nothing_is_asked_of_the_network(page):
    assert set(re.findall(r"https?://[\w./]+", page)) == {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'" in page
    assert not re.search(r"<(link|img|iframe)|\bsrc=|@import|url\(", page)


def test_text_reaches_the_page_as_text_only(page):
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", page)


def test_the_same_room_for_maps_in_a_sweep_and_on_the_command_line():
    assert OmegaConf.load(ROOT / "conf" / "report.yaml").maps_mb == MAPS_MB
