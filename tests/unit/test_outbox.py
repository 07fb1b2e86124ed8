"""What is to be sent waits on disk, in order, and is dropped when it has been sent."""

import json
import math
from dataclasses import dataclass, field
from unittest.mock import Mock

import pandas as pd
import pytest

from harness.errors import InputError, UnreachableError
from harness.outbox import OUTBOX, Outbox, OutgoingRun, Pace, pace_of, waiting


@dataclass
class Postman:
    """Delivers so many lines, then finds nobody there."""

    able: int = 1000
    id: str = "run"
    delivered: list = field(default_factory=list)

    def __call__(self, entry):
        if len(self.delivered) == self.able:
            raise UnreachableError("nobody there")
        self.delivered.append(entry)


def test_lines_arrive_in_order_and_leave_nothing_behind(tmp_path):
    outbox, postman = Outbox(tmp_path), Postman()
    outbox.add("record", metrics={"a": 1.0})
    outbox.add("end", status="FINISHED")
    assert waiting(tmp_path) == [tmp_path]
    assert outbox.send(postman) == 2
    assert [entry["call"] for entry in postman.delivered] == ["record", "end"]
    assert waiting(tmp_path) == []
    assert outbox.send(postman) == 0


def test_what_could_not_be_sent_waits_for_the_next_time(tmp_path):
    outbox, postman = Outbox(tmp_path), Postman(able=1)
    for name in "abc":
        outbox.add(name)
    with pytest.raises(UnreachableError):
        outbox.send(postman)
    postman.able = 3
    assert outbox.send(postman) == 2
    assert [entry["call"] for entry in postman.delivered] == ["a", "b", "c"]


def test_a_line_that_a_kill_cut_short_is_left_out(tmp_path):
    outbox, postman = Outbox(tmp_path), Postman()
    outbox.add("a")
    with (tmp_path / OUTBOX).open("a") as stream:
        stream.write('{"call": "b"')
    assert outbox.send(postman) == 1
    outbox.add("c")
    assert outbox.send(postman) == 1
    assert [entry["call"] for entry in postman.delivered] == ["a", "c"]


def test_a_line_after_one_that_was_cut_short_is_whole(tmp_path):
    outbox, postman = Outbox(tmp_path), Postman()
    (tmp_path / OUTBOX).write_text('{"call": "b"')
    outbox.add("c")
    assert outbox.send(postman) == 1
    assert [entry["call"] for entry in postman.delivered] == ["c"]


def test_a_sweep_comes_before_its_jobs(tmp_path):
    for name in ("z/job", "z", "a/b/c"):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
        Outbox(tmp_path / name).add("a")
    assert waiting(tmp_path) == [tmp_path / "z", tmp_path / "z/job", tmp_path / "a/b/c"]


def test_everything_said_of_a_run_survives_the_disk(tmp_path):
    postman = Postman()
    (tmp_path / "a.png").write_bytes(b"")
    run = OutgoingRun(Outbox(tmp_path), postman, Pace(), deferred=False)
    run.begin("jac", "contacts", "")
    run.record({"depth": None}, {"m": math.nan, "n": 1}, {"t": "x"})
    run.dataset("lattice", "v1", 3)
    run.table("rows.json", pd.DataFrame({"protein": ["p"], "value": [0.5]}))
    run.curve("loss", {10: 0.25})
    run.files([tmp_path / "a.png"], "maps")
    run.end("FINISHED", "")
    said = {entry["call"]: entry for entry in postman.delivered}
    assert said["record"]["parameters"] == {"depth": "None"}
    assert math.isnan(said["record"]["metrics"]["m"])
    assert (said["table"]["columns"], said["table"]["data"]) == (["protein", "value"], [["p", 0.5]])
    assert said["curve"]["points"] == [[10, 0.25]]
    assert said["files"]["paths"] == ["a.png"]
    assert run.id == "run"


@pytest.fixture
def clock(monkeypatch):
    """Seconds that go by only when somebody adds to them."""
    clock = Mock(now=1000.0)
    monkeypatch.setattr("harness.outbox.time.monotonic", lambda: clock.now)
    return clock


def test_a_tracker_that_is_away_is_asked_again_only_after_a_while(tmp_path, caplog, clock):
    postman, pace = Postman(able=0), Pace()
    for name in "abc":  # as jobs of one sweep
        (tmp_path / name).mkdir()
        OutgoingRun(Outbox(tmp_path / name), postman, pace, deferred=False).record({}, {}, {})
    assert caplog.text.count("nobody there") == 1
    clock.now, postman.able = clock.now + 30, 1000
    OutgoingRun(Outbox(tmp_path / "c"), postman, pace, deferred=False).end("FINISHED", "")
    assert len(postman.delivered) == 2


def test_a_tracker_that_hangs_is_asked_a_tenth_of_the_time(clock):
    pace, asking = Pace(), 0
    for _ in range(5000):
        if pace.due:
            clock.now, asking = clock.now + 45, asking + 45
            pace.in_vain(45)
        clock.now += 1
    assert asking / (clock.now - 1000) == pytest.approx(0.1, abs=0.01)


def test_runs_share_the_pace_of_their_tracker():
    assert pace_of("http://a") is pace_of("http://a")
    assert pace_of("http://a") is not pace_of("http://b")


def test_nothing_is_sent_while_it_is_deferred(tmp_path):
    postman = Postman()
    run = OutgoingRun(Outbox(tmp_path), postman, Pace(), deferred=True)
    run.record({}, {}, {})
    assert postman.delivered == []
    assert json.loads((tmp_path / OUTBOX).read_text())["call"] == "record"


def test_a_file_that_is_gone_is_said_at_once(tmp_path):
    run = OutgoingRun(Outbox(tmp_path), Postman(), Pace(), deferred=False)
    with pytest.raises(InputError, match=r"absent\.png: is gone"):
        run.files([tmp_path / "absent.png"], "")
