"""python -m docs.take_screenshots: the pictures of docs/mlflow.md, from the runs of `make demo`.

Needs Debian's Chromium, and outputs/demo as `make demo` leaves it. They show MLflow as the pinned
version draws it.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from benchmarks.mlflow_server import mlflow_server
from tests.browsing import FLAGS

ROOT = Path(__file__).parent.parent
DEMO, PICTURES = ROOT / "outputs" / "demo", ROOT / "docs" / "screenshots"
VIEW = "#/experiments/1/runs?workflowType=machine_learning&viewStateShareKey=contacts"


def main() -> None:
    """Take all of them."""
    if not (DEMO / "report.html").exists():
        sys.exit(f"error: {DEMO} is not there; make demo")
    PICTURES.mkdir(exist_ok=True)
    sides = [f"{key}={(DEMO / name).relative_to(ROOT)}" for key, name in _SIDES.items()]
    subprocess.run([sys.executable, "-m", "harness.regress", *sides], cwd=ROOT, check=False)
    with mlflow_server(ROOT / "outputs" / "mlflow") as address, sync_playwright() as playwright:
        options = {"executable_path": shutil.which("chromium"), "args": list(FLAGS)}
        browser = playwright.chromium.launch(**options)
        page = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="light")
        page.set_default_timeout(60_000)
        _runs(page, address)
        _report(page)
        _verdict(page, address)
        browser.close()


_SIDES = {
    "candidate": "categorical_jacobian_lattice_3x64",
    "reference": "categorical_jacobian_lattice_4x128",
}


def _runs(page: Page, address: str) -> None:
    """The table, and the charts."""
    page.goto(f"{address}/{VIEW}")
    page.get_by_role("link", name="lattice_4x128 categorical_jacobian").first.wait_for()
    _tidy(page)
    _take(page, "runs")
    page.goto(f"{page.url}&compareRunsMode=CHART")
    page.get_by_text("p_at_L/min6").first.wait_for()
    _tidy(page)
    _take(page, "charts")


def _report(page: Page) -> None:
    """From a run to the sweep that it belongs to, and that one's report."""
    page.goto(page.url.replace("&compareRunsMode=CHART", ""))
    page.get_by_role("link", name="lattice_4x128 categorical_jacobian").first.click()
    page.get_by_role("link", name="demo", exact=True).click()
    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_text("report.html", exact=True).first.click()
    page.frame_locator("iframe").get_by_role("heading", level=1).wait_for()
    page.get_by_text("Path: file:").first.evaluate("line => line.style.visibility = 'hidden'")
    _tidy(page)
    _take(page, "report")


def _verdict(page: Page, address: str) -> None:
    """A run with the tags of the gate."""
    page.goto("about:blank")
    page.goto(f"{address}/{VIEW}")
    page.get_by_role("link", name="lattice_3x64 categorical_jacobian").first.click()
    page.get_by_text("verdict/p_at_L/min12").first.scroll_into_view_if_needed()
    _tidy(page)
    _take(page, "verdict")


def _tidy(page: Page) -> None:
    """Close what MLflow opens beside the page, once it has settled."""
    page.wait_for_timeout(4000)
    for name in ("Close", "Hide banner"):
        for button in page.get_by_role("button", name=name, exact=True).all():
            button.click()
    page.wait_for_timeout(1500)


def _take(page: Page, name: str) -> None:
    """A picture in few colors, which keeps it small."""
    path = PICTURES / f"{name}.png"
    page.screenshot(path=path)
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(128)
    small.save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
