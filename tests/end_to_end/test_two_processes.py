"""A run folder belongs to one process at a time."""

import signal
import time

from harness.journal import JOURNAL, ROWS

RUN = ("tracker=none", "method=separation", "dataset.depth=16", "pictures=false")


def test_of_two_processes_with_one_folder_one_says_so(start, tmp_path):
    folder = tmp_path / "run"
    line = (*RUN, f"outputs={tmp_path / 'outputs'}", f"hydra.run.dir={folder}", "dataset.limit=32")
    first = start(*line)
    while first.poll() is None and not (folder / ROWS).exists():
        time.sleep(0.001)
    first.send_signal(signal.SIGSTOP)  # it holds the folder for as long as the second needs
    second = start(*line)
    said = second.communicate()[1]
    first.send_signal(signal.SIGCONT)
    ended = first.communicate()[1]
    assert second.returncode == 1
    assert "another process is writing here" in said
    assert "Traceback" not in said
    assert first.returncode == 0, ended
    assert len((folder / JOURNAL).read_bytes().splitlines()) == 32
