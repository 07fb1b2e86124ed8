"""SIGTERM, by which schedulers take a machine away: after the protein at hand it ends."""

import signal
import time

import pytest

from harness.journal import read_journal
from harness.preemption import EXIT_CODE
from harness.results import read_rows
from tests.stores import recorded, tracking_in

PROTEINS = 24
WORK = (
    *("method=categorical_jacobian", "pictures=false", f"dataset.limit={PROTEINS}"),
    *("dataset.depth=16", "statistics.resamples=100"),
)

pytestmark = [
    pytest.mark.xdist_group("mlflow"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # MLflow leaves connections open,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # and uses SQLAlchemy's old ways
]


@pytest.fixture
def launch(start, lattices, tmp_path):
    """A function that starts this work with these arguments."""

    def run(*arguments):
        return start(*arguments, f"outputs={tmp_path}", lattices, *WORK)

    return run


def stop_after_the_first_protein(process, folder):
    """SIGTERM when one protein is done; what the process said."""
    while process.poll() is None and not read_journal(folder):
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=120)
    assert process.returncode == EXIT_CODE == 143, out + err
    assert "Traceback" not in out + err
    return err


def test_a_run_that_is_preempted_goes_on_as_the_same_tracked_run(launch, tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder, (client, _) = tmp_path / "run", tracking_in(tmp_path / "mlflow").connect()
    arguments = ("model=lattice_4x128", f"hydra.run.dir={folder}")
    said = stop_after_the_first_protein(launch(*arguments), folder)
    done = len(read_journal(folder))
    assert f"told to stop (SIGTERM) with {done} of {PROTEINS} proteins measured" in said
    assert 0 < done < PROTEINS
    assert read_rows(folder)["protein"].nunique() == done
    assert "told to stop" in (folder / "unfinished.txt").read_text()
    (run,) = recorded(client)
    assert run.info.status == "KILLED"
    assert f"{done} of {PROTEINS}" in run.data.tags["preempted"]

    process = launch(*arguments)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    (again,) = recorded(client)
    assert (again.info.run_id, again.info.status) == (run.info.run_id, "FINISHED")
    assert not {"preempted", "mlflow.note.content"} & again.data.tags.keys()
    assert read_rows(folder)["protein"].nunique() == PROTEINS


def test_a_sweep_that_is_preempted_begins_no_other_job(launch, tmp_path):
    folder = tmp_path / "sweep"
    place = ("-m", "tracker=none", f"hydra.sweep.dir={folder}", "model=lattice_4x128,lattice_3x64")
    said = stop_after_the_first_protein(launch(*place), folder / "0")
    assert "2 jobs failed" in said
    assert len(read_journal(folder / "0")) < PROTEINS
    assert not read_journal(folder / "1")
    process = launch(*place)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    assert [len(read_journal(folder / name)) for name in "01"] == [PROTEINS, PROTEINS]
