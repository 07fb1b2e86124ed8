"""Whatever the documentation names is there: links, paths, tests, choices, dependencies."""

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    path.relative_to(ROOT).as_posix()
    for path in (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))
]
ROOMS = ("harness", "baselines", "conf", "docs", "tests")
MODULES = {"fair-esm": "esm", "hydra-core": "hydra", "scikit-learn": "sklearn"}


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def code(page: str) -> list[str]:
    """What stands in backticks outside fenced blocks."""
    prose = re.sub(r"^```.*?^```", "", read(page), flags=re.DOTALL | re.MULTILINE)
    return [text.strip() for text in re.findall(r"`([^`]+)`", prose)]


def created_by(page: str) -> set[str]:
    """Files that a page tells its reader to write."""
    return set(re.findall(r"^```\w+\n# (\S+)$", read(page), re.MULTILINE))


def imports_at_run_time(path: Path) -> str:
    """A module without what only the type checker reads."""
    return re.sub(
        r"^if TYPE_CHECKING:\n(    .*\n)+", "", path.read_text("utf-8"), flags=re.MULTILINE
    )


@pytest.mark.parametrize("page", PAGES)
def test_relative_links_lead_somewhere(page: str) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", read(page))
    local = [target for target in targets if "://" not in target]
    broken = [target for target in local if not ((ROOT / page).parent / target).exists()]
    assert broken == []


@pytest.mark.parametrize("page", PAGES)
def test_named_paths_exist(page: str) -> None:
    named = [text for text in code(page) if re.fullmatch(rf"(?:{'|'.join(ROOMS)})/[\w./-]*", text)]
    existing = {text for text in named if (ROOT / text).exists()}
    assert set(named) - existing - created_by(page) == set()


@pytest.mark.parametrize("page", PAGES)
def test_named_tests_exist(page: str) -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    defined = set(re.findall(r"def (test_\w+)", "\n".join(sources)))
    assert {text for text in code(page) if re.fullmatch(r"test_\w+", text)} <= defined


@pytest.mark.parametrize("page", PAGES)
def test_named_choices_exist(page: str) -> None:
    groups = "|".join(path.name for path in (ROOT / "conf").iterdir() if path.is_dir())
    given = re.findall(rf"(?<![\w.])({groups})=([a-z][\w,]*)", read(page))
    chosen = {(group, name) for group, names in given for name in names.split(",")}
    own = {("method", Path(path).stem) for path in created_by(page)}
    wanted = sorted(chosen - own)
    assert [pair for pair in wanted if not (ROOT / f"conf/{pair[0]}/{pair[1]}.yaml").exists()] == []


def test_every_dependency_has_its_line() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    stated = chain(project["dependencies"], *project["optional-dependencies"].values())
    names = {re.split(r"[<>=\[]", requirement)[0] for requirement in stated} - {project["name"]}
    cells = re.findall(r"^\| ([\w, -]+) \|", read("docs/dependencies.md"), re.MULTILINE)
    assert {name for cell in cells for name in cell.split(", ")} - {"package", "---"} == names


def test_a_dependency_is_imported_where_its_line_says_and_nowhere_else() -> None:
    lines = re.findall(
        r"^\| ([\w-]+) \|[^|]*\|([^|]*)\|", read("docs/dependencies.md"), re.MULTILINE
    )
    doors = {
        name: re.findall(r"`([\w/.]+)`", where)
        for name, where in lines
        if re.search("`(harness|baselines)/", where)
    }
    sources = [path for room in ("harness", "baselines") for path in (ROOT / room).rglob("*.py")]
    found: dict[str, list[str]] = {name: [] for name in doors}
    for path in sources:
        text, place = imports_at_run_time(path), path.relative_to(ROOT).as_posix()
        for name, where in doors.items():
            imported = rf"^\s*(?:import|from) {MODULES.get(name, name)}\b"
            if re.search(imported, text, re.MULTILINE):
                found[name] += [door for door in where if place.startswith(door)] or [place]
    assert len(doors) >= 10
    assert {name: set(places) for name, places in found.items()} == {
        name: set(where) for name, where in doors.items()
    }
