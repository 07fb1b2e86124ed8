"""One HTML file that shows a report: it holds everything, and asks the network for nothing."""

import json
import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from harness.comparison import ComparedRuns
from harness.report_data import report_data
from harness.results import replacing

REPORT = "report.html"
MAPS_MB = 3.5
"""Megabytes of contact maps: a report on 200 proteins stays below five."""

PAGE = Path(__file__).parent / "page"
SCRIPTS = (
    *("values", "theme", "tables", "charts", "scatter"),
    *("maps", "painter", "sections", "report"),
)
"""In the order in which they are read; the last one begins."""

_UNSAFE = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}
"""Letters that a JSON text inside HTML has to spell in another way."""


def write_report(path: Path, name: str, compared: ComparedRuns, maps_mb: float) -> Path:
    """The path, with a report on these runs written there."""
    page = report_page(report_data(name, compared, maps_mb * 1e6))
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        partial.write_text(page, encoding="utf-8")
    return path


def report_page(data: Mapping[str, Any]) -> str:
    """The page as text."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    parts = {
        "TITLE": escape(str(data["name"])),
        "STYLE": _read("report.css"),
        "DATA": text.translate(_UNSAFE),
        "SCRIPT": "\n".join(_read(f"{name}.js") for name in SCRIPTS),
    }
    return re.sub(r"/\*([A-Z]+)\*/", lambda place: parts[place[1]], _read("report.html"))


def _read(name: str) -> str:
    return (PAGE / name).read_text(encoding="utf-8")
