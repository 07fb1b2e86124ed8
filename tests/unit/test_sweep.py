import logging
import os
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import Mock

import pytest
from omegaconf import OmegaConf

from harness import sweep
from harness.configuration import SWEPT_KEYS
from harness.errors import HarnessError, InputError
from harness.tracking import NoTracker


@pytest.fixture
def begun(tmp_path, monkeypatch):
    """A sweep that has begun under tmp_path, recorded by nobody."""
    for name in (SWEPT_KEYS, "TTY_INTERACTIVE"):
        monkeypatch.setenv(name, "")  # so that it is taken back after the test
    monkeypatch.setattr(sweep, "_current", [])
    config = {
        "quiet": False,
        "tracker": {"_target_": "harness.tracking.NoTracker"},
        "statistics": {
            "_target_": "harness.statistics.Bootstrap",
            "resamples": 10,
            "level": 0.9,
            "seed": 0,
        },
        "hydra": {
            "sweep": {"dir": str(tmp_path)},
            "runtime": {"choices": {"experiment": None}},
            "overrides": {"task": ["method=a,b"], "hydra": []},
            "sweeper": {"params": None},
        },
    }
    return OmegaConf.create(config)


def begin(config):
    sweep.SweepCallback().on_multirun_start(config)


def conclude(config, *errors):
    """A sweep with one job for each error (None is a success), from its begin to its end."""
    with sweep.concluded():
        begin(config)
        for number, error in enumerate(errors):
            folder = Path(config.hydra.sweep.dir)
            with sweep.noting_failure(folder, number, f"job{number}"):
                if error is not None:
                    raise error


@pytest.mark.parametrize(("launcher", "interactive"), [("basic", ""), ("cores", "0")])
def test_jobs_side_by_side_draw_no_bars(begun, launcher, interactive):
    begun.hydra.runtime.choices["hydra/launcher"] = launcher
    conclude(begun)
    assert os.environ["TTY_INTERACTIVE"] == interactive


def test_a_user_error_in_one_job_lets_the_others_go_on(begun, caplog):
    with pytest.raises(HarnessError) as caught:
        conclude(begun, InputError("no such file\nat all"), None)
    message = str(caught.value)
    assert message.startswith("1 job failed; the same command with hydra.sweep.dir=")
    assert message.endswith("\n  job0: no such file")
    assert [record.getMessage() for record in caplog.records] == ["no such file\nat all"]


def test_an_unexpected_error_is_logged_with_its_traceback(begun, caplog):
    with pytest.raises(HarnessError, match="2 jobs failed") as caught:
        conclude(begun, ZeroDivisionError("zero"), ZeroDivisionError("zero"))
    assert "job1: ZeroDivisionError: zero" in str(caught.value)
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2
    assert all(record.exc_info for record in caplog.records)


def test_failures_are_listed_in_the_order_of_the_jobs(begun):
    with pytest.raises(HarnessError) as caught:
        conclude(begun, *[InputError("bad")] * 11)
    assert str(caught.value).endswith("\n  job9: bad\n  job10: bad")


def test_the_failures_of_an_earlier_attempt_are_forgotten(begun):
    with pytest.raises(HarnessError):
        conclude(begun, InputError("bad"))
    conclude(begun, None)


def test_an_interrupted_sweep_ends_interrupted_and_is_closed(begun, monkeypatch):
    closed = []

    @contextmanager
    def noting_the_end(*_, **__):
        try:
            yield Mock(id="1")
        except BaseException as error:
            closed.append(type(error))
            raise

    monkeypatch.setattr(NoTracker, "run", noting_the_end)
    with pytest.raises(KeyboardInterrupt):
        conclude(begun, InputError("bad"), KeyboardInterrupt())
    assert closed == [KeyboardInterrupt]
    assert sweep._current == []


def test_without_a_sweep_there_is_nothing_to_conclude(monkeypatch):
    monkeypatch.setattr(sweep, "_current", [])
    with sweep.concluded():
        pass
    with pytest.raises(SystemExit), sweep.concluded():
        raise SystemExit(1)


def test_the_jobs_learn_what_varies(begun):
    begin(begun)
    with sweep.concluded():
        pass
    assert os.environ[SWEPT_KEYS] == '["method"]'


def test_a_sweep_that_cannot_be_written_is_refused_before_its_first_job(begun, tmp_path):
    (tmp_path / "file").touch()
    begun.hydra.sweep.dir = str(tmp_path / "file" / "below")
    with pytest.raises(SystemExit, match="cannot write here"):
        begin(begun)
    assert sweep._current == []


def test_a_run_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").touch()
    config = OmegaConf.create({"hydra": {"run": {"dir": str(tmp_path / "file" / "below")}}})
    with pytest.raises(SystemExit, match="cannot write here"):
        sweep.SweepCallback().on_run_start(config)
