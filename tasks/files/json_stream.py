"""Reads JSON documents that are larger than memory, one member or element at a time.

It accepts what Python's `json` accepts, NaN included, since Python tools wrote the files. Libraries that stream JSON,
such as ijson, refuse NaN.
"""

import codecs
import json
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from tasks.errors import UserError

_CHUNK = 1 << 18
# Longer than any token that may be cut at the end of a chunk, other than a string.
_TAIL = 16
_decode = json.JSONDecoder().raw_decode


class JsonStream:
    """A JSON document, read from its start. At most twice the longest requested value is in memory.

    Args:
        stream: the document in UTF-8.
        fault: makes an error from a message.

    Raises:
        UserError: every method, where the document is not JSON; made by `fault`.
    """

    def __init__(self, stream: BinaryIO, fault: Callable[[str], UserError]) -> None:
        self._stream = stream
        self._fault = fault
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._at = 0
        self._bytes = 0

    def peek(self) -> str:
        """The first character of the next token; empty at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in " \t\r\n":
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                return ""

    def value(self) -> Any:
        """The next value, complete."""
        self.peek()
        while True:
            try:
                value, end = _decode(self._text, self._at)
            except json.JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated string") or error.pos >= len(self._text) - _TAIL
                if cut and self._more():
                    continue
                raise self._fault(f"broken JSON ({error.msg}, near byte {self._bytes:,})") from error
            except (ValueError, RecursionError) as error:
                raise self._fault(f"broken JSON ({error}, near byte {self._bytes:,})") from error
            # A number may continue in the next chunk: "1" is also the start of "1e+9".
            if end >= len(self._text) - _TAIL and isinstance(value, int | float) and self._more():
                continue
            self._at = end
            return value

    def elements(self) -> Iterator[Any]:
        """The elements of the next list."""
        self._take("[")
        if self.peek() != "]":
            yield self.value()
            while self.peek() == ",":
                self._take(",")
                yield self.value()
        self._take("]")

    def members(self) -> Iterator[str]:
        """The names in the next object. The value of each must be read before the next name is requested."""
        self._take("{")
        if self.peek() != "}":
            yield self._name()
            while self.peek() == ",":
                self._take(",")
                yield self._name()
        self._take("}")

    def _name(self) -> str:
        name = self.value()
        if not isinstance(name, str):
            raise self._fault(f"broken JSON (a name expected, near byte {self._bytes:,})")
        self._take(":")
        return name

    def _take(self, character: str) -> None:
        found = self.peek()
        if found != character:
            what = repr(found) if found else "the end"
            raise self._fault(f"broken JSON ({character!r} expected instead of {what}, near byte {self._bytes:,})")
        self._at += 1

    def _more(self) -> bool:
        """Read as much as is already in memory, so that reading a value takes time linear in its length."""
        data = self._stream.read(max(_CHUNK, len(self._text) - self._at))
        try:
            text = self._decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            raise self._fault(f"is not valid UTF-8 (near byte {self._bytes + error.start:,})") from error
        if not data:
            return False
        self._bytes += len(data)
        self._text = self._text[self._at :] + text
        self._at = 0
        return True
