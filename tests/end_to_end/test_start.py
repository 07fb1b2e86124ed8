"""What the command line says about itself, without loading what it does not need."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "mlflow")

PROGRAM = """
import atexit, sys
atexit.register(lambda: print(*[name for name in {heavy} if name in sys.modules], file=sys.stderr))
sys.argv[0] = "harness"
from harness.__main__ import main
main()
"""


def run(*arguments):
    """The finished process; its error stream holds the heavy packages that it imported."""
    command = [sys.executable, "-c", PROGRAM.format(heavy=HEAVY), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True)


def test_the_help_names_every_group_and_loads_nothing_heavy():
    done = run("--help")
    for group in ("method", "model", "masking", "dataset", "evaluation", "tracker", "experiment"):
        assert f"\n{group}: " in done.stdout
    assert "python -m harness -m" in done.stdout
    assert done.stderr == "\n"


@pytest.mark.parametrize(
    ("option", "expected"),
    [(["--info"], "method/random"), (["--cfg", "job"], "baselines.random_scores.RandomScores")],
)
def test_the_configuration_is_shown_and_nothing_heavy_loaded(option, expected):
    done = run("method=random", *option)
    assert expected in done.stdout
    assert done.stderr == "\n"


def test_a_run_without_model_and_tracker_loads_nothing_heavy(tmp_path):
    small = ("tracker=none", "method=separation", "dataset.limit=1", "dataset.depth=2")
    done = run(f"outputs={tmp_path}", "pictures=false", *small)
    assert "P@L min3" in done.stdout
    assert done.stderr == "\n"
