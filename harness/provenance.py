"""Where a number comes from: code, packages, machine."""

import os
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parent.parent
_PACKAGES = (
    "contact-harness",
    "torch",
    "numpy",
    "scipy",
    "scikit-learn",
    "biotite",
    "hydra-core",
    "mlflow",
)


def provenance() -> dict[str, str]:
    """Commit, package versions, Python, operating system, processor and threads, as text."""
    facts = {
        "commit": commit(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": _processor(),
        "threads": os.environ.get("OMP_NUM_THREADS") or str(os.cpu_count()),
    }
    return facts | {f"package.{name}": _version(name) for name in _PACKAGES}


@cache
def commit() -> str:
    """The commit of this project's checkout, with `+changes` when files differ from it.

    `unknown` outside a checkout. Asked once a process: that is the code which runs.
    """
    head = _git("rev-parse", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return (head or "unknown") + ("+changes" if changed else "")


def _git(*arguments: str) -> str:
    """Output of a git command in this project's checkout; empty outside one or without git."""
    if not (_REPOSITORY / ".git").exists():
        return ""
    try:
        done = subprocess.run(
            ("git", "-C", str(_REPOSITORY), *arguments), capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _processor() -> str:
    """Model of the processor, as the system names it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
