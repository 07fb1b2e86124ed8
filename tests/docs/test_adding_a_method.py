"""docs/adding_a_method.md: its files, written outside this repository, and its commands work."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "adding_a_method.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"```(?:python|yaml)\n# (\S+)\n(.*?)```", PAGE, re.DOTALL))
COMMANDS = re.findall(r"^python (-m harness .+)$", PAGE, re.MULTILINE)


GATES = re.findall(r"^python (-m harness\.regress .+)$", PAGE, re.MULTILINE)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder that holds the files of the page and nothing else."""
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def harness(folder: Path, arguments: str) -> subprocess.CompletedProcess[str]:
    """`python …` in a folder, made small, with the harness importable and nothing tracked."""
    small = ["tracker=none", "pictures=false", "dataset.limit=2", "dataset.depth=64"]
    places = [f"{mode}.dir={folder}/results" for mode in ("hydra.run", "hydra.sweep")]
    return subprocess.run(
        [sys.executable, *shlex.split(arguments), *small, *places, f"outputs={folder}"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_page_has_two_methods_and_commands_for_both() -> None:
    names = {Path(name).stem for name in FILES}
    assert len(FILES) == 2 * len(names) == 4
    assert all(any(name in command for command in COMMANDS) for name in names)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_measures_the_methods_it_names(outside: Path, command: str) -> None:
    done = harness(outside, command)
    assert done.returncode == 0, done.stderr
    rows = pd.concat(pd.read_csv(path) for path in (outside / "results").rglob("rows.csv"))
    named = re.search(r"\bmethod=(\S+)", command)
    assert named is not None
    assert set(rows["method"]) == set(named[1].split(","))
    assert rows.groupby("method")["protein"].nunique().eq(2).all()
    assert rows["value"].between(0, 1).all()


def test_a_value_that_the_class_refuses_ends_with_the_message_of_the_page(outside: Path) -> None:
    done = harness(outside, f"{COMMANDS[0]} method.decay=-1")
    message = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1
    assert message.startswith("error: ")
    assert message in PAGE


def test_a_name_that_the_harness_has_already_is_hidden_as_the_page_warns(outside: Path) -> None:
    conf = outside / "conf" / "method"
    (conf / "hydrophobic_pairs.yaml").rename(conf / "random.yaml")
    done = harness(outside, "-m harness --config-dir conf --cfg job method=random")
    assert done.returncode == 0, done.stderr
    assert "baselines.random_scores.RandomScores" in done.stdout
    assert "HydrophobicPairs" not in done.stdout


@pytest.mark.parametrize("command", GATES)
def test_a_gate_of_the_page_compares_the_method_with_its_reference(
    outside: Path, command: str
) -> None:
    done = harness(outside, command)
    assert done.returncode == 0, done.stderr
    assert "hydrophobic_pairs against random: inconclusive" in done.stdout  # of two proteins


def test_the_page_has_a_gate() -> None:
    assert len(GATES) == 1
