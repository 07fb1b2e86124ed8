import pytest

from harness.claims import check_identity, check_writable, exclusive, unfinished
from harness.errors import HarnessError, InputError


def test_a_second_process_in_a_folder_is_told_so(tmp_path):
    with (
        exclusive(tmp_path),
        pytest.raises(HarnessError, match=r"another process is writing here.*hydra.run.dir=DIR"),
        exclusive(tmp_path),
    ):
        pass


def test_a_folder_is_free_again_after_a_failure(tmp_path):
    with pytest.raises(ZeroDivisionError), exclusive(tmp_path):
        _ = 1 / 0
    with exclusive(tmp_path):
        pass


def test_an_unfinished_run_is_marked_until_it_ends_well(tmp_path):
    with unfinished(tmp_path):
        assert (tmp_path / "unfinished.txt").exists()
    assert not (tmp_path / "unfinished.txt").exists()


def test_a_failed_run_says_why_in_its_folder(tmp_path):
    with pytest.raises(HarnessError), unfinished(tmp_path):
        raise HarnessError("no weights")
    assert (tmp_path / "unfinished.txt").read_text() == "no weights\n"


def test_an_unexpected_failure_leaves_its_traceback(tmp_path):
    with pytest.raises(ZeroDivisionError), unfinished(tmp_path):
        _ = 1 / 0
    text = (tmp_path / "unfinished.txt").read_text()
    assert text.startswith("Traceback")
    assert "ZeroDivisionError" in text


@pytest.mark.parametrize("place", ["/proc/no_such_place", "file/below"])
def test_a_folder_that_cannot_be_written_is_named_with_the_way_out(tmp_path, place):
    (tmp_path / "file").touch()
    with pytest.raises(HarnessError, match=r"cannot write here .*hydra.run.dir=DIR"):
        check_writable(tmp_path / place)


def test_a_writable_folder_is_created_and_left_empty(tmp_path):
    check_writable(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_folder_without_a_run_is_free(tmp_path):
    check_identity(tmp_path, {"seed": "1"})


def test_what_is_not_known_yet_is_not_compared(tmp_path):
    (tmp_path / ".identity.json").write_text('{"seed": "1", "weights": "ab"}')
    check_identity(tmp_path, {"seed": "1"}, later=("weights",))
    with pytest.raises(InputError, match=r"seed: 1 → 2\)"):
        check_identity(tmp_path, {"seed": "2"}, later=("weights",))
