import pytest

from harness.json_text import parse


def test_values_come_back():
    assert parse(b'{"a": [1, null]}') == parse('{"a": [1, null]}') == {"a": [1, None]}


@pytest.mark.parametrize("text", ["", "{", b"\xff", "[" * 100_000])
def test_anything_else_is_a_value_error(text):
    with pytest.raises(ValueError, match=r"Expecting|decode|too deep"):
        parse(text)
