import pytest

from harness.errors import HarnessError, InputError, PrerequisiteError


@pytest.mark.parametrize("error", [InputError, PrerequisiteError])
def test_what_the_user_can_mend_is_caught_as_one_kind(error):
    assert issubclass(error, HarnessError)


def test_a_wrong_input_is_also_a_value_error():
    assert issubclass(InputError, ValueError)


def test_a_missing_prerequisite_is_not_taken_for_a_wrong_value():
    assert not issubclass(PrerequisiteError, ValueError)
