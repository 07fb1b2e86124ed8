"""MLflow's own interface, from the table of runs to the report of their sweep."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.mlflow_server import mlflow_server

pytestmark = pytest.mark.xdist_group("browser")

ROOT = Path(__file__).parent.parent.parent
SWEEP = ("-m", "method=separation,random", "dataset.limit=2", "dataset.depth=16", "tracker=mlflow")
SWEEP += ("dataset.shard=1/2,2/2",)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A server of a sweep over two methods, each cut in two, made by the command line."""
    outputs = tmp_path_factory.mktemp("outputs")
    places = [f"outputs={outputs}", f"hydra.sweep.dir={outputs / 'two'}"]
    command = [sys.executable, "-m", "harness", *SWEEP, *places]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with mlflow_server(outputs / "mlflow") as served:
        yield served


@pytest.fixture
def runs(browser, address):
    """The table of runs, as the link of `make ui` opens it."""
    page = browser.new_page(viewport={"width": 1600, "height": 900})
    page.set_default_timeout(60_000)  # the first page of a server is slow
    view = re.search(r"/#/experiments\S+contacts", (ROOT / "Makefile").read_text())[0]
    page.goto(address + view)
    page.get_by_role("link", name="separation", exact=True).wait_for()
    yield page
    page.close()


def test_the_table_shows_runs_by_name_with_what_matters(runs):
    headings = runs.get_by_role("columnheader").all_inner_texts()
    shown = {text.strip() for text in headings}
    assert {"Run Name", "p_at_L/min3", "p_at_L/min6", "cost/seconds_per_protein"} <= shown
    links = runs.get_by_role("link", name=re.compile("(separation|random|two)$"))
    assert sorted(links.all_inner_texts()) == ["random", "separation"]  # neither sweep nor shards


def test_the_description_says_what_the_metrics_mean(runs):
    assert runs.get_by_text("Residue contacts read out of protein language models").is_visible()


def test_a_run_leads_to_the_report_of_its_sweep(runs):
    runs.get_by_role("link", name="separation", exact=True).click()
    runs.get_by_text("lattice (lattice-1-seed0").first.wait_for()  # its data set
    runs.get_by_role("link", name="two", exact=True).click()
    runs.get_by_role("tab", name="Artifacts").click()
    runs.get_by_text("report.html", exact=True).first.click()
    report = runs.frame_locator("iframe")
    report.get_by_role("heading", name="two", level=1).wait_for()
    report.get_by_role("button", name="Protein", exact=True).click()  # scripts run in there
    cell = report.get_by_role("columnheader", name="Protein", exact=True)
    assert cell.get_attribute("aria-sort") == "ascending"


def test_a_run_has_a_picture_of_every_map(runs):
    runs.get_by_role("link", name="random", exact=True).click()
    runs.get_by_role("tab", name="Artifacts").click()
    runs.get_by_text("maps", exact=True).click()
    runs.get_by_text("family00_00.png").first.click()
    runs.locator("img[src^='blob:'], img[src*='get-artifact']").first.wait_for()
