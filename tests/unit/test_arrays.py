import io
import zipfile

import numpy as np
import pytest

from harness import arrays
from harness.arrays import read_arrays
from harness.errors import InputError


@pytest.fixture
def unopened(monkeypatch):
    """NumPy's own reader may not be reached."""
    monkeypatch.setattr(arrays.np, "load", lambda *_, **__: pytest.fail("it was opened"))


def test_arrays_come_back_by_name(tmp_path):
    np.savez_compressed(tmp_path / "x.npz", one=np.arange(3), two=np.array("text"))
    found = read_arrays(tmp_path / "x.npz")
    assert found.keys() == {"one", "two"}
    np.testing.assert_array_equal(found["one"], [0, 1, 2])
    assert str(found["two"]) == "text"


def test_a_small_file_of_many_zeros_is_refused_unopened(tmp_path, monkeypatch, unopened):
    np.savez_compressed(tmp_path / "bomb.npz", zeros=np.zeros(1 << 24, dtype=bool))
    assert (tmp_path / "bomb.npz").stat().st_size < 1 << 16
    monkeypatch.setattr(arrays, "MOST_BYTES", 1 << 20)
    with pytest.raises(InputError, match=r"bomb\.npz: unpacks to 16,777,.* bytes, more than the"):
        read_arrays(tmp_path / "bomb.npz")


@pytest.mark.parametrize("shape", [(10**12,), (10**6, 10**6), (2**62, 2**62)])
def test_a_header_that_states_more_than_there_is_is_refused_unopened(tmp_path, unopened, shape):
    header = io.BytesIO()
    stated = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, stated)
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w") as archive:
        archive.writestr("x.npy", header.getvalue())
    with pytest.raises(InputError, match=r"bomb\.npz: unpacks to [\d,]{17,} bytes, more than the"):
        read_arrays(tmp_path / "bomb.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY\x01\x00\x06\x00", b"text"])
def test_anything_else_is_refused(tmp_path, content):
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"x\.npz: not readable as \.npz"):
        read_arrays(tmp_path / "x.npz")


class Payload:
    """Touches a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return type(self.path).touch, (self.path,)


def test_code_in_an_array_is_never_run(tmp_path):
    evil = np.array([Payload(tmp_path / "trace")], dtype=object)
    np.savez(tmp_path / "x.npz", x=evil)
    with pytest.raises(InputError, match="allow_pickle=False"):
        read_arrays(tmp_path / "x.npz")
    assert not (tmp_path / "trace").exists()
