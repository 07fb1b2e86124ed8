"""Small files that unpack to a lot."""

import gzip
import tracemalloc
import zlib

import pytest

from harness import gzipped
from harness.alignment import read_alignment
from harness.errors import InputError
from harness.gzipped import read_bytes


def test_a_gzip_that_unpacks_to_gigabytes_is_refused(tmp_path):
    """Two GiB of one letter in two MiB: blocks after a full flush can be repeated."""
    packer = zlib.compressobj(wbits=-15)
    block = packer.compress(b"A" * (1 << 24)) + packer.flush(zlib.Z_FULL_FLUSH)
    header = gzip.compress(b"")[:10]
    (tmp_path / "bomb.a3m.gz").write_bytes(header + block * 128 + b"\x03\x00" + bytes(8))
    assert (tmp_path / "bomb.a3m.gz").stat().st_size < 1 << 22
    with pytest.raises(InputError, match=r"bomb\.a3m\.gz: unpacks to more than 1,073,.*gunzip"):
        read_alignment(tmp_path / "bomb.a3m.gz")


@pytest.mark.parametrize("name", ["x.a3m.gz", "x.pdb.gz"])
def test_memory_stays_near_the_limit_of_unpacking(tmp_path, monkeypatch, name):
    monkeypatch.setattr(gzipped, "MOST_UNPACKED", 1 << 22)
    (tmp_path / name).write_bytes(gzip.compress(bytes(1 << 26)))
    tracemalloc.start()
    with pytest.raises(InputError, match="unpacks to more than 4,194,304 bytes"):
        read_bytes(tmp_path / name)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 1 << 24


def test_a_file_at_the_limit_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(gzipped, "MOST_UNPACKED", 1000)
    (tmp_path / "x.a3m.gz").write_bytes(gzip.compress(b"A" * 1000))
    assert read_bytes(tmp_path / "x.a3m.gz") == b"A" * 1000
