"""What survives kills, many writers and a server that goes away, as in docs/reliability.md.

    python -m benchmarks.reliability kills --times 100
    python -m benchmarks.reliability writers --processes 16 --runs 20
    python -m benchmarks.reliability outage --seconds 60

The last two start PostgreSQL (Debian's package) and an MLflow server of their own on the loopback.
The exit code is 1 when anything was lost.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.killing import killed_sweeps
from benchmarks.outage import sweep_without_server
from benchmarks.writing import written


def main() -> None:
    """Run one of them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=("kills", "writers", "outage"))
    parser.add_argument("--times", type=int, default=100, help="kills")
    parser.add_argument("--seed", type=int, default=0, help="of their moments")
    parser.add_argument("--processes", type=int, default=16, help="that write at once")
    parser.add_argument("--runs", type=int, default=20, help="of each of these")
    parser.add_argument("--seconds", type=float, default=60, help="without a server")
    given, begin = parser.parse_args(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        if given.what == "kills":
            found = killed_sweeps(Path(folder), given.times, given.seed)
            bad = found.lost or found.twice or found.different or found.runs or found.runs_differ
        elif given.what == "writers":
            found = written(Path(folder), given.processes, given.runs)
            bad = found.metrics != found.expected or found.errors or found.runs != found.wanted
        else:
            found = sweep_without_server(Path(folder), given.seconds)
            bad = found.failed or found.missing or found.waiting
    print(f"{found}\n{time.monotonic() - begin:.0f} s in all")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
