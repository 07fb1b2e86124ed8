"""What holds for every test: annotations are checked, one thread, no clock, no random seeds."""

import os

# Before anything imports torch; and for the processes that tests start.
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

from collections.abc import Callable, Sequence
from pathlib import Path

import jaxtyping
import pytest
from hypothesis import HealthCheck, settings
from threadpoolctl import threadpool_limits

# Here, at the top level, because every process of pytest-xdist reads this file before it imports
# a test. `is_pep484_tower`: an int is a float, as for mypy.
jaxtyping.install_import_hook(
    ["harness", "baselines"], "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"
)

# NumPy may be here already, with as many BLAS threads as there are cores.
threadpool_limits(1)

# The same examples on every machine; slow machines are no failures.
settings.register_profile(
    "harness",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("harness")


def pytest_configure(config: pytest.Config) -> None:
    """Let pass what beartype says of annotations that are not ours."""
    # omegaconf's DictConfig derives from typing.MutableMapping
    name = "beartype.roar.BeartypeDecorHintPep585DeprecationWarning"
    config.addinivalue_line("filterwarnings", f"ignore::{name}")


@pytest.fixture
def write_alignment(tmp_path: Path) -> Callable[[Sequence[str]], Path]:
    """A function that writes aligned rows, the query first, and gives the path of the file."""

    def write(rows: Sequence[str], name: str = "msa.a3m") -> Path:
        path = tmp_path / name
        path.write_text("".join(f">row{n}\n{row}\n" for n, row in enumerate(rows)))
        return path

    return write


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """No annotation is checked: what happens to a user who passes a wrong value."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
