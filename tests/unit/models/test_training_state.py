import pytest
import torch

from harness.errors import InputError
from harness.models.training_state import TrainingState

CPU = torch.device("cpu")


def test_what_was_saved_is_loaded(tmp_path):
    state = TrainingState(tmp_path / "net.training", "one")
    assert state.load(CPU) is None
    state.save({"step": 3, "weights": {"a": torch.arange(3)}, "curve": [{"step": 2}]})
    found = state.load(CPU)
    assert found["step"] == 3
    assert found["curve"] == [{"step": 2}]
    assert found["weights"]["a"].tolist() == [0, 1, 2]
    state.remove()
    assert [*tmp_path.iterdir()] == []


def test_the_state_of_another_training_is_refused(tmp_path):
    TrainingState(tmp_path / "net.training", "one").save({"step": 3})
    with pytest.raises(
        InputError, match=r"the state of another training\n  there: one\n  asked: two"
    ):
        TrainingState(tmp_path / "net.training", "two").load(CPU)


@pytest.mark.parametrize("cut", [0, 10, 300])
def test_a_damaged_state_is_an_error_of_one_line(tmp_path, cut):
    path = tmp_path / "net.training"
    TrainingState(path, "one").save({"step": 3})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(InputError, match=r"no state of a training .*; delete it to start again"):
        TrainingState(path, "one").load(CPU)


def test_code_in_a_state_is_not_run(tmp_path):
    path = tmp_path / "net.training"
    torch.save({"training": "one", "step": Payload()}, path)
    with pytest.raises(InputError, match="no state of a training"):
        TrainingState(path, "one").load(CPU)


class Payload:
    def __reduce__(self):
        return (exec, ("raise SystemExit",))
