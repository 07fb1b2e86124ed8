import csv
import hashlib
import time

import pytest

from harness.datasets import published_files as module
from harness.datasets.published_files import PublishedFiles
from harness.errors import PrerequisiteError
from harness.protocols import Fetched
from tests.servers import Files, serving

CONTENT = {"sequences.fasta": b">a\nMK\n", "contacts/a.npz": b"contacts"}


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A server of a set, and a table that lists it."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    rows = [("a_set", name, hashlib.sha256(body).hexdigest()) for name, body in CONTENT.items()]
    lines = ["set,file,sha256", *(",".join(row) for row in rows)]
    (tmp_path / "published.csv").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setattr(module, "_TABLE", tmp_path / "published.csv")
    files = Files()
    files.content |= {f"data/{name}": body for name, body in CONTENT.items()}
    return files


@pytest.fixture
def source(server, tmp_path):
    with serving(server) as base:
        yield lambda: PublishedFiles("a_set", f"{base}/data", str(tmp_path / "cache"), False)


def test_all_files_are_fetched_once(source, server):
    assert isinstance(source(), Fetched)
    folder = source().fetch()
    assert all((folder / name).read_bytes() == body for name, body in CONTENT.items())
    assert source().fetch() == folder
    assert len(server.requests) == 2
    assert source().verify() == []


def test_a_wrong_byte_is_caught(source, server):
    server.content["data/contacts/a.npz"] = b"other"
    with pytest.raises(PrerequisiteError, match="is not the file that was expected"):
        source().fetch()


def test_a_later_change_is_found(source):
    path = source().fetch() / "contacts" / "a.npz"
    path.write_bytes(b"changed")
    assert "npz has SHA-256" in source().verify()[0]
    path.unlink()
    assert "npz is not there" in source().verify()[0]


def test_an_unknown_set_is_refused():
    with pytest.raises(ValueError, match=r"name is 'none', and .* lists no such set"):
        PublishedFiles("none", "", None, False)


def test_every_digest_of_the_table_is_one():
    with module._TABLE.open(encoding="utf-8", newline="") as stream:
        assert all(len(row["sha256"]) == 64 for row in csv.DictReader(stream))
