import hashlib
import multiprocessing
import random
import signal
import subprocess
import sys
import time

import pytest

from harness import download
from harness.download import Downloads, NotThereError, cache_folder, offline_by_environment
from harness.errors import HarnessError, InputError, PrerequisiteError
from tests.servers import Files, serving

BODY = random.Random(0).randbytes(3 * 2**20)
SHA = hashlib.sha256(BODY).hexdigest()
NAME = "facebook/model/weights.bin"


@pytest.fixture
def files(monkeypatch):
    """A server with one file; retries do not wait."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    found = Files()
    found.content[NAME] = BODY
    return found


@pytest.fixture
def base(files):
    with serving(files) as address:
        yield address


@pytest.fixture
def downloads(tmp_path):
    return Downloads(tmp_path / "cache", False, tmp_path / "weights.lock")


def get(downloads, base, sha256=SHA):
    return downloads.get(f"{base}/{NAME}", NAME, sha256)


def left(downloads):
    """Names of all files in the folder but the locks."""
    paths = downloads.folder.rglob("*")
    return {path.name for path in paths if path.is_file() and path.suffix != ".lock"}


def test_the_first_use_fetches_and_the_second_does_not(downloads, base, files):
    assert get(downloads, base).read_bytes() == BODY
    assert get(downloads, base).read_bytes() == BODY
    assert files.asked(NAME) == [None]
    assert left(downloads) == {"weights.bin"}


def test_what_was_cut_goes_on_where_it_stopped(downloads, base, files):
    files.cut = [2**20 + 5, 2**19]
    assert get(downloads, base).read_bytes() == BODY
    first, *others = files.asked(NAME)
    assert first is None
    assert [wanted[:6] for wanted in others] == ["bytes="] * 2


def test_a_server_without_ranges_is_asked_for_all_again(downloads, base, files):
    files.cut, files.ranges = [2**20 + 5], False
    assert get(downloads, base).read_bytes() == BODY


def test_a_file_that_changed_meanwhile_is_not_glued_together(downloads, base, files):
    files.cut = [2**20 + 5] + [0] * download.RETRIES
    files.content[NAME] = bytes(len(BODY))
    with pytest.raises(PrerequisiteError, match="goes on where it stopped"):
        get(downloads, base)
    assert "weights.bin.part" in left(downloads)
    files.content[NAME], files.cut = BODY, []
    assert get(downloads, base).read_bytes() == BODY


def test_a_part_that_is_whole_already_is_fetched_anew(downloads, base, files):
    """As when a process is killed after the last byte: the server has nothing left to send."""
    part = downloads.folder / f"{NAME}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(BODY)
    tag = f'"{SHA[:16]}"'
    part.with_name(f"{part.name}.etag").write_text(tag, encoding="utf-8")
    assert get(downloads, base).read_bytes() == BODY


def test_a_busy_server_is_asked_again(downloads, base, files):
    files.busy = 3
    assert get(downloads, base).read_bytes() == BODY
    assert len(files.asked(NAME)) == 4


def test_a_wrong_byte_is_caught_and_nothing_is_deleted(downloads, base, files):
    wrong = BODY[:-1] + bytes([BODY[-1] ^ 1])
    files.content[NAME] = wrong
    found = hashlib.sha256(wrong).hexdigest()
    with pytest.raises(PrerequisiteError, match=f"SHA-256 is {found}, not {SHA}.*kept as .*misma"):
        get(downloads, base)
    assert (downloads.folder / f"{NAME}.mismatch").read_bytes() == wrong
    assert len(files.asked(NAME)) == 1
    assert "weights.bin" not in left(downloads)


def test_a_file_that_the_server_lacks_is_not_asked_for_again(downloads, base, files):
    with pytest.raises(NotThereError, match=r"other: the server has no such file"):
        downloads.get(f"{base}/other", "other")
    assert files.asked("other") == [None]


def test_a_server_that_is_not_there_is_a_prerequisite(downloads, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    with pytest.raises(PrerequisiteError, match=r"cannot be fetched .*without a network put the"):
        downloads.get("http://127.0.0.1:9/x", "x")


@pytest.mark.parametrize("folder", ["file/below", "/proc/none"])
def test_a_folder_that_cannot_be_written_to_is_an_error_with_a_way_out(tmp_path, base, folder):
    (tmp_path / "file").touch()
    downloads = Downloads(tmp_path / folder, False, None)
    with pytest.raises(HarnessError, match=r"cannot write here \(.*choose another folder \(cache="):
        downloads.get(f"{base}/{NAME}", NAME)


def test_offline_names_the_file_the_address_and_what_to_do(tmp_path):
    message = r"x is not there, and offline mode forbids to fetch it: put .* \(from http://h/x\)"
    with pytest.raises(PrerequisiteError, match=message):
        Downloads(tmp_path, True, None).get("http://h/x", "x")
    (tmp_path / "x").write_bytes(b"")
    assert Downloads(tmp_path, True, None).get("http://h/x", "x") == tmp_path / "x"


def test_a_digest_that_is_not_pinned_is_written_down_and_compared(downloads, base, files):
    get(downloads, base, None)
    assert downloads.lock.read_text(encoding="utf-8") == f"{SHA}  {NAME}\n"
    (downloads.folder / NAME).unlink()
    files.content[NAME] = b"changed"
    with pytest.raises(PrerequisiteError, match=f"not {SHA}"):
        get(downloads, base, None)


def test_a_pinned_digest_is_not_written_down(downloads, base):
    get(downloads, base)
    assert not downloads.lock.exists()


@pytest.mark.parametrize("line", ["abc  name", f"{SHA}"])
def test_a_lock_that_is_none_is_refused(downloads, line):
    downloads.lock.write_text(line, encoding="utf-8")
    with pytest.raises(InputError, match=r"weights\.lock: no line of sha256sum"):
        downloads.recorded()


def _get(arguments):
    folder, base = arguments
    return get(Downloads(folder, False, None), base).read_bytes() == BODY


def test_four_processes_at_once_fetch_once(tmp_path, base, files):
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert all(pool.map(_get, [(tmp_path, base)] * 4))
    assert files.asked(NAME) == [None]


SLOW = """
import sys, time
from pathlib import Path
from harness import download
received = download._Resuming._receive
def slowly(self, got, start):
    chunks = got.iter_content
    def some(size):
        for n, chunk in enumerate(chunks(2**18)):
            yield chunk
            if n == 4: print("half", flush=True); time.sleep(60)
    got.iter_content = some
    received(self, got, start)
download._Resuming._receive = slowly
download.Downloads(Path(sys.argv[1]), False, None).get(sys.argv[2], sys.argv[3])
"""


def test_a_killed_process_leaves_what_the_next_goes_on_with(downloads, base, files):
    command = [sys.executable, "-c", SLOW, str(downloads.folder), f"{base}/{NAME}", NAME]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"half\n"
        child.send_signal(signal.SIGKILL)
    part = downloads.folder / f"{NAME}.part"
    size = part.stat().st_size
    assert size > 0
    assert get(downloads, base).read_bytes() == BODY
    assert files.asked(NAME) == [None, f"bytes={size}-"]


def test_the_cache_is_the_one_given_or_the_users(tmp_path, monkeypatch):
    assert cache_folder(str(tmp_path)) == tmp_path
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder(None).is_relative_to(tmp_path) or sys.platform != "linux"


@pytest.mark.parametrize(("value", "off"), [("1", True), ("true", True), ("0", False), ("", False)])
def test_the_environment_can_forbid_the_network(monkeypatch, value, off):
    monkeypatch.setenv("HF_HUB_OFFLINE", value)
    assert offline_by_environment() == off
