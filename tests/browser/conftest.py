"""A report in a real browser: Debian's Chromium, driven by Playwright."""

import math
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from harness.comparison import ComparedRuns, finished_runs
from harness.report_page import write_report
from tests.browsing import FLAGS
from tests.reports import BOOTSTRAP, Written, write_pairs, write_run

PROTEINS = {"p10": 0.25, "p9": 0.75, "complex1": 0.5, "q2": math.nan}
BETTER = {"p10": 0.375, "p9": 0.8, "complex1": 0.4, "q2": 0.6}


@pytest.fixture(scope="package")  # Playwright holds the event loop as long as it is open
def browser() -> Iterator[Browser]:
    """Chromium; tests that need it are skipped where there is none, unless this is the CI."""
    path = shutil.which("chromium")
    if path is None:
        say = pytest.fail if "CI" in os.environ else pytest.skip
        say("chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report on three runs: a method with two models, and one without."""
    sweep = tmp_path_factory.mktemp("sweep")
    small = write_run(sweep / "0", Written("jac", "small", 1000, 2.0, PROTEINS))
    large = write_run(sweep / "1", Written("jac", "large", 50000, 20.0, BETTER))
    write_run(sweep / "2", Written("<b>prior</b>", seconds=0.5, values={"complex1": 0.125}))
    for seed, folder in enumerate((small, large)):
        write_pairs(folder, ["p10", "p9", "complex1"], seed)
    return write_report(
        sweep / "report.html", "small", ComparedRuns(finished_runs(sweep), BOOTSTRAP), 1.0
    )


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    """The report, open; a message on the console or a request for anything else fails the test."""
    opened = browser.new_page(viewport={"width": 1100, "height": 900}, color_scheme="light")
    opened.set_default_timeout(5000)
    messages: list[str] = []
    opened.on("console", lambda message: messages.append(message.text))
    opened.on("pageerror", lambda error: messages.append(str(error)))
    opened.on("request", lambda request: messages.append(request.url))
    opened.goto(report.as_uri())
    opened.get_by_role("img", name="Contact map. p10").wait_for()
    yield opened
    opened.close()
    assert set(messages) == {report.as_uri()}
