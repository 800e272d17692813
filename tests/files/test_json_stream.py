import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.errors import UserError
from tasks.files.json_stream import JsonStream


class Dripping(io.BytesIO):
    """A stream that gives a few bytes at a time, as one may."""

    def __init__(self, data: bytes, each: int) -> None:
        super().__init__(data)
        self._each = each

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self._each)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60)
@given(value=st.lists(VALUES), each=st.integers(1, 7), indent=st.none() | st.just(1), ascii_=st.booleans())
def test_elements_are_those_of_the_list(value: list[Any], each: int, indent: int | None, ascii_: bool) -> None:
    data = json.dumps(value, indent=indent, ensure_ascii=ascii_).encode("utf-8", "surrogatepass")
    stream = JsonStream(Dripping(data, each), UserError)
    assert list(stream.elements()) == value
    assert stream.peek() == ""


@settings(max_examples=60)
@given(value=st.dictionaries(st.text(), VALUES), each=st.integers(1, 7))
def test_members_are_those_of_the_object(value: dict[str, Any], each: int) -> None:
    stream = JsonStream(Dripping(json.dumps(value).encode(), each), UserError)
    assert {name: stream.value() for name in stream.members()} == value


@pytest.mark.parametrize(
    "text", ["", "[", "[1", "[1,", '["a', "[1 2]", "{}", "[1,]", "[nul]", '["\x01"]', "[" * 9_000, f"[{'7' * 9_000}]"]
)
@pytest.mark.parametrize("each", [1, 100])
def test_a_document_that_is_not_a_list_is_refused(text: str, each: int) -> None:
    with pytest.raises(UserError, match="broken JSON"):
        list(JsonStream(Dripping(text.encode(), each), UserError).elements())


def test_a_fault_is_found_without_reading_to_the_end() -> None:
    data = io.BytesIO(b'[1, {"a" 2}, "' + b"x" * 10_000_000 + b'"]')
    with pytest.raises(UserError, match="':' delimiter"):
        list(JsonStream(data, UserError).elements())
    assert data.tell() < 1_000_000
