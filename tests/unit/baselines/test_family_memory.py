"""What a fit takes against what it says that it takes, in fresh processes."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

SCRIPT = """
    import sys
    from pathlib import Path
    import numpy as np
    from hydra import compose, initialize_config_dir
    from baselines.family import Family
    from harness.configuration import CONFIG_FOLDER, build

    def held(name):
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith(name))

    def family(rows, columns):
        states = np.random.default_rng(0).integers(0, 21, (rows, columns)).astype(np.int8)
        return Family(states, np.ones(rows), np.arange(columns))

    with initialize_config_dir(version_base="1.3", config_dir=CONFIG_FOLDER):
        method = build(compose("config", [f"method={sys.argv[1]}"]).method)
    method.fit(family(50, 20))
    large = family(500, 200)
    before = held("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew from what is held now
    method.fit(large)
    print(held("VmHWM") - before, method.memory(500, 200))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is begun anew as Linux does it")
@pytest.mark.parametrize(
    "name", ["inverse_covariance", "mean_field_dca", "mutual_information", "gremlin"]
)
def test_a_fit_takes_no_more_than_it_says_and_at_least_half(name):
    """Libraries keep some 30 MB of buffers once for all, which no estimate counts."""
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), name]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    taken, estimated = (int(word) for word in done.stdout.split())
    assert estimated / 2 < taken < estimated + 30e6
